"""Describes each page for search engines, and for whom its link is sent: by its first paragraph.

A `description` in the page's front matter comes before it, for a page that begins with something else.
"""

from __future__ import annotations

import html
import re
import textwrap
from typing import TYPE_CHECKING

from markupsafe import Markup

if TYPE_CHECKING:
    from mkdocs.structure.pages import Page

LONGEST = 160  # what search engines show


def shortened(paragraph: str) -> str:
    """Its first sentences, as many as fit; where the first alone is too long, its beginning."""
    first, *others = re.split(r"(?<=[.!?]) ", paragraph)
    for sentence in others:
        if len(first) + 1 + len(sentence) > LONGEST:
            break
        first = f"{first} {sentence}"
    return textwrap.shorten(first, LONGEST, placeholder=" …")


def described(content: str) -> str:
    """What the first paragraph of a page's HTML says, without a sentence that leads to what follows it."""
    paragraph = re.search(r"<p>(.*?)</p>", content, re.DOTALL)
    text = Markup(paragraph[1]).striptags() if paragraph else ""  # noqa: S704 - ours, and markup is what is removed
    whole = re.sub(r"(?<=[.!?]) [^.!?]*:$", "", text)
    return shortened(re.sub(r":$", ".", whole))


def on_page_content(content: str, page: Page, **_others: object) -> None:
    """Sets the description of one page, as the theme writes it into HTML."""
    page.meta["description"] = html.escape(page.meta.get("description") or described(content))
