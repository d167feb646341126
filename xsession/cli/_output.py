"""What is printed: text and tables for people, JSON for programs; colors for people at a terminal alone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

import click

from xsession._base import table
from xsession.escape import for_terminal

if TYPE_CHECKING:
    from rich.console import Console


def say(text: str) -> None:
    """Prints a line on standard output, made safe for a terminal."""
    click.echo(for_terminal(text))


def warn(text: str, *, indent: bool = False) -> None:
    """Prints a line on standard error, made safe for a terminal.

    Args:
        text: The line.
        indent: Whether it goes on with what the line before says.
    """
    click.echo(f"{'  ' if indent else 'xsession: '}{for_terminal(text)}", err=True)


def show_exactly(text: str) -> None:
    """Prints text that a program reads, byte by byte: no line feed becomes another one, whatever the platform.

    Args:
        text: The text, with its last line feed.
    """
    click.echo(text.encode("utf-8", "surrogateescape"), nl=False)


def show_json(document: object, *, indent: int | None = 2) -> None:
    """Prints a document for programs, in ASCII.

    Args:
        document: What `json` can write.
        indent: None: all in one line.
    """
    click.echo(json.dumps(document, indent=indent))


def error_document(error: Exception) -> dict[str, object]:
    """An error for JSON."""
    named = ("code", "hop", "role_arn", "request_id", "hint")
    fields = {name: getattr(error, name, None) for name in named}
    return {"type": type(error).__name__, "message": str(error), **fields}


def show_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Prints a table: in the width of the terminal, or one line for each row where something else reads it.

    Args:
        headers: The names of the columns.
        rows: As many cells each; None is shown as "-".
    """
    if not is_terminal(sys.stdout):
        click.echo(table(headers, rows))
        return
    from rich.table import Table  # noqa: PLC0415 # nobody else pays for it
    from rich.text import Text  # noqa: PLC0415 # likewise

    shown = Table(*headers, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(Text("-" if cell is None else for_terminal(str(cell)), overflow="fold") for cell in row))
    console().print(shown)


def console(*, stderr: bool = False) -> Console:
    """A console of rich's that invents no markup, emoji or colors of its own."""
    from rich.console import Console  # noqa: PLC0415 # as in `show_table`

    return Console(stderr=stderr, highlight=False, markup=False, emoji=False, no_color=not wants_colors())


@contextmanager
def working(message: str) -> Iterator[None]:
    """Shows on standard error, where that is a terminal, that something takes a while.

    Nothing within may ask a person.

    Args:
        message: What.
    """
    if not is_terminal(sys.stderr):
        yield
        return
    from rich.text import Text  # noqa: PLC0415 # as in `show_table`

    with console(stderr=True).status(Text(for_terminal(message))):
        yield


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads it, on a terminal that can move its cursor."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def wants_colors() -> bool:
    """Whether a person may be shown colors: see https://no-color.org."""
    return not os.environ.get("NO_COLOR")
