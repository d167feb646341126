"""What a command line runs in many accounts: a program, or a function of a file."""

from __future__ import annotations

import os
import runpy
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from xsession._base import frozen, hides_frames, public
from xsession.errors import CommandError, ConfigError

from ._outcomes import Outcomes

SOME_FAILED, ALL_FAILED = 3, 4
"""Exit statuses; 2 is wrong usage, and 130 Ctrl-C, everywhere."""

_LAST_WORDS = 500
_PATIENCE = 1.0
_LONGEST = 86_400 * 365


class Named(Protocol):
    """The session of an account, as far as a command needs it."""

    @property
    def name(self) -> str:
        """The account's name."""

    @property
    def region_name(self) -> str | None:
        """Its region."""


@frozen
class CommandResult:
    """What a command wrote.

    Args:
        stdout: To its standard output.
        stderr: To its standard error.
        returncode: Its exit status.
    """

    stdout: str
    stderr: str
    returncode: int = 0


@public
class Command:
    """A command as a function for `CrossAccountSession.run`: a process for each account, which acts there.

    Args:
        command: The program and its arguments; no shell reads them.
        environ: The whole environment of a process, by the account's name: `serve().environ`.
        timeout: Seconds after which the process, and what it started, is ended; None: never.
    """

    def __init__(
        self, command: Sequence[str], environ: Callable[[str], Mapping[str, str]], *, timeout: float | None = None
    ) -> None:
        rule = "a list of strings: the program and its arguments"
        if isinstance(command, str) or not command or not all(map(_can_be_passed, command)):
            raise ConfigError.invalid(command, "command", rule)
        limit: object = timeout
        if limit is not None and not (isinstance(limit, int | float) and 0 < limit <= _LONGEST):
            raise ConfigError.invalid(limit, "timeout", f"seconds, more than 0 and at most {_LONGEST}, or None")
        self._command = list(command)
        self._environ = environ
        self._timeout = timeout
        # Re-entrant, as all locks here are.
        self._lock = threading.RLock()
        self._running: set[subprocess.Popen[str]] = set()
        self._closed = False

    def __call__(self, session: Named) -> CommandResult:
        """Runs the command in one account.

        Raises:
            CommandError: It could not be started, ended with another status than 0, or took too long.
        """
        process = self._started(session)
        try:
            stdout, stderr = process.communicate(timeout=self._timeout)
        except subprocess.TimeoutExpired:
            _end(process)
            stdout, stderr = _rest(process)
            how = f"took longer than {self._timeout:g} s"
            late = self._failed(session.name, how, process, stdout, stderr)
            late.timed_out = True
            raise late from None
        finally:
            # Waited for by now: its number may be another process's.
            with self._lock:
                self._running.discard(process)
        if process.returncode:
            how = f"ended with status {process.returncode}"
            raise self._failed(session.name, how, process, stdout, stderr)
        return CommandResult(stdout, stderr)

    def close(self) -> None:
        """Ends all processes that run, and what they started, and starts no more: a run that ends early leaves them."""
        with self._lock:
            self._closed = True
            for process in self._running:
                _end(process)

    @hides_frames(CommandError)  # the environment has a token
    def _started(self, session: Named) -> subprocess.Popen[str]:
        environ = dict(self._environ(session.name))
        if session.region_name is not None:
            environ |= {"AWS_REGION": session.region_name, "AWS_DEFAULT_REGION": session.region_name}
        # Under the lock: `close` is to know of each that was started, and nothing may start after it.
        with self._lock:
            if self._closed:
                msg = f"{self._command[0]} was not started: the run has ended"
                raise CommandError(msg, account=session.name)
            try:
                process = subprocess.Popen(  # noqa: S603 # it is what the caller asks for
                    self._command,
                    env=environ,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    errors="replace",
                    start_new_session=True,
                )
            except OSError as error:
                msg = f"{self._command[0]} can't be started: {error.strerror}"
                raise CommandError(msg, account=session.name) from None
            self._running.add(process)
            return process

    def _failed(self, account: str, how: str, process: subprocess.Popen[str], stdout: str, stderr: str) -> CommandError:
        words = stderr.strip()[-_LAST_WORDS:]
        msg = f"{self._command[0]} {how}" + (f": {words}" if words else "")
        error = CommandError(msg, account=account)
        error.returncode, error.stdout, error.stderr = process.returncode, stdout, stderr
        return error


def _can_be_passed(argument: Any) -> bool:
    try:
        return b"\0" not in os.fsencode(argument)
    except (TypeError, UnicodeEncodeError):
        return False


def _rest(process: subprocess.Popen[str]) -> tuple[str, str]:
    """What a process that was ended has written; what it started may have left its group, and hold its pipes open."""
    try:
        return process.communicate(timeout=_PATIENCE)
    except subprocess.TimeoutExpired as late:
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        # Bytes, whatever was asked for: https://github.com/python/cpython/issues/87597
        stdout, stderr = ((words or b"") for words in (late.stdout, late.stderr))
        return _decoded(stdout), _decoded(stderr)


def _decoded(words: str | bytes) -> str:
    return words if isinstance(words, str) else words.decode(errors="replace")


def _end(process: subprocess.Popen[str]) -> None:
    """Ends a process and what it started."""
    with suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def load_function(reference: str) -> Callable[..., Any]:
    """The function of a file, by "file.py:function". The file's folder is on `sys.path` from then on, as Python has it.

    Raises:
        ConfigError: There is no such file or function, or the file ends the program by itself.
    """
    path, colon, name = reference.rpartition(":")
    if not colon or not path.endswith(".py") or not name.isidentifier():
        raise ConfigError.invalid(reference, "function", '"file.py:function"')
    if not Path(path).is_file():
        msg = f"there is no file {path}"
        raise ConfigError(msg)
    folder = str(Path(path).resolve().parent)
    # As of `python file.py`; `python -P` has none.
    if not sys.flags.safe_path and folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        function = runpy.run_path(path, run_name=Path(path).stem).get(name)
    except SystemExit as error:
        # Nothing was run, so that is no way to end well.
        msg = f"{path} ended the program while it was read, by sys.exit({error.code!r})"
        raise ConfigError(msg, hint='call it only where __name__ == "__main__"') from None
    if not callable(function):
        msg = f"{path} has no function {name}"
        raise ConfigError(msg)
    made: Callable[..., Any] = function
    return made


def exit_status(outcomes: Outcomes[Any]) -> int:
    """The exit status of a program that ran them: 0, or which share failed."""
    failed = len(outcomes.errors)
    if not failed:
        return 0
    return ALL_FAILED if failed == len(outcomes) else SOME_FAILED
