"""Opens a file to append to that is the user's alone: mode 0600, and not what another user put in its place."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import NoReturn, Protocol

_MODE = 0o600
# To be read as well: the line before must have ended. O_NONBLOCK: a pipe is refused, not waited for.
_FLAGS = os.O_RDWR | os.O_APPEND | os.O_CREAT
_FLAGS |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)  # neither of them is on every platform
_FLAGS |= getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)

_NOT_FOLLOWED = "a symbolic link is not followed"


class Refuse(Protocol):
    """Raises the error of a file that can't be used."""

    def __call__(self, problem: str, /, *, cause: OSError | None = None, hint: str | None = None) -> NoReturn:
        """Raises it."""


def open_own_file(path: str | os.PathLike[str], refuse: Refuse) -> int:
    """Opens a file for appending and reading; made with mode 0600 if it is missing, and a wider mode is narrowed.

    A symbolic link, a file that has another name as well (a hard link), a file of another user and whatever is no
    regular file are refused. No folder is made.

    Args:
        path: The file.
        refuse: Raises the error.
    """
    if not hasattr(os, "O_NOFOLLOW") and Path(path).is_symlink():
        refuse("is a symbolic link", hint=_NOT_FOLLOWED)
    try:
        file = os.open(path, _FLAGS, _MODE)
    except OSError as error:
        refuse(f"can't be opened: {error.strerror}", cause=error, hint=_hint(error))
    try:
        _check(file, refuse)
    except BaseException:
        os.close(file)
        raise
    return file


def _check(file: int, refuse: Refuse) -> None:
    found = os.fstat(file)
    if not stat.S_ISREG(found.st_mode):
        refuse("is no regular file")
    if found.st_nlink > 1:
        # Before anything is changed: it may be any file of the user's that was given this name.
        refuse(f"has {found.st_nlink} names", hint="remove the hard links, or choose another file")
    if not hasattr(os, "geteuid"):  # Windows has other ways to say who may read a file
        return
    if found.st_uid != os.geteuid():
        refuse("belongs to another user, who could change it", hint="use a folder that is yours alone")
    if stat.S_IMODE(found.st_mode) != _MODE:
        try:
            os.fchmod(file, _MODE)
        except OSError as error:
            refuse(f"can't be made mode 0600: {error.strerror}", cause=error)


def _hint(error: OSError) -> str | None:
    if isinstance(error, FileNotFoundError):
        return "make its folder first, with mode 0700"
    return _NOT_FOLLOWED if error.errno == errno.ELOOP else None
