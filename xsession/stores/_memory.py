"""Stores that last as long as the process at most."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from cachetools import TLRUCache

from xsession._base import is_held, public, renew_after_fork
from xsession.credentials import Credentials


@public
class MemoryStore:
    """Keeps credentials in this process's memory.

    Args:
        maxsize: How many to keep; the least recently used go first.
        wall: Reads the wall clock, seconds since the epoch.
    """

    def __init__(self, maxsize: int = 4_096, *, wall: Callable[[], float] = time.time) -> None:
        self._lock = threading.RLock()
        self._new_cache = partial(TLRUCache[str, Credentials], maxsize, _end, timer=wall)
        self._items = self._new_cache()
        renew_after_fork(self)

    def get(self, key: str) -> Credentials | None:
        """What is kept under the key and has not ended yet."""
        with self._lock:
            return self._items.get(key)

    def put(self, key: str, credentials: Credentials) -> None:
        """Keeps credentials until they end."""
        with self._lock:
            self._items[key] = credentials

    def delete(self, key: str, access_key_id: str | None = None) -> None:
        """Forgets the key; with `access_key_id`, only if those are the credentials kept."""
        with self._lock:
            kept = self._items.get(key)
            if kept is not None and access_key_id in (None, kept.access_key_id):
                del self._items[key]

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        if is_held(self._lock):
            # A thread of the parent was changing the cache: half of that change may be here.
            self._items = self._new_cache()
        self._lock = threading.RLock()


class NoStore:
    """Keeps nothing: for credentials that no other caller should ever find."""

    def get(self, _key: str) -> None:
        """Never finds anything."""

    def put(self, _key: str, _credentials: Credentials) -> None:
        """Forgets them at once."""

    def delete(self, _key: str, _access_key_id: str | None = None) -> None:
        """Has nothing to forget."""


def _end(_key: str, credentials: Credentials, _now: float) -> float:
    ends = credentials.local_expiry
    return float("inf") if ends is None else ends.timestamp()
