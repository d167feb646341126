"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import sys

import pytest

from xsession.cli import main

COMMAND = [sys.executable, "-m", "xsession"]


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs the command line with these arguments."""
    monkeypatch.setattr(sys, "argv", ["xsession", *arguments])
    return main()
