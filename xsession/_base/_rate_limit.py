"""No more requests than a service allows: callers wait for their turn."""

from __future__ import annotations

import threading

from ._clock import Clock


class RateLimit:
    """Lets one caller after the other through, each some time after the one before.

    Args:
        clock: Tells the time, and waits.
        seconds: Between two.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.RLock()
        self._next = clock.boot()

    def wait(self, extra: float = 0.0) -> None:
        """Returns when it is the caller's turn, and `extra` seconds later."""
        with self._lock:
            now = self._clock.boot()
            turn = max(now, self._next) + extra
            self._next = turn + self._seconds
        if turn > now:
            self._clock.wait(threading.Event(), turn - now)
