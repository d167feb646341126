"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from xsession.cli import main

COMMAND = [sys.executable, "-m", "xsession"]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs the command line with these arguments."""
    monkeypatch.setattr(sys, "argv", ["xsession", *arguments])
    return main()


def at_terminal(command: list[str], **environ: str) -> str:
    """What a command writes to a terminal that is its standard output."""
    parent, child = pty.openpty()
    with subprocess.Popen(command, stdout=child, env={**os.environ, **environ}) as running:
        os.close(child)
        written = read_terminal(parent)
    os.close(parent)
    assert running.returncode == 0
    return written


def read_terminal(terminal: int) -> str:
    """All that is written to a terminal, until nobody has it open any more."""
    written = b""
    with suppress(OSError):  # Linux's end of a terminal
        while part := os.read(terminal, 65_536):
            written += part
    return written.decode()
