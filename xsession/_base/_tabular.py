"""Shows as a table in a notebook; the table's code is imported when it does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

Table: TypeAlias = tuple[Sequence[str], Iterable[Sequence[object]]]
"""The names of the columns, and the rows."""


class Tabular:
    """An object that a notebook shows as a table, and IPython in a terminal as the same table in text."""

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # IPython stops at the first class that has a __repr__ of its own, before it comes to this one.
        if "_repr_pretty_" not in vars(cls):
            cls._repr_pretty_ = Tabular._repr_pretty_  # type: ignore[method-assign]  # it is the same

    def _table(self) -> Table:
        """What is shown."""
        raise NotImplementedError

    def _above(self) -> Iterable[str]:
        """Lines that stand above the table."""
        return ()

    def _below(self) -> Iterable[str]:
        """Lines that stand below it; asked for after the rows."""
        return ()

    def _as_text(self) -> str:
        from ._table import table, text_lines  # noqa: PLC0415 # few programs show anything

        return "\n".join([*text_lines(self._above()), table(*self._table()), *text_lines(self._below())])

    def _repr_html_(self) -> str:
        from ._table import html_lines, html_table  # noqa: PLC0415 # likewise

        return html_lines(self._above()) + html_table(*self._table()) + html_lines(self._below())

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:
        printer.text(self._as_text())
