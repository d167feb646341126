"""How the pages look in a browser: nothing is cut off, and everything can be read."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.renderings import SCHEMES, WIDTHS, Reader
from tools import first_steps
from tools.project import ROOT

AXE = ROOT / ".venvs" / "site" / "node" / "node_modules" / "axe-core" / "axe.min.js"
SCREENSHOTS = ROOT / "build" / "screenshots"


@pytest.fixture(scope="module")
def reader(browser: Any, address: str) -> Iterator[Reader]:
    """A browser's tab."""
    with Reader(browser, address) as reader:
        yield reader


@pytest.fixture(scope="module")
def read(reader: Reader, site: Path) -> Reader:
    """The tab, after it has seen every page; screenshots are in build/screenshots."""
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    for path in sorted(site.rglob("index.html")):
        reader.look_at(path.relative_to(site).as_posix().removesuffix("index.html"), SCREENSHOTS)
    return reader


def test_no_page_is_wider_than_its_window(read: Reader) -> None:
    """On a phone, a laptop and a desk: what is wider scrolls by itself, as code and tables do."""
    assert read.seen.too_wide == []


def test_text_stands_out_from_its_background(read: Reader) -> None:
    """As WCAG's level AA has it, 4.5 to 1, in both color schemes. `docs/stylesheets` sets colors."""
    assert read.seen.illegible == []


def test_text_in_pictures_stands_out(read: Reader) -> None:
    """On the background of the page around it, in each color scheme that shows the picture."""
    seen = sorted(read.seen.pictures)
    assert {scheme for _picture, scheme, _background in seen} == {*SCHEMES}
    assert [line for picture in seen for line in read.look_at_picture(*picture)] == []


def test_pages_ask_no_other_server(read: Reader) -> None:
    """Fonts, scripts and pictures are the site's own; and no script of a page fails."""
    assert sorted(read.seen.asked_elsewhere) == []
    assert read.seen.errors == []


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["", "how-to/data/", "reference/role-options/"])
def test_pages_have_no_barriers(reader: Reader, name: str, scheme: str) -> None:
    """What axe-core finds of WCAG's levels A and AA: one page of each kind, for it takes seconds."""
    assert reader.barriers(name, scheme, AXE) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_header_shows_where_the_keyboard_is(browser: Any, address: str, scheme: str) -> None:
    """Its links have a ring that is as bright as their text."""
    with browser.new_context(color_scheme=scheme) as context:
        tab = context.new_page()
        tab.goto(address)
        for selector in (".md-header .md-logo", ".md-tabs__link"):
            tab.keyboard.press("Tab")  # a ring is shown to whoever uses the keyboard
            tab.locator(selector).first.focus()
            ring = "getComputedStyle(document.activeElement).outline"
            assert tab.evaluate(ring).startswith("rgb(255, 255, 255) solid")


def test_what_is_copied_from_a_console_is_its_commands(browser: Any, address: str) -> None:
    """By the button of a block: no prompt, and nothing that a command prints, so that a terminal takes it as it is."""
    with browser.new_context(permissions=["clipboard-read", "clipboard-write"]) as context:
        tab = context.new_page()
        tab.goto(f"{address}tutorial/first-steps/")
        scripts = first_steps.scripts(first_steps.PAGE.read_text(encoding="utf-8")).values()
        consoles = [step for steps in scripts for step in steps if step.language == "console"]
        shown = tab.locator(".highlight:has(.gp)").all()
        assert len(shown) == len(consoles)
        for block, step in zip(shown, consoles, strict=True):
            block.get_by_role("button").click()
            copied = tab.evaluate("navigator.clipboard.readText()").split("\n")
            assert [line for line in copied if line] == [command for command, _printed in step.commands()]


WRONG = """
<title>x</title><body style="background: #ffffff" data-md-color-scheme="default">
<input type="radio" id="__palette_0" onclick="document.body.dataset.mdColorScheme = 'default'">
<input type="radio" id="__palette_1" onclick="document.body.dataset.mdColorScheme = 'slate'">
<p style="color: #767676">fine</p><p style="color: #777777">pale</p>
<p style="color: #777777; font-size: 24px">large</p><p style="color: #000000; opacity: 0.5">transparent</p>
<pre style="overflow: auto"><code>{long}</code></pre><span>{long}</span>
<img src="picture.svg" width="20">
"""
PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 60">
<rect x="0" y="0" width="200" height="30" fill="#e65100"/>
<text x="9" y="20" fill="#ffffff">on orange</text><text x="9" y="50" fill="#767676">fine</text></svg>"""


def test_what_cannot_be_read_is_found(browser: Any, tmp_path: Path) -> None:
    """A page that is too wide, text that is too pale in it and in its picture; large text may be paler."""
    (tmp_path / "index.html").write_text(WRONG.format(long="x" * 300))
    (tmp_path / "picture.svg").write_text(PICTURE)
    with Reader(browser, f"{tmp_path.as_uri()}/") as reader:
        reader.look_at("index.html", tmp_path)
        wide = [line for line in reader.seen.too_wide if "the page is" in line]
        assert [line.partition(" at ")[2].partition(":")[0] for line in wide] == [
            f"{width} px, {scheme}" for width in WIDTHS for scheme in SCHEMES
        ]
        assert {line.partition("too wide: ")[2][:6] for line in reader.seen.too_wide} == {"", "<span>"}
        pale = {line.partition("to 1, not ")[2].partition(" in ")[0] for line in reader.seen.illegible}
        assert pale == {'4.5: "pale"', '4.5: "transparent"'}
        (picture, *_same) = sorted(reader.seen.pictures)
        found = reader.look_at_picture(*picture)
        assert [line.partition(": ")[2].partition(",")[0] for line in found] == ["#ffffff on #e65100 is 3.79 to 1"] * 2


def test_the_system_chooses_the_colors(browser: Any, address: str) -> None:
    """Who never touched the switch sees pages as all other windows."""
    for scheme, theme in SCHEMES.items():
        with browser.new_context(color_scheme=scheme) as context:
            tab = context.new_page()
            tab.goto(address)
            assert tab.get_attribute("body", "data-md-color-scheme") == theme
