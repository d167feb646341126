"""Holds calls back where STS throttles: one pace for each account that calls and each region of STS.

There is no limit until STS throttles a fifth of the calls. From then on there is a rate, which grows while calls
succeed, halves when a fifth are throttled again, and goes away after a minute without. Single calls that are throttled
say little: each waits before it is repeated, and that is enough.
"""

from __future__ import annotations

import threading
from collections import deque

from xsession._base import SYSTEM_CLOCK, Clock, Latch, frozen, held_here, renew_after_fork
from xsession.errors import SessionClosedError

from ._this_thread import this_thread

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


class Lane:
    """The calls of one account to one region's STS.

    Args:
        clock: The boot clock's readings are used.
        caller: The account, or what stands for it.
        region_name: The region.
    """

    def __init__(self, clock: Clock, caller: str = "", region_name: str = "") -> None:
        self._clock = clock
        self.ends = ("caller", caller), ("region", region_name)
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

    @property
    def held_here(self) -> bool:
        """Whether this thread is in the middle of it."""
        return held_here(self._lock)

    def delay(self) -> float:
        """Seconds until the next call may be sent, as far as can be said; 0: it may be now."""
        with self._lock:
            now, pace = self._clock.boot(), self._pace
            if pace is None or pace.over(now):
                return 0.0
            # Those in line hold a thread already.
            return max(0.0, min(self._next - now, 1 / pace.rate)) + len(self._line) / pace.rate

    def take_place(self) -> bool:
        """Takes the next place, if there is one now; false where calls need none, too."""
        with self._lock:
            now, pace = self._clock.boot(), self._pace
            if pace is None or pace.over(now) or self._line or now < self._next:
                return False
            self._next = now + 1 / pace.rate
            return True

    def enter(self) -> float:
        """Waits until one more call may be sent; returns the boot clock's reading then.

        Raises:
            SessionClosedError: Nobody wants its answer any more.
        """
        has_place, this_thread.place = this_thread.place is self, None
        unwanted = this_thread.given_up[-1] if this_thread.given_up else Latch()
        if self.busy and not has_place:
            self._stand_in_line(unwanted)
        if unwanted.is_set():
            raise SessionClosedError.closed()
        return self._note()

    def throttled(self, sent: float) -> None:
        """Records that STS throttled a call that was sent then."""
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
        """Records that STS answered a call."""
        with self._lock:
            self._share -= _WEIGHT_OF_LAST * self._share
            if self._pace is not None:
                now = self._clock.boot()
                self._pace = None if self._pace.over(now) else self._pace.grown(now)

    def after_fork(self) -> None:
        """Gives a forked child locks that no thread holds."""
        self._renew()

    def _renew(self) -> None:
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        self._line: deque[object] = deque()

    def _stand_in_line(self, unwanted: Latch) -> None:
        # The first one waits for the next place, the others until they may be first: so they stay in order, and a pace
        # that changes meanwhile changes the places of all.
        ticket = object()
        self._line.append(ticket)
        try:
            with this_thread.throttled.counting(self._clock):
                while (delay := self._delay(ticket)) > 0:
                    if self._clock.wait(unwanted, delay):
                        return
        finally:
            self._line.remove(ticket)

    def _delay(self, ticket: object) -> float:
        with self._lock:
            now, pace = self._clock.boot(), self._pace
            if pace is None or pace.over(now):
                return 0.0
            before = self._line.index(ticket)
            if before:
                # Half of the time that it would take, since the pace may grow.
                return max(1.0, before / 2) / pace.rate
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
        # No lock: this is asked where a signal handler may come in, and each step is atomic.
        key = (caller, region_name)
        lane = self._lanes.get(key)
        if lane is None:
            lane = self._lanes.setdefault(key, Lane(self._clock, caller, region_name))
            if len(self._lanes) > _MAX_LANES:
                # Those that hold nothing back know nothing that is worth keeping.
                for other, known in list(self._lanes.items()):
                    if not known.busy and known is not lane:
                        self._lanes.pop(other, None)
        return lane

    def after_fork(self) -> None:
        """Starts a forked child with nothing held back."""
        self._start_empty()

    def _start_empty(self) -> None:
        self._lanes: dict[tuple[str, str], Lane] = {}


SHARED_LANES = Lanes()
"""Those of the whole process: STS counts the calls of all sessions together."""
