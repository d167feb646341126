"""The search box finds what people look for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.renderings import PATIENCE_MS

FOUND = {
    "assume role": {"how-to/coming-from-aws-assume-role-lib/", "recipes/sessions/", "troubleshooting/"},
    "mfa": {"how-to/mfa/"},
    "ExpiredToken": {"recipes/data/", "recipes/processes/", "recipes/sessions/", "troubleshooting/"},
    "refresh": {"explanation/refresh/"},
    "external id": {"how-to/external-id/"},
    "profile": {"how-to/accounts/", "how-to/identity-center/"},
    "pandas": {"how-to/data/"},
    "lambda": {"how-to/lambda/"},
    "contractor": {"how-to/contractor/"},
    "AccessDenied": {"how-to/diagnose/", "troubleshooting/"},
    "cross account access": {"how-to/set-up/"},
    "region": {"how-to/clients/"},
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
    tab.set_default_timeout(PATIENCE_MS)
    tab.goto(address)
    yield tab
    tab.close()


def first_three(tab: Any, address: str, words: str) -> list[str]:
    """The pages that the search box shows first."""
    for query, state in (("", "detached"), (words, "attached")):
        tab.fill("input.md-search__input", query)
        tab.press("input.md-search__input", "End")  # the theme looks at what is typed when a key goes up
        tab.wait_for_selector(".md-search-result__item", state=state)
    links = tab.locator(".md-search-result__item > a:first-of-type").evaluate_all("found => found.map(a => a.href)")
    return [urlsplit(link.removeprefix(address)).path for link in links[:3]]


@pytest.mark.parametrize("words", FOUND)
def test_search_finds_the_page(tab: Any, address: str, site: Path, words: str) -> None:
    """Among the first three, as the site itself searches."""
    gone = [name for name in FOUND[words] if not (site / name / "index.html").is_file()]
    assert gone == [], "there is no such page any more: name the one that answers now"
    shown = first_three(tab, address, words)
    say = "see tools/search_boosts.py; words in titles count most"
    assert FOUND[words] & {*shown}, f"{words!r} shows {shown}, and none of {sorted(FOUND[words])}: {say}"
