from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.attacks import ATTACKS, harmless, seen
from tests.support.notebooks import printed
from tests.support.programs import run_python
from xsession._base import Table, Tabular
from xsession._base._table import html_lines


class Shown(Tabular):
    """What is shown, with one string everywhere."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _above(self) -> Iterable[str]:
        return (f"above {self.text}",)

    def _table(self) -> Table:
        return ("a", "b"), [(self.text, 1)]

    def _below(self) -> Iterable[str]:
        return (f"below {self.text}",)


class Bare(Tabular):
    """A table alone."""

    def _table(self) -> Table:
        return ("a",), [(1,)]


def test_text_and_html_say_the_same() -> None:
    """Lines above, the table, lines below."""
    assert printed(Shown("x")) == "above x\na  b\nx  1\nbelow x"
    assert seen(Shown("x")._repr_html_()).text == "above xabx1below x"
    assert printed(Bare()) == "a\n1"
    assert {tag for tag, _ in seen(Bare()._repr_html_()).tags} == {"table", "thead", "tbody", "tr", "th", "td"}


def test_a_class_may_print_itself_in_its_own_way() -> None:
    """One with a `__repr__` alone prints the table: IPython would take that, and a notebook shows the table too."""

    class Own(Bare):
        def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
            printer.text("mine")

    class Named(Bare):
        def __repr__(self) -> str:
            return "named"

    assert printed(Own()) == "mine"
    assert printed(Named()) == "a\n1"


def test_the_class_says_what_is_shown() -> None:
    """There is no table without it."""
    with pytest.raises(NotImplementedError):
        Tabular()._repr_html_()


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_what_others_wrote_stays_in_its_place(text: str) -> None:
    """In the lines as in the cells; MathJax leaves both alone."""
    assert len(printed(Shown(text)).split("\n")) == 4
    assert harmless(printed(Shown(text)).replace("\n", " "))
    page = seen(Shown(text)._repr_html_())
    assert [tag for tag, _ in page.tags].count("li") == 2
    assert {tag for tag, _ in page.tags} == {"table", "thead", "tbody", "tr", "th", "td", "ul", "li"}
    assert [attributes for _, attributes in page.tags if attributes] == [
        [("class", "tex2jax_ignore mathjax_ignore")]
    ] * 3


def test_no_lines_are_no_list() -> None:
    """Rather than an empty one."""
    assert html_lines([]) == ""


def test_until_something_is_shown_no_table_is_imported() -> None:
    """Accounts and sessions can be shown, and few programs do."""
    code = """
import sys
from xsession import Accounts
accounts = Accounts({"vegeta": "arn:aws:iam::222222222222:role/R"})
print("xsession._base._table" in sys.modules, "xsession.accounts._display" in sys.modules)
accounts._repr_html_()
print("xsession._base._table" in sys.modules)
"""
    assert run_python(code).split() == ["False", "False", "True"]
