"""Names and describes each page for search engines, bookmarks and language models, by what it begins with.

`title` and `description` in a page's front matter come before its heading and its first paragraph.
"""

from __future__ import annotations

import html
import re
import textwrap
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

LONGEST = 160  # what search engines show


def first(tag: str, content: str) -> str:
    """The text of the first element of that kind in a page's HTML."""
    found = re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", content, re.DOTALL)
    text = re.sub(r'<a class="headerlink".*?</a>', "", found[1]) if found else ""
    return Markup(text).striptags()  # noqa: S704 - ours, and markup is what is removed


def shortened(paragraph: str) -> str:
    """Its first sentences, as many as fit; where the first alone is too long, its beginning."""
    beginning, *others = re.split(r"(?<=[.!?]) ", paragraph)
    for sentence in others:
        if len(beginning) + 1 + len(sentence) > LONGEST:
            break
        beginning = f"{beginning} {sentence}"
    return textwrap.shorten(beginning, LONGEST, placeholder=" …")


def described(content: str) -> str:
    """What the first paragraph of a page's HTML says, without a sentence that leads to what follows it."""
    whole = re.sub(r"(?<=[.!?]) [^.!?]*:$", "", first("p", content))
    return shortened(re.sub(r":$", ".", whole))


def on_page_content(content: str, page: Page, config: MkDocsConfig, **_others: object) -> None:
    """Sets what the theme writes into the head of one page, as it is: so in HTML."""
    title = page.meta.get("title") or (config.site_description if page.is_homepage else first("h1", content))
    page.meta["title"] = html.escape(title or str(page.title))
    page.meta["description"] = html.escape(page.meta.get("description") or described(content))
