"""Holds calls back where STS throttles: one pace for each account that calls and each region of STS.

There is no limit until STS throttles a fifth of the calls. From then on there is a rate, which grows while calls
succeed, halves when a fifth are throttled again, and goes away after a minute without. Single calls that are throttled
say little: each waits before it is repeated, and that is enough.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from cachetools import LRUCache

from xsession._base import SYSTEM_CLOCK, Clock, frozen, renew_after_fork

FIRST_RATE_AT_LEAST = 5.0
RATE_AT_LEAST = 1.0
GROWTH_PER_SECOND = 1.1
CALM_SECONDS = 60.0
TOLERATED_SHARE = 0.2
_WEIGHT_OF_LAST = 0.1
_MAX_LANES = 1_024


@frozen
class LaneRate:
    """How fast one account may call.

    Args:
        rate: Calls a second.
        slowed_at: When it was slowed down last, in seconds of the boot clock.
        grown_at: Until when the rate has grown.
    """

    rate: float
    slowed_at: float
    grown_at: float

    def over(self, now: float) -> bool:
        """Whether all has gone well for so long that nothing needs to be held back any more."""
        return now - self.slowed_at >= CALM_SECONDS

    def grown(self, now: float) -> LaneRate:
        """The pace after one more call that succeeded; a silence of many seconds counts as one."""
        seconds = min(max(0.0, now - self.grown_at), 1.0)
        return LaneRate(self.rate * GROWTH_PER_SECOND**seconds, self.slowed_at, now)


def slowed(pace: LaneRate | None, *, now: float, recent: int) -> LaneRate:
    """The pace after too many calls were throttled.

    Args:
        pace: The one so far; None: nothing was held back.
        now: The boot clock's reading, in seconds.
        recent: How many calls were sent within the last second.
    """
    rate = max(FIRST_RATE_AT_LEAST, recent / 2) if pace is None else max(RATE_AT_LEAST, pace.rate / 2)
    return LaneRate(rate, now, now)


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


_threads = threading.local()


def throttled_time_here() -> ThrottledTime:
    """This thread's."""
    held: ThrottledTime | None = getattr(_threads, "held", None)
    if held is None:
        held = _threads.held = ThrottledTime()
    return held


class Lane:
    """The calls of one account to one region's STS.

    Args:
        clock: The boot clock's readings are used.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pace: LaneRate | None = None
        self._share = 0.0
        self._next = 0.0
        self._sent: deque[float] = deque()
        self._renew()
        renew_after_fork(self)

    @property
    def busy(self) -> bool:
        """Whether calls are held back."""
        pace = self._pace
        return pace is not None and not pace.over(self._clock.boot())

    def enter(self) -> float:
        """Waits until one more call may be sent; returns the boot clock's reading then."""
        if self.busy:
            # One waits for the next place, the others for its turn: so they stay in order, and a pace that changes
            # meanwhile changes the places of all.
            with throttled_time_here().counting(self._clock), self._turn:
                while (delay := self._delay()) > 0:
                    self._clock.wait(self._never, delay)
        return self._note()

    def throttled(self, sent: float) -> None:
        """Takes note that STS throttled a call that was sent then."""
        with self._lock:
            pace = self._pace
            if pace is not None and sent < pace.slowed_at:
                # It is about the pace before this one.
                return
            now = self._clock.boot()
            self._share += _WEIGHT_OF_LAST * (1.0 - self._share)
            if self._share >= TOLERATED_SHARE:
                self._share = 0.0
                self._pace = slowed(None if pace is None or pace.over(now) else pace, now=now, recent=self._recent(now))

    def answered(self) -> None:
        """Takes note that STS answered a call."""
        with self._lock:
            self._share -= _WEIGHT_OF_LAST * self._share
            if self._pace is not None:
                now = self._clock.boot()
                self._pace = None if self._pace.over(now) else self._pace.grown(now)

    def after_fork(self) -> None:
        """Gives a forked child locks that nobody holds."""
        self._renew()

    def _renew(self) -> None:
        self._lock = threading.Lock()
        self._turn = threading.Lock()
        self._never = threading.Event()

    def _delay(self) -> float:
        with self._lock:
            now = self._clock.boot()
            pace = self._pace
            if pace is None or pace.over(now):
                return 0.0
            if now >= self._next:
                self._next = now + 1 / pace.rate
                return 0.0
            # At a rate that has grown since, the place has come nearer.
            self._next = min(self._next, now + 1 / pace.rate)
            return self._next - now

    def _note(self) -> float:
        with self._lock:
            now = self._clock.boot()
            self._recent(now)
            self._sent.append(now)
            return now

    def _recent(self, now: float) -> int:
        while self._sent and self._sent[0] <= now - 1.0:
            self._sent.popleft()
        return len(self._sent)


class Lanes:
    """The lanes of all accounts and regions.

    Args:
        clock: Handed to each lane.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._start_empty()
        renew_after_fork(self)

    def lane(self, caller: str, region_name: str) -> Lane:
        """The one for calls of an account to a region's STS.

        Args:
            caller: The id of the account whose credentials sign, or what stands for it where it is not known.
            region_name: The region.
        """
        with self._lock:
            key = (caller, region_name)
            lane = self._lanes.get(key)
            if lane is None:
                lane = self._lanes[key] = Lane(self._clock)
            return lane

    def after_fork(self) -> None:
        """Starts a forked child with nothing held back."""
        self._start_empty()

    def _start_empty(self) -> None:
        self._lock = threading.Lock()
        self._lanes: LRUCache[tuple[str, str], Lane] = LRUCache(_MAX_LANES)


SHARED_LANES = Lanes()
"""Those of the whole process: STS counts the calls of all sessions together."""
