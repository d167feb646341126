"""What a built page says of itself: headings, anchors, links, title and description."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path


class HTML(HTMLParser):
    """One HTML file, read."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.headings = 0
        self.titles: list[str] = []
        self.descriptions: list[str] = []
        self._in_head_title = False
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Takes what a tag says."""
        given = dict(attrs)
        self.anchors |= {str(given[name]) for name in ("id", "name") if given.get(name)}
        self.links += [str(given[name]) for name in ("href", "src") if given.get(name)]
        self.headings += tag == "h1"
        self._in_head_title = tag == "title" and not self.titles  # pictures have titles too
        if tag == "meta" and given.get("name") == "description":
            self.descriptions.append(given.get("content") or "")

    def handle_data(self, data: str) -> None:
        """Takes the title's text."""
        if self._in_head_title:
            self.titles.append(data.strip())

    def handle_endtag(self, _tag: str) -> None:
        """Ends the title."""
        self._in_head_title = False
