"""The search box finds what people look for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

FOUND = {
    "assume role": {"how-to/clients/", "reference/role-options/", "recipes/sessions/", "tutorial/first-steps/"},
    "mfa": {"how-to/mfa/"},
    "expired token": {"troubleshooting/", "explanation/refresh/", "recipes/sessions/", "recipes/clients/"},
    "refresh credentials": {"explanation/refresh/"},
    "external id": {"how-to/external-id/"},
    "profile": {"how-to/accounts/", "how-to/coming-from-boto3/", "how-to/coming-from-aws-vault/"},
    "pandas": {"how-to/data/", "how-to/notebooks/"},
    "lambda": {"how-to/lambda/"},
    "contractor": {"how-to/contractor/"},
    "AccessDenied": {"how-to/diagnose/", "troubleshooting/"},
    "cross account": {"how-to/set-up/", "tutorial/first-steps/", "how-to/accounts/"},
    "region": {"how-to/many-accounts/", "reference/role-options/", "how-to/clients/"},
    "sso": {"how-to/identity-center/"},
    "async": {"how-to/async/"},
    "cloudtrail": {"how-to/who-did-what/"},
    "mock": {"how-to/testing-tools/", "how-to/testing/"},
}
"""What people try, and the pages that answer: one of them is among the first three."""


@pytest.fixture(scope="module")
def tab(browser: Any, address: str) -> Iterator[Any]:
    """The home page."""
    tab = browser.new_page()
    tab.goto(address)
    yield tab
    tab.close()


def first_three(tab: Any, address: str, words: str) -> list[str]:
    """The pages that the search box shows first."""
    tab.keyboard.press("Escape")
    tab.fill("input.md-search__input", "")
    tab.click("input.md-search__input", force=True)
    tab.keyboard.type(words)
    tab.wait_for_function("words => document.querySelector('.md-search-result__link[href*=\"h=\"]')", arg=words)
    links = tab.evaluate("[...document.querySelectorAll('.md-search-result__item > a')].map(a => a.href)")
    return [link.removeprefix(address).partition("?")[0].partition("#")[0] for link in links[:3]]


@pytest.mark.parametrize("words", FOUND)
def test_search_finds_the_page(tab: Any, address: str, site: Path, words: str) -> None:
    """Among the first three, as the site itself searches."""
    gone = [name for name in FOUND[words] if not (site / name / "index.html").is_file()]
    assert gone == [], "there is no such page any more: name the one that answers now"
    shown = first_three(tab, address, words)
    assert FOUND[words] & {*shown}, f"{words!r} shows {shown}, and none of {sorted(FOUND[words])}"
