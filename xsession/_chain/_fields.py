"""Key, secret and token read one after the other, as code does that signs by itself: all of one moment."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

_ALL = 3
_READING_SECONDS = 1.0


class FieldReads(threading.local):
    """What this thread reads of an account's credentials, field by field.

    A field that was read already begins another reading, but where it is asked for and then used, as botocore's signers
    do with the token between key and secret. Credentials that are refreshed between two fields would make a wrong
    signature otherwise.
    """

    def __init__(self) -> None:
        self._taken: ReadOnlyCredentials | None = None
        self._read: list[str] = []
        self._ends = 0.0

    def field(self, name: str, current: ReadOnlyCredentials, now: float) -> Any:
        """A field of the reading that it belongs to.

        Args:
            name: The field.
            current: The credentials of now.
            now: The monotonic clock, in seconds: a reading lasts for one at most.
        """
        begins = name in self._read and (name != self._read[-1] or len(self._read) != _ALL - 1)
        if self._taken is None or begins or now >= self._ends:
            self._taken, self._read, self._ends = current, [], now + _READING_SECONDS
        if name not in self._read:
            self._read.append(name)
        return getattr(self._taken, name)


def field(name: str) -> Any:
    """A property of a credentials object: a field of what `get_frozen_credentials` returns."""

    def read(credentials: Any) -> Any:
        # Made by the first read: most credentials are never read so.
        own = credentials.__dict__
        reads: FieldReads = own.get("_reads") or own.setdefault("_reads", FieldReads())
        return reads.field(name, credentials.get_frozen_credentials(), time.monotonic())

    return property(read)
