"""The two clocks that decide about credentials, as an argument."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Protocol


class Waitable(Protocol):
    """Something that another thread sets."""

    def wait(self, timeout: float, /) -> bool:
        """Waits up to `timeout` seconds; returns whether it was set."""


class Clock(Protocol):
    """Time as the refresh sees it. Both readings are seconds."""

    @property
    def boot(self) -> Callable[[], float]:
        """Reads a clock that never steps and goes on while the machine is suspended."""

    @property
    def wall(self) -> Callable[[], float]:
        """Reads the wall clock, seconds since the epoch; it may step."""

    @property
    def wait(self) -> Callable[[Waitable, float], bool]:
        """Waits for an event, up to `timeout` seconds; returns whether it was set."""


class SystemClock:
    """The clocks of this machine.

    The readings are C functions kept as attributes: they are called at each signing, where a Python
    frame each would double the cost.
    """

    __slots__ = ("boot", "wait", "wall")

    def __init__(self) -> None:
        # A plain monotonic clock stops in suspend on Linux, and dead credentials would look alive.
        boottime: int | None = getattr(time, "CLOCK_BOOTTIME", None)
        self.boot: Callable[[], float] = time.monotonic if boottime is None else partial(time.clock_gettime, boottime)
        self.wall: Callable[[], float] = time.time
        self.wait: Callable[[Waitable, float], bool] = _wait


def _wait(event: Waitable, seconds: float) -> bool:
    return event.wait(seconds)


SYSTEM_CLOCK: Clock = SystemClock()
