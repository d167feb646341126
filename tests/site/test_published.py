from __future__ import annotations

import re
from pathlib import Path

from tools.project import ROOT


def test_the_site_describes_every_public_name(site: Path) -> None:
    """Where the table of all of them leads to, by an anchor that is there."""
    table = (site / "reference" / "api" / "index.html").read_text(encoding="utf-8")
    links = set(re.findall(r'href="([a-z./-]+/)#(xsession\.[\w.]+)"', table))
    assert len(links) > 150
    folder = site / "reference" / "api"
    pages = {page: (folder / page / "index.html").read_text(encoding="utf-8") for page, _ in links}
    assert [name for page, name in links if f'id="{name}"' not in pages[page]] == []


def test_the_site_describes_every_command(site: Path) -> None:
    """With its options."""
    shown = (site / "reference" / "command-line" / "index.html").read_text(encoding="utf-8")
    assert "--max-workers INTEGER RANGE" in shown
    assert "xsession setup export [OPTIONS] FILE" in shown
    assert "<!-- xsession" not in shown


def test_the_documentation_publishes_the_schema(site: Path) -> None:
    """The same one that is in the package."""
    published = site / "reference" / "xsession.schema.json"
    assert published.read_bytes() == (ROOT / "xsession" / "xsession.schema.json").read_bytes()
