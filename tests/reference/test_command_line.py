from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from tests.support.reference import PAGES
from xsession.cli._app import cli
from xsession.cli._exit_status import ExitStatus


def commands(command: click.Command = cli, *before: str) -> Iterator[tuple[str, click.Command]]:
    """Each command with the words that it is called by."""
    words = (*before, command.name or "") if before else ("xsession",)
    yield " ".join(words), command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found = command.get_command(context, name)
            assert found is not None
            yield from commands(found, *words)


COMMAND_LINE = PAGES["command-line.md"]


def test_every_command_has_its_section() -> None:
    """A heading, and the place where its description is put when the site is built; and no other command has one."""
    names = [name for name, _ in commands()]
    assert len(names) > 20
    assert sorted(re.findall(r"^<!-- (xsession.*) -->$", COMMAND_LINE, re.MULTILINE)) == sorted(names)
    assert sorted(re.findall(r"^##+ `(xsession.*)`$", COMMAND_LINE, re.MULTILINE)) == sorted(names)


def test_every_option_has_a_description() -> None:
    """In click's own words, which `--help` shows as well."""
    options = [
        (name, option) for name, command in commands() for option in command.params if isinstance(option, click.Option)
    ]
    assert len(options) > 50
    assert [f"{name} {option.name}" for name, option in options if not (option.help or "").strip()] == []


def test_exit_statuses_are_on_the_page_of_the_command_line() -> None:
    """Each in a row of its own."""
    found = re.findall(r"^\| (\d+) \|", COMMAND_LINE, re.MULTILINE)
    assert [int(row) for row in found] == [status.value for status in ExitStatus]


@pytest.mark.parametrize("line", re.findall(r"^\$ .*?(xsession .*?)\)?\"?$", COMMAND_LINE, re.MULTILINE))
def test_examples_of_commands_are_valid(line: str) -> None:
    """Their options and arguments are taken; what they do is shown, and tested, on the pages for users."""
    _, *words = shlex.split(line)
    command: click.Command = cli
    context = click.Context(cli)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None
        command = found
    command.make_context(command.name, words, resilient_parsing="--version" in words)
