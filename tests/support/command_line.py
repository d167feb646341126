"""The command line, run in this process or in one of its own."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, NoReturn

import pytest

import xsession.__main__
from xsession.cli import main

COMMAND = [sys.executable, "-m", "xsession"]
# filelock lets one thread fork at a time.
_FORKING = threading.Lock()


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Runs the command line with these arguments."""
    monkeypatch.setattr(sys, "argv", ["xsession", *arguments])
    return main()


def forked(*arguments: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What a process of its own does with these arguments, without a terminal and with nothing to read.

    It is a copy of this process, where all that the command line imports is there: a second less than a Python of its
    own takes. How that starts and ends is for other tests.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with _FORKING:
            child = os.fork()
        if child == 0:
            _be_the_command(arguments, env, out, err)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        for file in (out, err):
            file.seek(0)
        return subprocess.CompletedProcess(arguments, status, out.read().decode(), err.read().decode())


def _be_the_command(
    arguments: tuple[str, ...], env: Mapping[str, str] | None, out: IO[bytes], err: IO[bytes]
) -> NoReturn:
    status = 70
    try:
        signal.alarm(120)
        for received, handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
            signal.signal(received, handler)
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
        for number, file in enumerate((open(os.devnull, "rb"), out, err)):  # noqa: PTH123, SIM115 # ends with the process
            os.dup2(file.fileno(), number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, "w" if number else "r") for number in range(3))
        sys.argv = [xsession.__main__.__file__, *arguments]
        tempfile.tempdir = None
        if env is not None:
            os.environ.clear()
            os.environ.update(env)
        status = int(main())
        sys.stdout.flush()
        sys.stderr.flush()
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 # nothing but the command may go on here
        os.write(2, traceback.format_exc().encode())
    finally:
        os._exit(status)


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
