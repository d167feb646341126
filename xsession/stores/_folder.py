"""The folder of a store: this user's alone, and what others put there is not used."""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from xsession._base import NEW_PREFIX, kept_by_us, read_regular_file, write_private_file

from ._reports import StoreReports

Signature: TypeAlias = tuple[int, int, int]
"""What tells one content of a file from the next, without reading it."""

_Refusal: TypeAlias = tuple[str | None, str | None]
"""Why a folder can't be used, and what to do; without a reason, it is missing."""

MAX_FILE_BYTES = 65_536
LOCK_SUFFIX = ".lock"
KEY_FAILURE = "key.failure"
"""Tells processes that wait to make the master key that the one before them could not."""
_ENDING = r"[0-9a-f]{40}\.(entry|failure|principal)"
_LOCK = r"[0-9a-f]{40}\.lock"
_PASSING_SECONDS = 600.0
_LOCK_SECONDS = 3 * 86_400.0
_CLEAN_SECONDS = 60.0


class StoreFolder:
    """A folder of mode 0700 with files of mode 0600. Files that end have their end as their modification time.

    What can't be read or written is told, and raises nothing.

    Args:
        path: Where it is; None: the user has no home.
        reports: Takes problems.
        wall: Reads the wall clock, seconds since the epoch.
        os_name: As `os.name`.
    """

    def __init__(self, path: Path | None, reports: StoreReports, *, wall: Callable[[], float], os_name: str) -> None:
        self._path = path
        self._reports = reports
        self._wall = wall
        self._has_modes = os_name != "nt"
        self._cleaned: float | None = None

    @property
    def path(self) -> Path | None:
        """Where it is; None: nowhere."""
        return self._path

    @property
    def is_empty(self) -> bool:
        """Whether nothing is kept in it, whatever state it is in."""
        return not any(re.fullmatch(_ENDING, item.name) for item in self._ours())

    def is_usable(self, *, make: bool = False, quietly: bool = False) -> bool:
        """Whether it is there and nobody else can have written into it.

        Args:
            make: Whether it is made where it is missing.
            quietly: Whether what is wrong with it is told later, by another thread that asks.
        """
        refusal = self._refusal(make=make)
        if refusal is None:
            return True
        problem, hint = refusal
        if problem is not None and not quietly:
            self._reports.tell("the folder can't be used", problem, path=self._path, hint=hint)
        return False

    def is_ours(self, found: os.stat_result) -> bool:
        """Whether something is a regular file of this user's."""
        return stat.S_ISREG(found.st_mode) and (not self._has_modes or found.st_uid == os.geteuid())

    def is_ours_folder(self, found: os.stat_result) -> bool:
        """Whether something is a folder of this user's."""
        return stat.S_ISDIR(found.st_mode) and (not self._has_modes or found.st_uid == os.geteuid())

    def close_to_others(self) -> None:
        """Takes other users' rights away from a folder that was usable, and that something else has made since."""
        if self._path is None or not self._has_modes:
            return
        with suppress(OSError):
            found = self._path.lstat()
            if self.is_ours_folder(found) and stat.S_IMODE(found.st_mode) & 0o077:
                folder = os.open(self._path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
                try:
                    os.fchmod(folder, 0o700)
                finally:
                    os.close(folder)

    def signature(self, name: str) -> Signature | None:
        """That of a file; None: there is none."""
        if self._path is None:
            return None
        try:
            return _signature(os.lstat(f"{self._path}/{name}"))
        except OSError:
            return None

    def read(self, name: str, *, others: int = 0o022) -> tuple[bytes, Signature] | None:
        """A file of this user's, which is no link; None: there is none.

        Args:
            name: Its name.
            others: The rights that nobody else may have, as bits of the mode.
        """
        if self._path is None:
            return None
        place = self._path / name
        try:
            data, found = read_regular_file(place, MAX_FILE_BYTES, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._reports.tell("an entry can't be used", _words(error), path=place, once_for=name)
            return None
        if self._has_modes and not kept_by_us(found, stat.S_ISREG, others=others):
            words = "it belongs to another user, or other users have rights on it"
            self._reports.tell("an entry can't be used", words, path=place, hint="remove it", once_for=name)
            return None
        return data, _signature(found)

    def write(self, name: str, data: bytes, ends: float) -> Signature | None:
        """Writes a file that ends; None: it could not be written.

        Args:
            name: Its name.
            data: All of it.
            ends: When, in seconds since the epoch.
        """
        if self._path is None or not self.is_usable(make=True):
            return None
        self._clean_now_and_then()
        try:
            return _signature(write_private_file(self._path / name, data, ends=ends))
        except OSError as error:
            self.tell_unwritten(error)
            return None

    def remove(self, name: str) -> bool:
        """Removes a file; returns whether there is none now."""
        if self._path is None:
            return True
        try:
            os.unlink(f"{self._path}/{name}")  # noqa: PTH108 # many times quicker, and often there is none
        except (FileNotFoundError, NotADirectoryError):
            return True
        except OSError as error:
            self.tell_unwritten(error)
            return False
        return True

    def remove_all(self) -> None:
        """Removes all files of ours, whatever is in them, but locks, which others may hold."""
        if self.is_usable():
            self._remove(lambda name, _modified: not name.endswith(LOCK_SUFFIX))

    def tell_unwritten(self, error: OSError) -> None:
        """Says that something could not be written."""
        hint = "make room, or name another folder with XSESSION_STORE"
        self._reports.tell("the disk can't be written to", _words(error), path=self._path, hint=hint)

    def _refusal(self, *, make: bool) -> _Refusal | None:
        """Why it can't be used; None: it can."""
        if self._path is None:
            return "the user has no home", "set HOME, XDG_CACHE_HOME or XSESSION_STORE"
        try:
            found = self._path.lstat()
        except FileNotFoundError:
            return self._not_made(self._path) if make else (None, None)
        except OSError as error:
            return _words(error), None
        return self._problem(found)

    def _problem(self, found: os.stat_result) -> _Refusal | None:
        """Why what is there can't be used; None: it can."""
        if stat.S_ISLNK(found.st_mode):
            return "it is a symbolic link", "name the folder itself"
        if not stat.S_ISDIR(found.st_mode):
            return "it is no folder", None
        if self._has_modes and found.st_uid != os.geteuid():
            return "it belongs to another user", "name a folder of your own, or run as its owner"
        if self._has_modes and not kept_by_us(found, stat.S_ISDIR, others=0o077):
            return "other users may look into it", f"run: chmod 700 {shlex.quote(str(self._path))}"
        return None

    def _clean_now_and_then(self) -> None:
        now = self._wall()
        if self._cleaned is None or not 0 <= now - self._cleaned < _CLEAN_SECONDS:
            self._cleaned = now
            self._remove(lambda name, modified: modified + _kept_seconds(name) <= now)

    def _remove(self, is_over: Callable[[str, float], bool]) -> None:
        for item in self._ours():
            with suppress(OSError):
                if is_over(item.name, item.stat(follow_symlinks=False).st_mtime):
                    os.unlink(item.path)  # noqa: PTH108 # a thousand of them

    def _ours(self) -> Iterator[os.DirEntry[str]]:
        if self._path is None:
            return
        with suppress(OSError), os.scandir(self._path) as items:
            for item in items:
                if item.name.startswith(NEW_PREFIX) or re.fullmatch(f"{_ENDING}|{_LOCK}|{KEY_FAILURE}", item.name):
                    yield item

    def _not_made(self, path: Path) -> _Refusal | None:
        """Makes it; returns why that can't be; None: it is made."""
        try:
            if self._has_modes and os.geteuid() == 0 and _above(path).stat().st_uid != 0:
                # As with `sudo` and the user's HOME: what root makes there, the user could not use.
                return "root makes no folder in another user's", "name one of root's with XSESSION_STORE"
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.mkdir(mode=0o700)
        except FileExistsError:
            return self._refusal(make=False)
        except OSError as error:
            return _words(error), "name a folder of your own with XSESSION_STORE"
        return None


def _above(path: Path) -> Path:
    return next(above for above in path.parents if above.exists())


def _kept_seconds(name: str) -> float:
    if name.startswith(NEW_PREFIX) or name == KEY_FAILURE:
        return _PASSING_SECONDS
    return _LOCK_SECONDS if name.endswith(LOCK_SUFFIX) else 0.0


def _signature(found: os.stat_result) -> Signature:
    return found.st_ino, found.st_mtime_ns, found.st_size


def _words(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a symbolic link"
    return error.strerror or str(error)
