"""Small tables as text and as HTML; what is in a cell can't break out of it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import datetime

from xsession.escape import for_html, for_terminal

MAX_CELL_CHARACTERS = 200
"""Longer cells are cut."""

# A notebook's MathJax would read dollar signs as formulas.
_NO_FORMULAS = 'class="tex2jax_ignore mathjax_ignore"'
_SPACES = re.compile(" {2,}")


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as text, two spaces between its columns; a cell has no two spaces in a row.

    Args:
        headers: The columns' names.
        rows: As many cells each; None is shown as "-", and sequences with commas.
    """
    lines = [[_SPACES.sub(" ", for_terminal(_text(cell), MAX_CELL_CHARACTERS)) for cell in row] for row in rows]
    lines.insert(0, list(headers))
    widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def html_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The same table as HTML.

    Args:
        headers: The columns' names.
        rows: As many cells each.
    """
    return (
        f"<table {_NO_FORMULAS}>"
        f"<thead>{_html_row('th', headers)}</thead>"
        f"<tbody>{''.join(_html_row('td', row) for row in rows)}</tbody></table>"
    )


def text_lines(lines: Iterable[str]) -> Iterable[str]:
    """Lines of text for a terminal, each in one line."""
    return map(for_terminal, lines)


def html_lines(lines: Iterable[str]) -> str:
    """Lines of text as an HTML list; nothing where there are none."""
    items = "".join(f"<li>{for_html(line)}</li>" for line in lines)
    return items and f"<ul {_NO_FORMULAS}>{items}</ul>"


def _html_row(element: str, cells: Iterable[object]) -> str:
    inner = "".join(f"<{element}>{for_html(_text(cell), MAX_CELL_CHARACTERS)}</{element}>" for cell in cells)
    return f"<tr>{inner}</tr>"


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, datetime):
        return cell.isoformat(timespec="seconds").replace("+00:00", "Z")
    return ", ".join(map(_text, cell)) if isinstance(cell, list | tuple) else str(cell)


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.category(character)[0] == "M":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
