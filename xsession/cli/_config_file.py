"""A config file of the user's that is changed: all of it or nothing, its first state kept, through symbolic links."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from xsession._base import write_private_file
from xsession.errors import ConfigError

BACKUP_SUFFIX = ".before-xsession"
_ANY_BYTES = "surrogateescape"
_LOOK_SECONDS = 0.02


def read_text(path: Path) -> str:
    """What a file says, with each byte that is no UTF-8; "" where there is none.

    Raises:
        ConfigError: It is no regular file.
        OSError: It can't be read.
    """
    if not path.exists():
        return ""
    if not path.is_file():
        msg = f"{path} is no regular file"
        raise ConfigError(msg)
    return path.read_bytes().decode(errors=_ANY_BYTES)


def change(path: Path, changed: Callable[[str], str], *, patience: float = 10.0) -> bool:
    """Changes a file in one step. What it was before the first change is kept beside it.

    Args:
        path: The file; made if it is missing. Where it is a symbolic link, that stays, and the file behind it changes.
        changed: The new text for an old one.
        patience: Seconds to wait for another process that changes it.

    Returns:
        Whether anything changed.

    Raises:
        ConfigError: It is no regular file, or another user's; or another process is still changing it.
        OSError: It can't be read or written; then it is as it was.
    """
    real = path.resolve()
    if not real.parent.exists() and changed("") == "":
        return False
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with _alone_in(real.parent, patience):
        return _change(real, changed)


def _change(real: Path, changed: Callable[[str], str]) -> bool:
    before = read_text(real)
    after = changed(before)
    if after == before:
        return False
    exists = real.exists()
    if exists and hasattr(os, "geteuid") and real.stat().st_uid != os.geteuid():
        msg = f"{real} belongs to another user, and would be yours afterwards"
        raise ConfigError(msg, hint="run it as its owner")
    if exists:
        _keep(real, before)
    _replace(real, after, mode=real.stat().st_mode & 0o7777 if exists else 0o600)
    return True


@contextmanager
def _alone_in(folder: Path, patience: float) -> Iterator[None]:
    """Has other processes of ours wait, or of two that change a file at once, one's change would be lost.

    Raises:
        ConfigError: Another process has been changing it for that many seconds, as one that was stopped does.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:  # it may be one to write into and not to read; on Windows none is opened, and whoever is last wins
        descriptor = None
    try:
        if descriptor is not None:
            _lock(descriptor, folder, patience)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _lock(descriptor: int, folder: Path, patience: float) -> None:
    import fcntl  # noqa: PLC0415 # Windows has none

    began = time.monotonic()
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() - began >= patience:
                msg = f"another process has been changing files in {folder} for {patience:g} s"
                hint = "look for an xsession aws-config that was stopped, and end it"
                raise ConfigError(msg, hint=hint) from None
            time.sleep(_LOOK_SECONDS)
        except OSError:
            return  # a file system without locks
        else:
            return


def _keep(real: Path, text: str) -> None:
    """Makes the backup, all of it, unless there is one: it is of before the first change."""
    backup = real.with_name(f"{real.name}{BACKUP_SUFFIX}")
    if not os.path.lexists(backup):
        write_private_file(backup, text.encode(errors=_ANY_BYTES), sync=True)


def _replace(real: Path, text: str, *, mode: int) -> None:
    descriptor, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode(errors=_ANY_BYTES))
            file.flush()
            os.fsync(descriptor)
        with suppress(PermissionError):  # a file system without modes
            Path(name).chmod(mode)
        Path(name).replace(real)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
