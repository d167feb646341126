"""Standard output and standard error, for all commands: those that start without click too."""

from __future__ import annotations

import errno
import io
import os
import sys


def prepare_output() -> None:
    """Has characters that an old terminal's encoding lacks written out, and not end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")


def require_output() -> None:
    """Refuses to make what nobody could receive.

    Raises:
        OSError: Standard output is closed.
    """
    if sys.stdout is None:
        raise OSError(errno.EBADF, "standard output is closed")


def flush_output() -> None:
    """Writes what is still held back, so that what goes wrong with it is known now."""
    if sys.stdout is not None:
        sys.stdout.flush()


def close_output() -> None:
    """Drops what could not be written: Python would try it once more at its end, and complain."""
    if sys.__stdout__ is not None and sys.stdout is sys.__stdout__:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.__stdout__.fileno())
        os.close(nowhere)
