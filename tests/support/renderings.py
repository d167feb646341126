"""How a browser shows the pages: each is opened once, and looked at in each width and color scheme."""

from __future__ import annotations

import json
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WIDTHS = 390, 1366, 1920
SCHEMES = {"light": "default", "dark": "slate"}
"""Color schemes, by the theme's name for each; in the order of its switch."""

PATIENCE_MS = 300_000
PICTURED = {(390, "light"), (1366, "dark")}
LONGEST_PICTURE = 4000
STILL = "*, ::before, ::after { animation: none !important; transition: none !important }"
# Each page would make the search's index: pages are looked at without it.
NO_INDEX = json.dumps({"config": {"lang": ["en"], "separator": " ", "pipeline": [], "fields": {}}, "docs": []})

SCRIPT = Path(__file__).with_suffix(".js")


@dataclass
class Seen:
    """What is wrong with pages, as lines to print: each says where, in which width and which color scheme."""

    too_wide: list[str] = field(default_factory=list)
    illegible: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    asked_elsewhere: set[str] = field(default_factory=set)
    pictures: set[tuple[str, str, str]] = field(default_factory=set)
    """The SVG pictures: address, color scheme, and the background of the pages that show it."""


class Reader(AbstractContextManager["Reader"]):
    """Reads pages in one tab of a browser."""

    def __init__(self, browser: Any, address: str) -> None:
        self.seen = Seen()
        self.tab = browser.new_page()
        self.tab.set_default_timeout(PATIENCE_MS)
        self._address = address
        self.tab.add_init_script(path=SCRIPT)
        self.tab.route("**/search_index.json", lambda route: route.fulfill(body=NO_INDEX))
        self.tab.on("pageerror", lambda error: self.seen.errors.append(f"{self.tab.url}: {error}"))
        self.tab.on("request", self._requested)

    def __exit__(self, *_raised: object) -> None:
        """Closes the tab."""
        self.tab.close()

    def _requested(self, request: Any) -> None:
        if not request.url.startswith((self._address, "data:", "blob:")):
            self.seen.asked_elsewhere.add(f"{self.tab.url} asks {request.url}")

    def open(self, name: str) -> None:
        """A page, where nothing moves."""
        self.tab.goto(self._address + name)
        self.tab.add_style_tag(content=STILL)

    def choose(self, scheme: str) -> None:
        """The color scheme, by the switch in the page's header, as a reader does."""
        number = list(SCHEMES).index(scheme)
        self.tab.evaluate("number => document.getElementById(`__palette_${number}`).click()", number)
        self.tab.wait_for_selector(f"body[data-md-color-scheme={SCHEMES[scheme]}]")

    def look_at(self, name: str, folder: Path) -> None:
        """Judges one page in all widths and schemes, and saves what it looks like."""
        self.open(name)
        shown = name.strip("/") or "index"
        for width in WIDTHS:
            self.tab.set_viewport_size({"width": width, "height": 900})
            for scheme in SCHEMES:
                self.choose(scheme)
                place = f"{shown} at {width} px, {scheme}"
                self.seen.too_wide += [f"{place}: {line}" for line in self.tab.evaluate("tooWide()")]
                if (width, scheme) in PICTURED:
                    self._picture(folder / f"{shown.replace('/', '-')}-{width}-{scheme}.jpg")
        for scheme in SCHEMES:
            self.choose(scheme)
            background = self.tab.evaluate("getComputedStyle(document.body).backgroundColor")
            self.seen.illegible += [f"{shown}, {scheme}: {line}" for line in self.tab.evaluate("paleText()")]
            self.seen.pictures |= {(each, scheme, background) for each in self.tab.evaluate("shownPictures()")}

    def look_at_picture(self, address: str, scheme: str, background: str) -> list[str]:
        """What of an SVG's text can't be read on a page of this color scheme, whichever the system's is."""
        wrong = []
        for system in SCHEMES:
            self.tab.emulate_media(color_scheme=system)
            self.tab.goto(address)
            place = f"{address.removeprefix(self._address)} on a {scheme} page, where the system is {system}"
            wrong += [f"{place}: {line}" for line in self.tab.evaluate("page => paleTextOfPicture(page)", background)]
        return wrong

    def barriers(self, name: str, scheme: str, axe: Path) -> list[str]:
        """What axe-core finds on a page that keeps people from reading or using it."""
        self.open(name)
        self.choose(scheme)
        self.tab.evaluate(axe.read_text(encoding="utf-8"))
        found: list[str] = self.tab.evaluate("barriers()")
        return found

    def _picture(self, path: Path) -> None:
        height = min(self.tab.evaluate("document.documentElement.scrollHeight"), LONGEST_PICTURE)
        clip = {"x": 0, "y": 0, "width": self.tab.viewport_size["width"], "height": height}
        self.tab.screenshot(path=path, type="jpeg", quality=70, full_page=True, clip=clip)
