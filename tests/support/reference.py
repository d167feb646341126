"""The pages of the reference, as tests read them."""

from __future__ import annotations

import re

from tools.project import ROOT

REFERENCE = ROOT / "docs" / "reference"
PAGES = {path.relative_to(REFERENCE).as_posix(): path.read_text(encoding="utf-8") for path in REFERENCE.rglob("*.md")}
"""Their text by path, from the reference's folder on."""


def rows(page: str) -> dict[str, list[str]]:
    """The rows of a page's tables by each name in the first cell, their other cells."""
    found = {}
    for line in page.splitlines():
        if line.startswith("| `"):
            first, *others = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found.update(dict.fromkeys(re.findall(r"`([^`]+)`", first), others))
    return found
