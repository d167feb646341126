"""Small files in a folder that only this user may write to: what others put there is not read."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NoReturn

from xsession._base import kept_by_us, read_regular_file, write_private_file
from xsession.errors import ConfigError

from ._user_file import user_file

_YEAR_9999 = 253_402_300_800.0


def moment_of(value: object) -> float:
    """When something was, as a file says it: in seconds since 1970.

    Raises:
        ValueError: That is no time.
    """
    if not isinstance(value, int | float) or not 0 <= value < _YEAR_9999:
        msg = "this is no time"
        raise ValueError(msg)
    return float(value)


class OwnFiles:
    """The files of a folder, by their names.

    Args:
        folder: The folder; made where something is written.
        max_bytes: The most that a file may have.
        os_name: As `os.name`.
    """

    def __init__(self, folder: Path, max_bytes: int, os_name: str = os.name) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._os_name = os_name

    @classmethod
    def named_by(cls, environ: Mapping[str, str], folder_name: str, max_bytes: int) -> OwnFiles | None:
        """Those of the user whom an environment names, beside the user's own `xsession.toml`; None: there is no home.

        Args:
            environ: The process's environment variables.
            folder_name: The name of their folder.
            max_bytes: The most that a file may have.
        """
        own = user_file(environ, sys.platform)
        return None if own is None else cls(Path(own).parent / folder_name, max_bytes)

    def names(self) -> Iterable[str]:
        """The names of all that end in .json."""
        return [place.name for place in self._folder.glob("*.json")] if self._is_ours() else ()

    def read(self, name: str) -> bytes | None:
        """What a file has; None: there is none that this user has written, or it is too long."""
        place = self._folder / name
        if not self._is_ours():
            return None
        try:
            data, found = read_regular_file(place, self._max_bytes, follow_symlinks=False)
        except OSError:
            return None
        # Not all platforms have O_NOFOLLOW.
        is_ours = not place.is_symlink() and self._kept_by_us(found, stat.S_ISREG)
        return data if is_ours and len(data) <= self._max_bytes else None

    def write(self, name: str, data: bytes) -> None:
        """Writes a file, at once: nobody reads half of it.

        Raises:
            ConfigError: The folder can't be written to, or is no folder of this user.
        """
        try:
            self._make_folder()
            write_private_file(self._folder / name, data)
        except OSError as error:
            self._refuse(error)

    def remove(self, name: str) -> bool:
        """Deletes a file; returns whether it was there.

        Raises:
            ConfigError: The folder can't be written to.
        """
        try:
            (self._folder / name).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            self._refuse(error)
        return True

    def _is_ours(self) -> bool:
        """Whether nobody else can have written what is in the folder."""
        try:
            return self._kept_by_us(self._folder.lstat(), stat.S_ISDIR)
        except OSError:
            return False

    def _kept_by_us(self, found: os.stat_result, is_kind: Callable[[int], bool]) -> bool:
        return is_kind(found.st_mode) if self._os_name == "nt" else kept_by_us(found, is_kind)

    def _make_folder(self) -> None:
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._folder.mkdir(0o700)
        except FileExistsError:
            found = self._folder.lstat()
            if not stat.S_ISDIR(found.st_mode) or (self._os_name != "nt" and found.st_uid != os.geteuid()):
                msg = f"{self._folder} is no folder of this user"
                raise ConfigError(msg, hint="remove it") from None
            self._folder.chmod(0o700)

    def _refuse(self, error: OSError) -> NoReturn:
        msg = f"{self._folder} can't be written to: {error.strerror}"
        raise ConfigError(msg) from error
