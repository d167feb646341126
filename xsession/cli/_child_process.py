"""Runs a command as if it had been started without us: its arguments, its signals, its stops, and its end.

The child is in our process group, so that what the terminal sends (Ctrl-C, Ctrl-Z, the size of its window) reaches
both, once, and so that pipelines keep the terminal. While it runs, this process dies of no signal that the child may
survive.
"""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import NoReturn, Self, TypeVar

import click

from xsession._base import frozen

if sys.platform != "win32":
    import resource

T = TypeVar("T")

_NOT_FOUND = 127
_NOT_RUNNABLE = 126
_BY_SIGNAL = 128
_SETTLING_SECONDS = 0.05
_SHELL = "/bin/sh"
_TERMINAL = "/dev/tty"

# By name: Windows lacks most of them.
_FORWARDED = ("SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2")
# A terminal, or its shell, sends these to the child by itself.
_OF_TERMINAL = ("SIGINT", "SIGQUIT", "SIGCONT")
# Python ignores these, and what is ignored is inherited.
_IGNORED_BY_PYTHON = ("SIGPIPE", "SIGXFSZ")


class CommandNotRunError(click.ClickException):
    """A command that could not be started; ends with the status that shells have for that.

    Args:
        name: The command, as it was typed.
        reason: What the system says.
    """

    def __init__(self, name: str, reason: OSError) -> None:
        self._missing = isinstance(reason, FileNotFoundError)
        super().__init__(f"{name}: {'command not found' if self._missing else reason.strerror}")

    @property
    def exit_code(self) -> int:  # type: ignore[override] # click only reads it
        """The exit status."""
        return _NOT_FOUND if self._missing else _NOT_RUNNABLE


