"""Runs a command on Windows, where the console sends Ctrl-C to all that share it, and nobody forwards anything.

Not tried on Windows: tests run it elsewhere.
"""

from __future__ import annotations

import signal
import subprocess

from ._child_process import CommandNotRunError, Program

_OF_CONSOLE = ("SIGINT", "SIGBREAK")


def run_windows_child(program: Program) -> int:
    """Runs a command to its end, whatever is typed meanwhile; returns its exit status.

    The child decides what Ctrl-C means to it. It is never ended from here, since its own end is what counts.

    Args:
        program: The command.

    Raises:
        CommandNotRunError: It could not be started.
    """
    numbers = [number for name in _OF_CONSOLE if (number := getattr(signal, name, None)) is not None]
    # Handled and not ignored: what is ignored would be inherited.
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in numbers}
    try:
        child = subprocess.Popen([program.path, *program.argv[1:]], env=program.variables)  # noqa: S603 # what the caller asked for
        return child.wait()
    except OSError as error:
        raise CommandNotRunError(program.argv[0], error) from error
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
