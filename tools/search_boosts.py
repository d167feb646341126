"""Puts what explains a word before what mentions it: the search engine alone prefers short pages and long lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mkdocs.structure.pages import Page

BOOSTS = {
    "how-to/coming-from": 0.7,
    "how-to/": 2.0,
    "tutorial/": 2.0,
    "explanation/": 2.0,
    "troubleshooting": 2.0,
    "recipes/": 0.6,
    "reference/api": 0.3,
}
"""By how pages' paths begin; the first that fits counts."""


def on_page_content(_content: str, page: Page, **_others: object) -> None:
    """Sets the boost of one page: https://squidfunk.github.io/mkdocs-material/setup/setting-up-site-search/."""
    found = [boost for beginning, boost in BOOSTS.items() if page.file.src_uri.startswith(beginning)]
    page.meta.setdefault("search", {"boost": found[0]} if found else {})
