"""A terminal with a program in it, as a person has it: by tmux."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_SECONDS = 20.0


class Tmux:
    """A terminal of its own, with a tmux server of its own.

    Args:
        command: What runs in it.
        folder: Where it runs; the server's socket lies here too.
        environ: Its environment; None: this one.
    """

    def __init__(self, command: list[str], folder: Path, environ: dict[str, str] | None = None) -> None:
        self._command = command
        self._folder = folder
        self._environ = {**(os.environ if environ is None else environ), "TERM": "screen"}

    def __enter__(self) -> Self:
        self._tmux("-f", os.devnull, "new-session", "-d", "-x", "120", "-y", "40", "--", *self._command)
        return self

    def __exit__(self, _kind: type[BaseException] | None, _error: object, _traceback: TracebackType | None) -> None:
        self._tmux("kill-server")

    def type(self, line: str) -> None:
        """Types a line and Enter."""
        self.send(f"{line}\n")

    def send(self, keys: str) -> None:
        """Types keys, Tab and Enter among them as in a string."""
        for part in keys.replace("\t", "\0Tab\0").replace("\n", "\0Enter\0").split("\0"):
            if part:
                self._tmux("send-keys", *(() if part in {"Tab", "Enter"} else ("-l",)), part)

    def press(self, key: str) -> None:
        """Presses a key by tmux's name, such as "C-c"."""
        self._tmux("send-keys", key)

    @property
    def screen(self) -> str:
        """What is seen, without empty lines at the end."""
        return self._tmux("capture-pane", "-p").rstrip("\n")

    def wait_for(self, text: str) -> str:
        """Waits until a text is seen; returns the screen."""
        ends = time.monotonic() + PATIENCE_SECONDS
        while text not in (screen := self.screen):
            assert time.monotonic() < ends, screen
            time.sleep(0.02)
        return screen

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-S", str(self._folder / "tmux"), *arguments]
        return subprocess.run(
            command, cwd=self._folder, env=self._environ, capture_output=True, text=True, check=True
        ).stdout
