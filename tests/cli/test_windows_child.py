from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from xsession.cli._child_process import CommandNotRunError, Program
from xsession.cli._windows_child import run_windows_child


def program(*argv: str) -> Program:
    """A command."""
    return Program(path=argv[0], argv=argv, variables={**os.environ, "GIVEN": "1"})


@pytest.mark.skipif(sys.platform == "win32", reason="there, a signal to oneself is no Ctrl-C")
def test_ctrl_c_is_the_childs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wrapper waits for the child's own end, and never ends it."""
    monkeypatch.setattr(subprocess.Popen, "terminate", None)
    monkeypatch.setattr(subprocess.Popen, "kill", None)
    before = signal.getsignal(signal.SIGINT)
    timer = threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    code = "import os, sys, time; time.sleep(0.6); sys.exit(int(os.environ['GIVEN']) + 4)"
    assert run_windows_child(program(sys.executable, "-c", code)) == 5
    timer.join()
    assert signal.getsignal(signal.SIGINT) is before


def test_what_can_not_be_started_is_said() -> None:
    """As on other systems."""
    with pytest.raises(CommandNotRunError, match="no-such-program: command not found"):
        run_windows_child(program("no-such-program"))
