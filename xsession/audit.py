"""The audit log: each event as one line of JSON in a file of its own.

The file is opened again for each line, so there is nothing to reopen when it is rotated and nothing that a fork shares.
https://pubs.opengroup.org/onlinepubs/9799919799/functions/write.html says what O_APPEND promises: each line is
appended by one write, which a local disk does not mix with another process's.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, NoReturn

from ._base import FrozenMap, frozen, open_own_file
from .errors import AuditLogError
from .escape import for_json, for_terminal
from .events import Event

__all__ = ["MAX_LINE_BYTES", "MAX_TEXT_CHARACTERS", "SCHEMA_VERSION", "AuditLog", "AuditRecord"]

SCHEMA_VERSION = 1
"""The version of the lines' form; it changes when a field changes its meaning, not when one is added."""

MAX_TEXT_CHARACTERS = 16_384
"""Longer strings are cut, and end in "..." then."""

MAX_LINE_BYTES = 1_048_576
"""Longer lines are neither written nor read."""

_LOOKS = 4
_BETWEEN_LOOKS = 0.001

logger = logging.getLogger("xsession")


@frozen
class AuditRecord:
    """One line of an audit log.

    Other programs may have written it: `fields` may lack anything and hold any JSON value.

    Args:
        version: The version of its form.
        event: The event's name, such as "RefreshSucceeded".
        at: When it happened, in UTC; None: the line does not say.
        fields: The event's further fields.
    """

    version: int
    event: str
    at: datetime | None
    fields: Mapping[str, Any]


class AuditLog:
    """A hook that writes each event as one line of JSON; pass it in `hooks=`.

    Safe for many threads and processes on a local disk, and across forks. The file has mode 0600: a wider one is
    narrowed. A symbolic link, a file that has another name as well (a hard link), a file of another user and whatever
    is no regular file are refused. No folder is made.

    Args:
        path: The file; made if it is missing.

    Raises:
        AuditLogError: It can't be written to.
    """

    __slots__ = ("path",)

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path: str = os.fspath(path)
        os.close(self._open())

    def __call__(self, event: Event, /) -> None:
        """Writes one event, and leaves it to the operating system when it reaches the disk.

        Raises:
            AuditLogError: It could not be written; a session logs that, and goes on.
        """
        self._append(event, sync=False)

    def write(self, event: Event) -> None:
        """Writes one event and waits until it is on the disk: for what must not happen unless it is written down.

        Raises:
            AuditLogError: It could not be written, or only a part of it.
        """
        self._append(event, sync=True)

    def __iter__(self) -> Iterator[AuditRecord]:
        return self.read(self.path)

    @staticmethod
    def read(path: str | os.PathLike[str]) -> Iterator[AuditRecord]:
        """The records of a file, in the order in which they were written.

        A line that is none, such as the torn last line of a machine that lost its power, is skipped with a warning in
        the log. Events that are not known here are given back like all others.

        Args:
            path: The file, or one that it was rotated to.

        Raises:
            AuditLogError: It can't be read.
        """
        try:
            with open(path, "rb") as file:  # noqa: PTH123 # takes what os.fspath takes
                for number, line in enumerate(_lines(file), 1):
                    record = _record(line)
                    if record is not None:
                        yield record
                    elif line.strip():
                        logger.warning("line %d of the audit log %s is no record", number, _shown(path))
        except OSError as error:
            _refuse(path, f"can't be read: {error.strerror}", cause=error)

    def __repr__(self) -> str:
        return f"AuditLog({self.path!r})"

    def _append(self, event: Event, *, sync: bool) -> None:
        line = to_line(event)
        file = self._open()
        try:
            # What a full disk or a crash left of a line must not swallow this one.
            data = b"\n" + line if _is_torn(file) else line
            written = os.write(file, data)
            if written < len(data):
                _refuse(self.path, f"took {written} of {len(data)} bytes", hint="check whether the disk is full")
            if sync:
                os.fsync(file)
        except OSError as error:
            _refuse(self.path, f"can't be written to: {error.strerror}", cause=error)
        finally:
            os.close(file)

    def _open(self) -> int:
        return open_own_file(self.path, functools.partial(_refuse, self.path))


def to_line(event: Event) -> bytes:
    """The line of an event: what the schema's page describes, with the newline.

    Fields with `repr=False` are left out: that is how values mark their secrets.

    Raises:
        AuditLogError: The event holds something that the log has no form for.
    """
    document = {"version": SCHEMA_VERSION, "event": type(event).__name__, **_values(event)}
    line = f"{for_json(document)}\n".encode("ascii")
    if len(line) > MAX_LINE_BYTES:
        msg = f"the audit log has no room for a line of {len(line)} bytes: {MAX_LINE_BYTES} at most"
        raise AuditLogError(msg)
    return line


def _values(value: Any) -> dict[str, Any]:
    return {item.name: _plain(item.name, getattr(value, item.name)) for item in fields(value) if item.repr}


def _plain(name: str, value: Any) -> Any:
    if isinstance(value, Enum):
        return _plain(name, value.value)
    if isinstance(value, Mapping):
        return {str(key): _plain(name, item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(name, item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return _values(value)
    return _scalar(name, value)


def _scalar(name: str, value: object) -> object:
    if isinstance(value, str):
        return value if len(value) <= MAX_TEXT_CHARACTERS else f"{value[: MAX_TEXT_CHARACTERS - 3]}..."
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return value.total_seconds()
    kind = "a datetime without a time zone" if isinstance(value, datetime) else type(value).__name__
    msg = f"the audit log has no form for the field {name}, {kind}"
    raise AuditLogError(msg)


def _is_torn(file: int) -> bool:
    # Another process's line that is just being written looks torn too, for less than this.
    for _ in range(_LOOKS):
        size = os.fstat(file).st_size
        if not size:
            return False
        os.lseek(file, size - 1, os.SEEK_SET)  # O_APPEND writes at the end all the same
        if os.read(file, 1) == b"\n":
            return False
        time.sleep(_BETWEEN_LOOKS)
    return True


def _lines(file: Any) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE_BYTES):
        whole = line
        while not line.endswith(b"\n") and (line := file.readline(MAX_LINE_BYTES)):
            whole = b"too long"
        yield whole


def _record(line: bytes) -> AuditRecord | None:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(document, dict):
        return None
    version, event = document.pop("version", None), document.pop("event", None)
    if type(version) is not int or not isinstance(event, str):
        return None
    return AuditRecord(version, event, _moment(document.pop("at", None)), FrozenMap(document))


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return None if moment is None or moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _shown(path: str | os.PathLike[str]) -> str:
    return for_terminal(os.fspath(path))


def _refuse(
    path: str | os.PathLike[str], problem: str, *, cause: OSError | None = None, hint: str | None = None
) -> NoReturn:
    msg = f"the audit log {_shown(path)} {problem}"
    raise AuditLogError(msg, hint=hint) from cause
