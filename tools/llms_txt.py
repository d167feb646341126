"""Publishes `llms.txt`, which lists all pages with what they are about, and the Markdown of each beside its HTML.

So a language model reads what people wrote, without the theme; `llms-full.txt` is all of it in one file. The format:
https://llmstxt.org.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from markdownify import markdownify
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.nav import Navigation, Section
from mkdocs.structure.pages import Page


def markdown_of(page: Page) -> str:
    """The page as it was written or, where docstrings are on it, as it reads with them."""
    if not re.search(r"^::: ", page.markdown or "", re.MULTILINE):
        return page.markdown or ""
    content = re.sub(r'<a class="headerlink".*?</a>', "", page.content or "")
    return markdownify(content, heading_style="atx", bullets="-", strip=["a"], escape_misc=False) + "\n"


def listed(page: Page, config: MkDocsConfig) -> str:
    """One page as a line of the list."""
    link = urljoin(config.site_url or "", page.file.src_uri)
    return html.unescape(f"- [{page.meta['title']}]({link}): {page.meta['description']}")


def lines(navigation: Navigation, config: MkDocsConfig) -> Iterator[str]:
    """The file: pages that are in no section, then the sections."""
    yield from (f"# {config.site_name}", "", f"> {config.site_description}", "")
    yield from (listed(item, config) for item in navigation.items if isinstance(item, Page))
    for section in navigation.items:
        if isinstance(section, Section):
            yield from ("", f"## {section.title}", "", *(listed(page, config) for page in pages_of(section)))


def pages_of(section: Section) -> Iterator[Page]:
    """Its pages, and those of the sections in it."""
    for item in section.children:
        if isinstance(item, Section):
            yield from pages_of(item)
        elif isinstance(item, Page):
            yield item


def on_page_context(context: object, page: Page, config: MkDocsConfig, nav: Navigation) -> None:  # noqa: ARG001 - mkdocs names them
    """Writes the files, once all pages are rendered and the first is put into the theme."""
    if not page.is_homepage:
        return
    site = Path(config.site_dir)
    written = {one.file.src_uri: markdown_of(one) for one in nav.pages}
    for name, text in written.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    (site / "llms.txt").write_text("\n".join([*lines(nav, config), ""]), encoding="utf-8")
    (site / "llms-full.txt").write_text("\n".join(written.values()), encoding="utf-8")
