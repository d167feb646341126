"""A cell with an STS of its own that does what a test tells it, for the tests of cells and of all that holds them."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from typing import Any

from xsession._base._clock import Clock, Waitable
from xsession.credentials import Credentials
from xsession.errors import AssumeRoleError, XSessionError
from xsession.refresh import RefreshPolicy
from xsession.refresh._cell import Cell
from xsession.refresh._failure import Label
from xsession.refresh._lanes import Lane
from xsession.refresh._reader import Reader
from xsession.refresh._snapshot import Deadline, Issued, Snapshot
from xsession.refresh._workers import Workers
from xsession.testing import EventCapture, FakeClock

ROLE = "arn:aws:iam::222222222222:role/R"


def until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    """Waits for other threads."""
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.001)


def read(cell: Cell[Any]) -> Snapshot[Any]:
    """What a reader of a cell gets."""
    return Reader(cell).read()


def read_nested(cell: Cell[Any]) -> Snapshot[Any]:
    """What the refresh of the next hop gets."""
    return Reader(cell, nested=True).read()


def attempted(call: Callable[[], object]) -> object:
    """What it returned or raised."""
    try:
        return call()
    except XSessionError as error:
        return error


def refusal(code: str = "InternalFailure", *, retryable: bool = True) -> AssumeRoleError:
    """What STS says when it gives nothing."""
    return AssumeRoleError(f"{code}: no", role_arn=ROLE, hop=1, code=code, retryable=retryable)


class ScriptedFetch:
    """Gives credentials of `lifetime` seconds; while `error` is set it raises that, while `gate` is closed it hangs."""

    def __init__(self, clock: Clock, lifetime: float = 3_600.0) -> None:
        self.clock = clock
        self.lifetime = lifetime
        self.error: XSessionError | None = None
        self.raises: BaseException | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.calls: list[float] = []
        self.mfa_codes: list[str | None] = []
        self.forgotten: list[str | None] = []
        self._numbers = itertools.count(1)
        self.before: Callable[[], object] = lambda: None
        self.awaits_source = False
        self.lane: Lane | None = None
        self.hop_before: Cell[Any] | None = None
        self.may_be_kept = self.is_kept = False

    def __call__(self, _background: bool, _try_limit: float = 5.0, mfa_code: str | None = None, /) -> Issued:
        """One call of STS."""
        self.mfa_codes.append(mfa_code)
        sent_boot, sent_wall = self.clock.boot(), self.clock.wall()
        self.calls.append(sent_boot)
        number, lifetime = next(self._numbers), self.lifetime
        # Only where it is closed: to wait takes the event's lock, which a fork may copy while another thread has it.
        if not self.gate.is_set():
            self.gate.wait()
        self.before()
        if self.raises is not None:
            raise self.raises
        if self.error is not None:
            raise self.error.for_caller()
        return Issued(self.issued(number, sent_wall, lifetime), sent_boot)

    def issued(self, number: int, at: float, lifetime: float | None) -> Credentials:
        """The credentials of one answer; all three parts carry its number."""
        return Credentials(
            access_key_id=f"ASIA{number}",
            secret_access_key=f"secret{number}",
            session_token=f"token{number}",
            expiry=datetime.fromtimestamp(at + (lifetime or 0.0), UTC),
            issued_at=datetime.fromtimestamp(at, UTC),
            lifetime=lifetime,
        )

    def forget(self, access_key_id: str | None, /) -> None:
        """Records it."""
        self.forgotten.append(access_key_id)


class ThrottledFetch:
    """Asks an STS that allows so many calls a second, by a lane that several cells share.

    Args:
        fetch: Gives the credentials, where STS allows it.
        lane: Where it waits.
        allows: Whether STS allows one more call.
        in_thread: Whether it waits in its thread, as the tries do that botocore repeats, and not before it has one.
    """

    def __init__(
        self, fetch: ScriptedFetch, lane: Lane, allows: Callable[[], bool], *, in_thread: bool = False
    ) -> None:
        self._fetch = fetch
        self._lane = lane
        self.lane = None if in_thread else lane
        self.hop_before = None
        self.may_be_kept = self.is_kept = False
        self._allows = allows

    @property
    def awaits_source(self) -> bool:
        """Whether the source is waited for."""
        return False

    def __call__(self, background: bool, _try_limit: float, _mfa_code: str | None, /) -> Issued:
        """One call of STS."""
        sent = self._lane.enter()
        if not self._allows():
            self._lane.throttled(sent)
            error = refusal("Throttling")
            raise error
        self._lane.answered()
        return self._fetch(background)

    def forget(self, access_key_id: str | None, /) -> None:
        """Keeps nothing."""


class Allowing:
    """An STS that allows so many calls a second.

    Args:
        clock: Its clock.
        rate: How many.
    """

    def __init__(self, clock: FakeClock, rate: int) -> None:
        self._clock = clock
        self._rate = rate
        self._lock = threading.Lock()
        self._window: deque[float] = deque()
        self.calls = 0

    def __call__(self) -> bool:
        """Whether one more call is answered; it counts in any case."""
        with self._lock:
            now = self._clock.boot()
            self.calls += 1
            while self._window and self._window[0] <= now - 1.0:
                self._window.popleft()
            if len(self._window) >= self._rate:
                return False
            self._window.append(now)
            return True


class ImpatientClock(FakeClock):
    """Jumps to the end of a reader's wait instead of waiting."""

    def wait(self, event: Waitable, timeout: float) -> bool:
        """Waits for a moment of real time, since threads that set the event are real; then the clock jumps."""
        if event.wait(0.02):
            return True
        self.advance(max(0.0, timeout))
        return event.wait(0.0)


