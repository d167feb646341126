"""The page of the first ten minutes, and what types it; `make test-first-steps` types all of it, with pip."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import first_steps
from tools.first_steps import Step, Terminal

SCRIPTS = first_steps.scripts(first_steps.PAGE.read_text(encoding="utf-8"))


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """A bash in an empty folder."""
    made = Terminal(tmp_path, {"PATH": os.environ["PATH"]})
    yield made
    made.close()


def test_the_page_has_three_scripts() -> None:
    """Each makes an environment of its own."""
    assert list(SCRIPTS) == ["On your own machine", "On a profile of yours", "In a notebook"]
    for steps in SCRIPTS.values():
        commands = [command for step in steps if step.language == "console" for command, _ in step.commands()]
        assert commands[:2] == ["python3 -m venv .venv", ". .venv/bin/activate"]
        assert commands[2].startswith("pip install ")


def test_each_script_has_a_row_of_seconds() -> None:
    """Measured ones."""
    text = first_steps.PAGE.read_text(encoding="utf-8")
    assert [name for name in SCRIPTS if f"\n| {name} | " not in text] == []
    assert "| 0 |" not in text


def test_every_file_is_typed_before_it_is_run() -> None:
    """Whoever follows the page has it by then."""
    for steps in SCRIPTS.values():
        typed = set()
        for step in steps:
            typed.add(step.title)
            if step.language == "console":
                run = [command.split()[1] for command, _ in step.commands() if command.startswith("python ")]
                assert set(run) <= typed


def test_the_first_file_prints_what_the_page_shows(tmp_path: Path) -> None:
    """Here without an environment of its own, so that a change of the code is seen at once."""
    steps = SCRIPTS["On your own machine"]
    (file,) = (step for step in steps if step.title == "first.py")
    (tmp_path / "first.py").write_text(file.text)
    expected = dict(command for step in steps if step.language == "console" for command in step.commands())
    command = [sys.executable, "first.py"]
    environ = {**os.environ, "LOGNAME": "bruce"}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == expected["python first.py"].strip(), done.stderr


def test_a_terminal_keeps_what_was_set(terminal: Terminal) -> None:
    """As a person's does: variables, and what a file that it reads sets."""
    assert terminal.type("greeting=hello; cd /") == ""
    assert terminal.type("echo $greeting; pwd") == "hello\n/\n"


def test_a_terminal_shows_errors_too(terminal: Terminal) -> None:
    """In the order in which they come."""
    assert terminal.type("echo one; echo two >&2; printf three") == "one\ntwo\nthree"


@pytest.mark.parametrize("command", ["echo before; false", "no-such-command", "exit 0"])
def test_a_command_that_fails_ends_the_script(terminal: Terminal, command: str) -> None:
    """So does one that ends the terminal."""
    with pytest.raises(ValueError, match=command):
        terminal.type(command)


def test_other_output_than_the_page_shows_is_an_error(tmp_path: Path) -> None:
    """With both."""
    step = Step("console", None, "$ echo goku\ngoku\n$ echo vegeta\nkakarot\n")
    with pytest.raises(ValueError, match=r"(?s)echo vegeta.*kakarot.*vegeta"):
        first_steps.run([step], tmp_path, {"PATH": os.environ["PATH"]})


def test_files_are_written_as_the_page_has_them(tmp_path: Path) -> None:
    """Under their titles."""
    file, console = Step("toml", "a.toml", "x = 1\n"), Step("console", None, "$ cat a.toml\nx = 1\n")
    first_steps.run([file, console], tmp_path, {"PATH": os.environ["PATH"]})
