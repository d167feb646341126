"""Marks: moments at or before which whatever was issued is over, in every process.

Each is a file of its own, so that no two processes write the same one. Its name has the moment; one that has no
content, since the disk was full, ends everything.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from xsession._aws import Arn
from xsession._base import frozen, read_regular_file, sha256, write_private_file

from ._folder import StoreFolder
from ._store import Moment

# Sessions live 36 hours at most: https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
LONGEST_LIFETIME_SECONDS = 36 * 3_600.0
_KEPT_MICROSECONDS = int((LONGEST_LIFETIME_SECONDS + 3_600.0) * 1e6)
_FOLDER = "marks"
_NAME = r"([0-9]{20})-[0-9a-f]{32}\.mark"
# Two changes of a folder within the tick of a coarse clock leave one and the same time.
_TICK_SECONDS = 2.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_BYTES = 16_384


@frozen
class Mark:
    """One mark.

    Args:
        at: The moment, in microseconds since the epoch.
        key: The key that it is about; None: any.
        role: The role that it is about, as `role_of` has it; None: any.
        source_identity: The source identity that it is about; None: any.
    """

    at: int
    key: str | None = None
    role: str | None = None
    source_identity: str | None = None

    def ends(self, key: str, role: str | None, source_identity: str | None, issued: int | None) -> bool:
        """Whether it ends what was issued then."""
        return (
            self.key in (None, key)
            and self.role in (None, role)
            and self.source_identity in (None, source_identity)
            and (issued is None or issued <= self.at)
        )

    @property
    def document(self) -> bytes:
        """What its file says."""
        return json.dumps([self.key, self.role, self.source_identity]).encode()

    @property
    def name(self) -> str:
        """That of its file."""
        return f"{self.at:020}-{sha256(self.document).hexdigest()[:32]}.mark"

    @classmethod
    def read(cls, name: str, document: bytes) -> Mark | None:
        """A file's; None: it is none."""
        found = re.fullmatch(_NAME, name)
        if found is None:
            return None
        at = int(found[1])
        try:
            about = json.loads(document)
        except (ValueError, RecursionError):
            return cls(at)
        if not isinstance(about, list) or len(about) != len(("key", "role", "source_identity")):
            return cls(at)
        return cls(at, *(item if isinstance(item, str) else None for item in about))


class Marks:
    """The marks of a store.

    Args:
        folder: The store's.
        wall: Reads the wall clock, seconds since the epoch.
    """

    def __init__(self, folder: StoreFolder, wall: Callable[[], float]) -> None:
        self._folder = folder
        self._wall = wall
        # By the names of their files. Each step on it is atomic: no thread takes away what another adds.
        self._own: dict[str, Mark] = {}
        self._read: tuple[tuple[int, int], tuple[Mark, ...]] | None = None

    def add(self, mark: Mark) -> None:
        """Keeps one, on the disk where that works, and in this process."""
        self._own[mark.name] = mark
        for name in [*self._own]:
            if self._is_replaced(name, mark):
                self._own.pop(name, None)
        path = self._path
        if path is None or not self._folder.is_usable(make=True):
            return
        try:
            path.mkdir(mode=0o700, exist_ok=True)
            if not self._folder.is_ours_folder(path.lstat()):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            try:
                write_private_file(path / mark.name, mark.document, sync=True)
            except OSError:
                # A disk without room for its content may have room for its name.
                write_private_file(path / mark.name, b"")
                raise
            self._clear(path, mark)
        except OSError as error:
            self._folder.tell_unwritten(error)

    def end(self, key: str, arn: str | None, source_identity: str | None, issued: Moment | None) -> bool:
        """Whether one of them ends what was issued then.

        Args:
            key: What the credentials are kept under.
            arn: That of their role, or of their session.
            source_identity: Their source identity.
            issued: When they were issued; None: unknown.
        """
        marks = (*self._own.copy().values(), *self._on_disk())
        if not marks:
            return False
        role, moment = role_of(arn), None if issued is None else microseconds(issued)
        return any(mark.ends(key, role, source_identity, moment) for mark in marks)

    @property
    def _path(self) -> Path | None:
        return None if self._folder.path is None else self._folder.path / _FOLDER

    def _on_disk(self) -> Iterable[Mark]:
        path, read = self._path, self._read
        if path is None:
            return ()
        try:
            found = os.lstat(path)
        except OSError:
            return ()
        state = found.st_ino, found.st_mtime_ns
        if read is not None and read[0] == state:
            return read[1]
        # Before it is read: what comes meanwhile has the time of later.
        is_settled = time.time() - found.st_mtime > _TICK_SECONDS
        try:
            marks = tuple(self._found(path)) if self._folder.is_ours_folder(found) else ()
        except OSError:
            # As where this process has too many files open: what they may say is said of everything, until they can be.
            return (Mark(microseconds(self._wall())),)
        self._read = (state, marks) if is_settled else None
        return marks

    def _found(self, path: Path) -> Iterable[Mark]:
        with os.scandir(path) as items:
            for item in items:
                mark = Mark.read(item.name, _content(item.path))
                if mark is not None:
                    yield mark

    def _clear(self, path: Path, newest: Mark) -> None:
        with suppress(OSError), os.scandir(path) as items:
            for item in items:
                if self._is_replaced(item.name, newest):
                    os.unlink(item.path)  # noqa: PTH108 # there may be many

    def _is_replaced(self, name: str, newest: Mark) -> bool:
        """Whether a mark has outlived what it ends, or ends nothing that a newer one does not."""
        found = re.fullmatch(_NAME, name)
        if found is None or name == newest.name:
            return False
        at = int(found[1])
        return at + _KEPT_MICROSECONDS < self._wall() * 1e6 or (at < newest.at and name[20:] == newest.name[20:])


def microseconds(moment: Moment, *, up: bool = False) -> int:
    """A moment in whole microseconds since the epoch.

    Args:
        moment: The moment.
        up: Whether a part of one is rounded up.
    """
    if isinstance(moment, datetime):
        return (moment - _EPOCH) // timedelta(microseconds=1)
    return max(math.ceil(moment * 1e6) if up else math.floor(moment * 1e6), 0)


def role_of(arn: str | None) -> str | None:
    """What the ARN of a role and those of its sessions have in common; None: it is neither.

    A session's ARN lacks the role's path, and an account has one role of a name, whatever its path.
    """
    found = Arn.of(arn)
    if found is None:
        return None
    name = found.session_role or (found.name if found.service == "iam" and found.kind == "role" else None)
    return None if name is None else f"{found.partition}:{found.account_id}:{name}"


def _content(path: str) -> bytes:
    try:
        return read_regular_file(path, _MAX_BYTES, follow_symlinks=False)[0]
    except OSError:
        return b""