class TimersClock:
    """The same time for a timer, which really waits.

    Args:
        clock: Whose time it is.
    """

    def __init__(self, clock: FakeClock) -> None:
        self.boot = clock.boot
        self.wall = clock.wall
        self.wait = partial(FakeClock.wait, clock)


class Bench:
    """A cell, its clock, its STS and its events."""

    def __init__(self, lifetime: float = 3_600.0, *, draw: float = 1.0, auto: bool = False, **policy: Any) -> None:
        self.clock = ImpatientClock() if auto else FakeClock()
        self.fetch = ScriptedFetch(self.clock, lifetime)
        self.events = EventCapture()
        self.workers = Workers(TimersClock(self.clock))
        self.cell = self.new_cell(draw=draw, **policy)

    def new_cell(
        self,
        fetch: Any = None,
        *,
        draw: float = 1.0,
        hop: int = 1,
        deadline: Deadline | None = None,
        clock: Clock | None = None,
        **policy: Any,
    ) -> Cell[Credentials]:
        """One more cell beside the first."""
        return Cell(
            Label("vegeta", ROLE, hop),
            self.fetch if fetch is None else fetch,
            lambda credentials: credentials,
            policy=RefreshPolicy(**policy),
            workers=self.workers,
            emit=self.events,
            clock=self.clock if clock is None else clock,
            draw=lambda: draw,
            deadline=deadline,
        )

    def read(self) -> Snapshot[Credentials]:
        """What a reader gets now."""
        return Reader(self.cell).read()

    def key(self) -> str:
        """The key id that a reader gets now."""
        return self.read().credentials.access_key_id

    @property
    def calls(self) -> int:
        """How often STS was asked."""
        return len(self.fetch.calls)

    def settle(self) -> None:
        """Waits until no refresh is under way and what is due has run."""
        until(lambda: self.cell._flight is None or self.cell._flight.started is not None)
        until(lambda: self.cell._flight is None)

    def to_remaining(self, seconds: float) -> None:
        """Lets time pass until so many seconds are left of what is held."""
        self.clock.advance(self.cell.snapshot.expires_boot - self.clock.boot() - seconds)

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """STS does not answer within the block."""
        self.fetch.gate.clear()
        try:
            yield
        finally:
            self.fetch.gate.set()


def advisory(bench: Bench, remaining: float = 800.0) -> None:
    """Reads once, and lets time pass into the advisory window; the timer stays out of it."""
    bench.read()
    bench.workers.forget({bench.cell})
    bench.to_remaining(remaining)


@contextmanager
def hanging_refresh(bench: Bench) -> Iterator[None]:
    """A refresh of the advisory window is under way, and STS does not answer within the block."""
    advisory(bench)
    with bench.hanging():
        bench.key()
        until(lambda: bench.calls == 2)
        yield


def in_threads(count: int, func: Callable[[], object]) -> list[object]:
    """Calls `func` in so many threads at once; gives what each returned or raised."""
    barrier = threading.Barrier(count)
    results: list[object] = [None] * count

    def run(number: int) -> None:
        barrier.wait()
        try:
            results[number] = func()
        except Exception as error:  # noqa: BLE001 # the caller looks at it
            results[number] = error

    threads = [threading.Thread(target=run, args=(number,), daemon=True) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results
