"""A folder of files that only this user can read, and that are gone when they are not needed any more."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from xsession.errors import ConfigError

# Containers whose root file system is read-only have it all the same.
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 # mkdtemp makes it safe


class PrivateFolder:
    """A new folder, mode 0700, for files of mode 0600.

    Raises:
        ConfigError: There is no place for one.
    """

    def __init__(self) -> None:
        self._path = _made()

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


def _made() -> Path:
    for parent in (None, _SHARED_MEMORY):
        try:
            return Path(tempfile.mkdtemp(prefix="xsession-", dir=parent))
        except OSError:
            continue
    msg = "there is no folder for temporary files, where an endpoint has its token"
    raise ConfigError(msg, hint="set TMPDIR to one that can be written to, or hand over plain variables: exec --env")
