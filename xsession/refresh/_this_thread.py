"""What one thread is at: whether it is a worker, what it works on, and how long it was held back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xsession._base import Clock, Latch

if TYPE_CHECKING:
    from ._lanes import Lane


class ThrottledTime:
    """How long the work of one thread was held back here; other threads may ask."""

    __slots__ = ("_state",)

    def __init__(self) -> None:
        # Seconds so far, and since when it is held now: one reference, so that nobody sees halves.
        self._state: tuple[float, float | None] = (0.0, None)

    def seconds(self, now: float) -> float:
        """All seconds so far, those of a wait that goes on included."""
        so_far, since = self._state
        return so_far if since is None else so_far + now - since

    @contextmanager
    def counting(self, clock: Clock) -> Iterator[None]:
        """Counts the block."""
        self._state = (self._state[0], clock.boot())
        try:
            yield
        finally:
            self._state = (self.seconds(clock.boot()), None)


class _ThisThread(threading.local):
    """What one thread is at."""

    def __init__(self) -> None:
        self.throttled = ThrottledTime()
        self.works = False
        """Whether it runs what was submitted: then it may not wait for work that still needs a thread."""
        self.submits = False
        """Whether it is handing work over: a signal handler that comes in may not wait for that work."""
        self.place: Lane | None = None
        """Where a call of it has its place already."""
        self.given_up: list[Latch] = []
        """Set when nobody wants what it works on any more, the innermost work last."""


this_thread = _ThisThread()


def is_given_up() -> bool:
    """Whether nobody wants what this thread works on any more."""
    return bool(this_thread.given_up) and this_thread.given_up[-1].is_set()


@contextmanager
def given_up_with(latch: Latch) -> Iterator[None]:
    """The work of the block is given up as soon as the latch is set: waiting for a place in a lane ends then."""
    this_thread.given_up.append(latch)
    try:
        yield
    finally:
        this_thread.given_up.pop()
