"""Reads a regular file that somebody else may have put there: a bounded part of it, and without waiting."""

from __future__ import annotations

import errno
import os
import stat

# O_NONBLOCK: a FIFO is opened at once, and then refused. None of them is on every platform.
_FLAGS = os.O_RDONLY
for _name in ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT"):
    _FLAGS |= getattr(os, _name, 0)
_KINDS = {
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_regular_file(
    path: str | os.PathLike[str], max_bytes: int, *, follow_symlinks: bool = True
) -> tuple[bytes, os.stat_result]:
    """The beginning of a file, and the status of the very file that was read.

    Args:
        path: The file.
        max_bytes: The most that it should have; where it has more, one byte more is returned, and no others.
        follow_symlinks: Whether the last part of the path may be a symbolic link.

    Raises:
        OSError: It can't be read, or is no regular file: a FIFO, a device, a folder.
    """
    flags = _FLAGS if follow_symlinks else _FLAGS | getattr(os, "O_NOFOLLOW", 0)
    file = os.open(path, flags)
    try:
        found = os.fstat(file)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(found.st_mode):
            words = f"it is {_KINDS.get(stat.S_IFMT(found.st_mode), 'something else')}, and no regular file"
            raise OSError(errno.EINVAL, words)
        parts: list[bytes] = []
        wanted = max_bytes + 1
        while wanted > 0 and (part := os.read(file, wanted)):
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts), found
    finally:
        os.close(file)
