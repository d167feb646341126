"""So many requests a second, each kind apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable

from cachetools import LRUCache

from xsession._base import renew_after_fork

_MOST_KINDS = 65_536


class Rate:
    """When the next request of a kind may be sent: at even distances.

    Args:
        per_second: How many a second.
        clock: Seconds of a clock that goes on evenly.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._distance = 1 / per_second
        self._clock = clock
        self._free: LRUCache[Hashable, float] = LRUCache(_MOST_KINDS)
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        self._lock = threading.RLock()

    def wait(self, kind: Hashable) -> float:
        """Takes the next turn of a kind; returns the seconds until it comes."""
        with self._lock:
            now = self._clock()
            at = max(now, self._free.get(kind, 0.0))
            self._free[kind] = at + self._distance
        return at - now
