"""A clock that a test turns."""

from __future__ import annotations

import threading
import time

from xsession._base import Waitable, public, renew_after_fork


@public
class FakeClock:
    """Both clocks of a session, moved by hand; pass it in `clock=`.

    Args:
        wall: The wall clock's first reading, in seconds since 1970; None: now.
    """

    def __init__(self, wall: float | None = None) -> None:
        self._boot = 1_000.0
        self._wall = time.time() // 1 if wall is None else wall
        self._moved = threading.Condition()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Makes the lock again, which a thread of the parent may hold."""
        self._moved = threading.Condition()

    def boot(self) -> float:
        """Seconds that never step."""
        return self._boot

    def wall(self) -> float:
        """Seconds since 1970."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Lets time pass, on both clocks."""
        with self._moved:
            self._boot += seconds
            self._wall += seconds
            self._moved.notify_all()

    def step_wall(self, seconds: float) -> None:
        """Sets the wall clock forward or back, as an administrator or NTP does."""
        with self._moved:
            self._wall += seconds
            self._moved.notify_all()

    def wait(self, event: Waitable, timeout: float) -> bool:
        """Waits for an event, at most `timeout` seconds of this clock; returns whether it was set."""
        ends = self._boot + timeout
        while self._boot < ends:
            if event.wait(0.002):
                return True
        return event.wait(0.0)
