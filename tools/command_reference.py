"""Describes each command where the page of the command line names it, in the words that click shows."""

from __future__ import annotations

import html
import inspect
import re
from typing import TYPE_CHECKING

import click

from xsession.cli._app import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

PAGE = "reference/command-line.md"
MARKER = re.compile(r"^<!-- (xsession[a-z -]*?) -->$", re.MULTILINE)


def commands(command: click.Command = cli, context: click.Context | None = None) -> Iterator[click.Context]:
    """A context for each command, its own subcommands after it."""
    name = command.name if context else "xsession"
    context = click.Context(command, parent=context, info_name=name, **command.context_settings)
    yield context
    if isinstance(command, click.Group):
        found = [command.get_command(context, name) for name in command.list_commands(context)]
        for one in filter(None, found):
            yield from commands(one, context)


def description(context: click.Context) -> str:
    """What a command does, how it is called, and its options.

    Args:
        context: That of the command.
    """
    usage = " ".join([context.command_path, *context.command.collect_usage_pieces(context)])
    options = [one for one in context.command.get_params(context) if isinstance(one, click.Option)]
    records = [record for record in (option.get_help_record(context) for option in options) if record]
    rows = [f"| `{_cell(names)}` | {_cell(_plain(what))} |" for names, what in records]
    words = [_paragraph(one) for one in inspect.cleandoc(context.command.help or "").split("\n\n")]
    return "\n\n".join([*words, f"```text\n{usage}\n```", "\n".join(["| option | what it does |", "|---|---|", *rows])])


def _paragraph(text: str) -> str:
    """A paragraph of the help; click leaves the lines of one that begins with a backspace as they are."""
    return f"```text\n{text[2:]}\n```" if text.startswith("\b\n") else _plain(text)


def _plain(text: str) -> str:
    return re.sub(r"([*\[\]])", r"\\\1", html.escape(text, quote=False))


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 # MkDocs's
    """Puts the descriptions in their places."""
    if page.file.src_uri != PAGE:
        return markdown
    found = {context.command_path: context for context in commands()}
    return MARKER.sub(lambda marker: description(found[marker[1]]), markdown)