class SignalQueue:
    """The signals that came, in order, none of them lost: also those that come between two looks.

    Those that this process was started to ignore stay ignored, for a child as well.

    Args:
        names: Which ones, by name.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._numbers = [number for name in names if (number := getattr(signal, name, None)) is not None]
        self._before: dict[int, signal.Handlers | object] = {}

    def __enter__(self) -> Self:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self._wakeup = signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in self._numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, _noted) or signal.SIG_DFL
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # as it was
        signal.set_wakeup_fd(self._wakeup)
        self._reader.close()
        self._writer.close()

    def wait(self) -> bytes:
        """Waits for signals; returns their numbers."""
        return self._reader.recv(4_096)


@frozen(kw_only=True)
class Program:
    """What is run.

    Args:
        path: Where it is.
        argv: Its name, as it was typed, and its arguments.
        variables: All of its environment. Not in the repr.
    """

    path: str
    argv: tuple[str, ...]
    variables: Mapping[str, str] = field(repr=False)

    @classmethod
    def find(cls, argv: Sequence[str], variables: Mapping[str, str]) -> Self:
        """The program of a command, found as a shell finds it.

        Args:
            argv: Its name, or a path, and its arguments.
            variables: All of its environment, of which PATH counts.

        Raises:
            CommandNotRunError: There is none, or it may not be run.
        """
        name, path = argv[0], variables.get("PATH")
        found = shutil.which(name, path=path)
        if found is not None:
            return cls(path=found, argv=tuple(argv), variables=variables)
        if name and (shutil.which(name, os.F_OK, path) is not None or (os.sep in name and Path(name).exists())):
            raise CommandNotRunError(name, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
        raise CommandNotRunError(name, FileNotFoundError())


def run_child(program: Program) -> int:
    """Runs a command to its end; returns its exit status, or minus the number of the signal that ended it.

    SIGTERM, SIGHUP, SIGUSR1 and SIGUSR2 are passed on. SIGINT, SIGQUIT and SIGCONT are, where this process is not in a
    terminal's foreground: else the child got them too.

    Args:
        program: The command.

    Raises:
        CommandNotRunError: It could not be started.
    """
    with SignalQueue((*_FORWARDED, *_OF_TERMINAL, "SIGCHLD")) as signals:
        child = _spawned(program)
        while True:
            for number in signals.wait():
                if number == signal.SIGCHLD:
                    ended = _ended(child)
                    if ended is not None:
                        return ended
                elif signal.Signals(number).name not in _OF_TERMINAL or not in_foreground():
                    os.kill(child, number)


def replace_process(program: Program) -> NoReturn:
    """Becomes the command.

    Args:
        program: The command.

    Raises:
        CommandNotRunError: It could not be started.
    """
    for number in _ignored_by_python():
        signal.signal(number, signal.SIG_DFL)

    def become(path: str, argv: list[str]) -> NoReturn:
        os.execve(path, argv, program.variables)  # noqa: S606 # what the caller asked for, without a shell

    _as_shells_do(become, program)


def end_as(ended: int) -> int:
    """Ends this process as its child ended, if a signal ended that; else returns the exit status to end with.

    So the caller, be it a shell or a program, is told what it would be told of the command itself. Where a signal ends
    nothing, as in the first process of a container, the status is 128 and its number, as shells tell it.

    Args:
        ended: What `run_child` returned.
    """
    if ended >= 0:
        return ended
    number = -ended
    if sys.platform != "win32":
        # The child's own core file is the one that tells something.
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    return _BY_SIGNAL + number


def in_foreground() -> bool:
    """Whether this process may read from a terminal, and so gets what is typed there, Ctrl-C among it."""
    return _foreground() == os.getpgrp()


def _spawned(program: Program) -> int:
    # Not by fork(): other threads run, and no code of Python's may run in the child.
    def spawn(path: str, argv: list[str]) -> int:
        return os.posix_spawn(path, argv, program.variables, setsigdef=_ignored_by_python())

    return _as_shells_do(spawn, program)


def _as_shells_do(start: Callable[[str, list[str]], T], program: Program) -> T:
    path, argv = program.path, [*program.argv]
    try:
        try:
            return start(path, argv)
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            # A script without "#!": shells run it by themselves.
            return start(_SHELL, [_SHELL, path, *argv[1:]])
    except OSError as error:
        raise CommandNotRunError(argv[0], error) from error


def _ended(child: int) -> int | None:
    """How the child ended; None: it has not, or it was another one. Where it stops for the terminal, so do we."""
    pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED)
    if pid and os.WIFSTOPPED(status):
        # Ctrl-Z has stopped both, and by now both go on. A pager or a shell stops itself alone.
        time.sleep(_SETTLING_SECONDS)
        pid, status = os.waitpid(child, os.WNOHANG | os.WUNTRACED | os.WCONTINUED)
        if not pid:
            _stop_with(child)
    if pid and (os.WIFEXITED(status) or os.WIFSIGNALED(status)):
        return os.waitstatus_to_exitcode(status)
    return None


def _stop_with(child: int) -> None:
    """Stops, so that the shell outside sees that its job has stopped; goes on with the child."""
    group, foreground = os.getpgid(child), _foreground()
    if foreground not in {os.getpgrp(), group}:
        # No shell would have us go on, and whoever continues the child needs us then.
        return
    os.kill(os.getpid(), signal.SIGSTOP)
    if foreground == group and in_foreground():
        # A shell, which has a group of its own: the one outside gave the terminal to ours.
        _foreground(group)
    os.kill(child, signal.SIGCONT)


def _foreground(group: int | None = None) -> int | None:
    """The process group that the terminal listens to, once it is the one that is given; None: there is no terminal."""
    try:
        terminal = os.open(_TERMINAL, os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return None
    try:
        if group is not None:
            os.tcsetpgrp(terminal, group)
        return os.tcgetpgrp(terminal)
    except OSError:
        return None
    finally:
        os.close(terminal)


def _ignored_by_python() -> list[int]:
    return [number for name in _IGNORED_BY_PYTHON if (number := getattr(signal, name, None)) is not None]


def _noted(_number: int, _frame: object) -> None:
    """Does nothing: the number is in the queue by now."""
