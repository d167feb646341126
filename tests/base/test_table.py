from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.support.attacks import ATTACKS, seen
from xsession._base._table import html_table, table

AT = datetime(2030, 1, 1, 12, tzinfo=UTC)


def test_columns_are_aligned() -> None:
    """Wide characters take two columns and marks none; a line has no spaces at its end."""
    rows: list[list[object]] = [[AT, "東京", 1], [None, "ne\u0301e", ("a", None)], ["x", "y", ""]]
    assert table(["time", "who", "n"], rows).splitlines() == [
        "time                  who   n",
        "2030-01-01T12:00:00Z  東京  1",
        "-                     ne\u0301e   a, -",
        "x                     y",
    ]


def test_a_table_without_rows_has_its_headers() -> None:
    """So that it does not look like nothing at all."""
    assert table(["time", "who"], []) == "time  who"
    assert seen(html_table(["time"], [])).text == "time"


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_a_cell_stays_in_its_place(text: str) -> None:
    """One line, two columns, whatever is in them."""
    lines = table(["who", "what"], [[text, "StopInstances"]]).split("\n")
    assert len(lines) == 2
    assert lines[1].isprintable()
    assert [part for part in lines[1].split("  ") if part][-1].strip() == "StopInstances"
    assert len([part for part in lines[1].split("  ") if part.strip()]) == 2
    assert max(map(len, lines)) < 300
    page = seen(html_table(["who", "what"], [[text, "StopInstances"]]))
    assert [tag for tag, _ in page.tags] == ["table", "thead", "tr", "th", "th", "tbody", "tr", "td", "td"]
    assert [attributes for _, attributes in page.tags[1:] if attributes] == []
    assert page.text.endswith("StopInstances")


def test_mathjax_leaves_the_cells_alone() -> None:
    """A notebook would run it over dollar signs."""
    assert seen(html_table(["a"], [])).tags[0] == ("table", [("class", "tex2jax_ignore mathjax_ignore")])
