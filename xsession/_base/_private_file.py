"""Files and folders that only this user can read and write."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

NEW_PREFIX = ".new-"
"""What the names of files begin with that are being written."""

_CAN_LINK = os.name != "nt"


def write_private_file(
    place: Path, data: bytes, *, ends: float | None = None, sync: bool = False, replace: bool = True
) -> os.stat_result:
    """Writes a file of mode 0600, all of it or nothing; returns its status.

    A link in its place is replaced, and not followed.

    Args:
        place: Where it is to be.
        data: All of it.
        ends: The time that it gets as its last modification, seconds since the epoch; None: now.
        sync: Whether it must be on the disk before it has its name.
        replace: Whether it may take the place of another file.

    Raises:
        FileExistsError: There is one, which is not replaced.
        OSError: It can't be written.
    """
    fresh = place.with_name(f"{NEW_PREFIX}{os.urandom(8).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    file = os.open(fresh, flags, 0o600)
    try:
        with open(file, "wb") as stream:  # noqa: PTH123 # it is open already
            stream.write(data)
            stream.flush()
            if sync:
                os.fsync(file)
        if ends is not None:
            os.utime(fresh, (ends, ends))
        written = fresh.stat()
        if replace:
            fresh.replace(place)
        else:
            _link(fresh, place)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise
    return written


def _link(fresh: Path, place: Path) -> None:
    if _CAN_LINK:
        place.hardlink_to(fresh)
        fresh.unlink()
    else:
        fresh.rename(place)  # which refuses on Windows, where there is one


def kept_by_us(found: os.stat_result, is_kind: Callable[[int], bool], *, others: int = 0o022) -> bool:
    """Whether a file or folder is of the kind, is this user's, and gives nobody else those rights.

    Args:
        found: Its status.
        is_kind: As `stat.S_ISDIR`.
        others: The rights, as bits of the mode.
    """
    return is_kind(found.st_mode) and found.st_uid == os.geteuid() and not stat.S_IMODE(found.st_mode) & others
