"""Real terminals for tests: a program that has one as its own, and what a person does there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import signal
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self

CTRL_C, CTRL_D, CTRL_Z = b"\x03", b"\x04", b"\x1a"


class Terminal:
    """A program at a terminal, the leader of a session of its own.

    Args:
        command: The program.
        environ: All its variables.
        options: Whatever else `subprocess.Popen` takes: a `stdin` or `stdout` elsewhere, for one.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], **options: Any) -> None:
        self._ours, theirs = os.openpty()
        self.shown = b""

        def take_terminal() -> None:
            fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)
            # Whoever started the tests may have them ignored, as shells do for jobs in the background.
            for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP):
                signal.signal(number, signal.SIG_DFL)

        streams = {"stdin": theirs, "stdout": theirs, "stderr": theirs, **options}
        self.process = subprocess.Popen(
            command,
            env=dict(environ),
            start_new_session=True,
            preexec_fn=take_terminal,  # noqa: PLW1509 # it calls the system alone
            pass_fds=[theirs],
            **streams,
        )
        os.close(theirs)

    def resize(self, columns: int, rows: int = 24) -> None:
        """Gives it a size; before that it has none."""
        termios.tcsetwinsize(self._ours, (rows, columns))

    def type(self, typed: bytes) -> None:
        """Types something."""
        os.write(self._ours, typed)

    def wait_for(self, words: bytes, seconds: float = 30.0) -> None:
        """Waits until the terminal shows some words, and forgets all before their end."""
        ends = time.monotonic() + seconds
        while words not in self.shown:
            ready, _, _ = select.select([self._ours], [], [], max(0.0, ends - time.monotonic()))
            more = self._read() if ready else b""
            assert more, f"{words!r} did not come: {self.shown!r}"
            self.shown += more
        self.shown = self.shown.partition(words)[2]

    def ended(self, seconds: float = 30.0) -> int:
        """Waits until the program has ended; returns how, as `subprocess` does."""
        ends = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < ends:
            # Read meanwhile: a program that prints waits for its reader.
            if select.select([self._ours], [], [], 0.01)[0]:
                self.shown += self._read()
        return self.process.wait(0.1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        os.close(self._ours)

    def _read(self) -> bytes:
        try:
            return os.read(self._ours, 4_096)
        except OSError:  # Linux: nobody has it open any more
            return b""
