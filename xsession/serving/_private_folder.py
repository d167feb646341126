"""A folder of files that only this user can read, and that are gone when they are not needed any more."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path


class PrivateFolder:
    """A new folder, mode 0700, for files of mode 0600."""

    def __init__(self) -> None:
        self._path = Path(tempfile.mkdtemp(prefix="xsession-"))

    def write(self, name: str, content: str) -> str:
        """Writes a file, unless there is one of that name; returns its path.

        Args:
            name: Its name; two contents never have the same one.
            content: All of it.
        """
        path = self._path / name
        if not path.exists():
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(file, "w", encoding="utf-8", newline="") as stream:
                stream.write(content)
        return str(path)

    def remove(self) -> None:
        """Removes it, with all files."""
        shutil.rmtree(self._path, ignore_errors=True)
