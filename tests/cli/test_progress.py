from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, read_terminal
from xsession.cli._progress import OutcomeLines
from xsession.errors import AssumeRoleError
from xsession.fanout import Outcome, Progress

OUTCOMES = [
    Outcome("vegeta", None, AssumeRoleError("refused", code="AccessDenied"), 0.1, ("a note\x1b[2J",)),
    Outcome("bulma", 1, None, 0.1),
]
SHOWN = ["vegeta: failed: AccessDenied", "  a note\\x1b[2J", "bulma: ok"]


def test_each_outcome_has_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """With its notes, and no bar where nobody looks."""
    lines = OutcomeLines(lines=True)
    assert isinstance(lines, Progress)
    lines.begin(2)
    for outcome in OUTCOMES:
        lines.advance(outcome)
    lines.end()
    out, err = capsys.readouterr()
    assert (out.splitlines(), err) == (SHOWN, "")


PROGRAM = """
import sys
from tests.cli.test_progress import OUTCOMES
from xsession.cli._progress import OutcomeLines
lines = OutcomeLines(lines=sys.argv[1] == "lines")
lines.begin(2)
for outcome in OUTCOMES:
    lines.advance(outcome)
lines.end()
"""


@pytest.mark.parametrize(("arguments", "piped"), [("lines", False), ("lines", True), ("none", True)])
def test_a_person_sees_how_far_it_is(arguments: str, piped: bool) -> None:
    """By a bar: below the lines, or on standard error where standard output goes elsewhere."""
    parent, child = pty.openpty()
    streams = {"stdout": subprocess.PIPE if piped else child, "stderr": child}
    command = [sys.executable, "-c", PROGRAM, arguments]
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen(command, **streams, env=environ) as running:  # type: ignore[call-overload] # each is one
        os.close(child)
        terminal = read_terminal(parent)
        printed = running.stdout.read().decode() if piped else terminal
    os.close(parent)
    assert running.returncode == 0
    assert "accounts" in terminal
    assert "100%" in terminal or "50%" in terminal
    if piped:
        assert printed.splitlines() == (SHOWN if arguments == "lines" else [])
    else:
        assert all(line in terminal for line in SHOWN)


@pytest.mark.usefixtures("folder")
def test_verify_shows_none_of_it_to_programs() -> None:
    """No byte that a terminal alone understands."""
    done = subprocess.run([*COMMAND, "verify", "vegeta"], capture_output=True, check=True)
    assert b"\x1b" not in done.stdout + done.stderr
