"""One hop's credentials, kept fresh: many readers, one refresh at a time.

Readers take one reference and need no lock while the credentials are fresh. Everything else is decided under the
cell's lock, in a few steps without I/O; refreshes run in worker threads, so that no reader can break one off.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar

from . import events
from ._clock import SYSTEM_CLOCK, Clock
from ._fork import renew_after_fork
from ._snapshot import NEVER, Issued, Snapshot, armed, nothing
from ._workers import Workers
from .credentials import Credentials
from .errors import CredentialsError, CredentialsTimeoutError, SessionClosedError, XSessionError
from .refresh import RefreshPolicy, RefreshState

T = TypeVar("T")

_RETRY_SHARE = 2 / 3
_ASSUMED_LIFETIME = 3_600.0
_STEP_SECONDS = 5.0
# Of the system: seeded by nobody, and different in every forked child.
random_draw = random.SystemRandom().random
_THROTTLING = ("Throttling", "TooManyRequests", "RequestLimitExceeded", "SlowDown")


@dataclass(frozen=True, slots=True)
class Failure:
    """The failed tries since the last success.

    Args:
        error: The last one's error.
        count: How many there were.
        next_try: The boot clock's reading, in seconds, before which STS is not asked again.
    """

    error: XSessionError
    count: int
    next_try: float


@dataclass(frozen=True, slots=True)
class Label:
    """What events and errors call the cell.

    Args:
        account: The account; None for a hop that several accounts may share.
        role_arn: The role.
        hop: Its place in the chain, counted from 1.
    """

    account: str | None
    role_arn: str
    hop: int


class Fetch(Protocol):
    """Gets new credentials for one hop."""

    def __call__(self, background: bool, /) -> Issued:
        """Asks for them; `background` where no caller waits. Raises `XSessionError`."""

    def forget(self, access_key_id: str | None, /) -> None:
        """Forgets what is kept elsewhere; with a key id, only if that is what is kept."""


class Flight:
    """One refresh under way. Whoever claims it runs it; everybody else waits for `done`."""

    __slots__ = ("_claim", "_run", "background", "done", "error", "overdue", "started", "voided")

    def __init__(self, run: Callable[[Flight], None], *, background: bool) -> None:
        self._run = run
        self._claim = threading.Lock()
        self.background = background
        self.done = threading.Event()
        self.error: XSessionError | None = None
        self.started: float | None = None
        self.overdue = False
        self.voided = False

    def run(self) -> None:
        """Runs it, unless somebody else does."""
        if self._claim.acquire(blocking=False):
            try:
                self._run(self)
            finally:
                self.done.set()


class Cell(Generic[T]):
    """Keeps the credentials of one hop of one chain.

    Args:
        label: What events and errors call it.
        fetch: Asks for new credentials, in a worker thread.
        render: Makes of the credentials what requests are signed with; once for each refresh.
        policy: When to refresh.
        workers: Where refreshes run.
        emit: Takes events.
        clock: Both clocks.
        draw: A random number from 0 to 1.
    """

    def __init__(
        self,
        label: Label,
        fetch: Fetch,
        render: Callable[[Credentials], T],
        *,
        policy: RefreshPolicy,
        workers: Workers,
        emit: events.Hook,
        clock: Clock = SYSTEM_CLOCK,
        draw: Callable[[], float] = random_draw,
    ) -> None:
        self.label = label
        self.clock = clock
        self.policy = policy
        self._fetch = fetch
        self._render = render
        self._workers = workers
        self._emit = emit
        self._draw = draw
        self.snapshot: Snapshot[T] = nothing()
        self.failure: Failure | None = None
        self._generation = 0
        self._lock = threading.Lock()
        self._flight: Flight | None = None
        self._zombie: Flight | None = None
        self._scheduled: float | None = None
        self._step = (0, 0.0)
        self._closed = False
        renew_after_fork(self)

    def read(self) -> Snapshot[T]:
        """The current credentials; refreshed first where they must be.

        Raises:
            CredentialsError: None could be had within the policy's patience; the cause is in it.
        """
        snapshot = self.snapshot
        if self.clock.boot() < snapshot.fresh_until_boot and self.clock.wall() < snapshot.fresh_until_wall:
            return snapshot
        return _Reader(self, nested=False).read()

    def read_nested(self) -> Snapshot[T]:
        """As `read`, for the refresh of the next hop: runs in this thread and leaves retries to that hop's readers."""
        return _Reader(self, nested=True).read()

    @property
    def state(self) -> RefreshState:
        """What a reader would meet now."""
        snapshot = self.snapshot
        if snapshot.generation == 0:
            return RefreshState.EMPTY
        return snapshot.windows.state(snapshot.remaining(self.clock))

    def invalidate(self, access_key_id: str | None = None, *, reason: str = "asked") -> bool:
        """Throws away what is held, what is remembered and the answer of a refresh under way.

        Args:
            access_key_id: Only if this is the key id held: a late rejection must not end newer credentials.
            reason: Why, for the event.

        Returns:
            Whether anything was thrown away.
        """
        with self._lock:
            held = self.snapshot.credentials.access_key_id or None
            if access_key_id is not None and held != access_key_id:
                return False
            self._forget()
        self._fetch.forget(access_key_id)
        self.emit(events.Invalidated, access_key_id=held, reason=reason)
        return True

    def close(self) -> None:
        """Throws away what is held; nothing is refreshed any more."""
        with self._lock:
            self._closed = True
            self._forget()

    def after_fork(self) -> None:
        """Gives a forked child its own lock, no refresh under way, and its own jitter."""
        self._lock = threading.Lock()
        self._flight = self._zombie = self._scheduled = None
        if self.snapshot.generation:
            windows = self.policy.windows(self.snapshot.lifetime, self._draw())
            # Not armed: the child's first reader schedules the child's own refresh.
            self.snapshot = replace(self.snapshot, windows=windows, fresh_until_boot=NEVER)

    def emit(self, kind: Callable[..., events.Event], **values: Any) -> None:
        """Sends an event about this hop. Never called under the lock."""
        at = datetime.fromtimestamp(self.clock.wall(), UTC)
        label = self.label
        self._emit(kind(at=at, account=label.account, role_arn=label.role_arn, hop=label.hop, **values))

    def _forget(self) -> None:
        if self._flight is not None:
            self._flight.voided = True
        if self._zombie is not None:
            self._zombie.voided = True
        self._flight = self._zombie = self.failure = None
        self.snapshot = nothing()

    def look(self) -> Look[T]:
        """One look under the lock: what is held, and the refresh to wait for, begun if it is time for one."""
        with self._lock:
            if self._closed:
                msg = "the CrossAccountSession is closed"
                raise SessionClosedError(msg, role_arn=self.label.role_arn, hop=self.label.hop, hint="make a new one")
            snapshot, now = self.snapshot, self.clock.boot()
            remaining = snapshot.remaining(self.clock)
            state = snapshot.windows.state(remaining) if snapshot.generation else RefreshState.EMPTY
            flight = self._awaited(now, remaining, state)
            began: Flight | None = None
            if state is not RefreshState.FRESH and self._flight is None and self._may_start(now):
                began = flight = self._flight = Flight(self._run, background=state is RefreshState.ADVISORY)
            arming = state is RefreshState.FRESH and not snapshot.armed
            if arming:
                snapshot = self.snapshot = armed(snapshot)
            look = Look(snapshot, state, remaining, now, flight, began, self.failure)
        if arming:
            self._schedule(snapshot.fresh_until_boot)
        if snapshot.generation:
            self._report_step(snapshot)
        return look

    def launch(self, flight: Flight) -> None:
        """Has a refresh run in a worker thread; harmless where one already runs it."""
        self._workers.submit(flight.run, urgent=not flight.background)

    def flight_left(self, flight: Flight, now: float) -> float:
        """Seconds until a refresh counts as failed; the time that it waits for a thread is not held against it."""
        return self._flight_limit() - (0.0 if flight.started is None else now - flight.started)

    def _flight_limit(self) -> float:
        return self.policy.flight_limit(self.snapshot.lifetime or _ASSUMED_LIFETIME, self.label.hop)

    def _slept_through(self, flight: Flight, now: float) -> bool:
        # A machine that was suspended or frozen in the middle of it: that says nothing about STS.
        return self.flight_left(flight, now) < -self._flight_limit()

    def _may_start(self, now: float) -> bool:
        return self.failure is None or now >= self.failure.next_try

    def _awaited(self, now: float, remaining: float, state: RefreshState) -> Flight | None:
        flight = self._flight
        if flight is None or self.flight_left(flight, now) > 0:
            return flight
        if not flight.overdue:
            flight.overdue = True
            msg = f"STS gave no answer within {self._flight_limit():.0f} s"
            error = CredentialsTimeoutError(msg, role_arn=self.label.role_arn, hop=self.label.hop, retryable=True)
            self._remember(error, now, remaining, state, flight=flight)
        # One that hangs makes room for a second, but not for a third.
        if self._zombie is None or self._zombie.done.is_set():
            self._zombie, self._flight = flight, None
        return None

    def _run(self, flight: Flight) -> None:
        began = flight.started = self.clock.boot()
        self.emit(events.RefreshStarted, background=flight.background)
        try:
            issued = self._fetch(flight.background)
            snapshot = self._rendered(issued)
        except XSessionError as error:
            self._failed(flight, error)
        except BaseException as error:
            msg = f"refreshing failed: {type(error).__name__}"
            wrapped = CredentialsError(msg, role_arn=self.label.role_arn, hop=self.label.hop, retryable=True)
            wrapped.__cause__ = error
            self._failed(flight, wrapped)
            if not isinstance(error, Exception):
                raise
        else:
            self._succeeded(flight, snapshot, began)

    def _rendered(self, issued: Issued) -> Snapshot[T]:
        credentials, lifetime = issued.credentials, issued.credentials.lifetime
        if lifetime is None or credentials.issued_at is None:
            msg = "STS's answer names no end of the credentials"
            raise CredentialsError(msg, role_arn=self.label.role_arn, hop=self.label.hop, retryable=True)
        return Snapshot(
            # Not armed yet: the first reader shows that a refresh ahead of time is worth it.
            fresh_until_boot=NEVER,
            fresh_until_wall=NEVER,
            signing=self._render(credentials),
            credentials=credentials,
            expires_boot=issued.sent_boot + lifetime,
            expires_wall=credentials.issued_at.timestamp() + lifetime,
            lifetime=lifetime,
            windows=self.policy.windows(lifetime, self._draw()),
            generation=0,
        )

    def _succeeded(self, flight: Flight, snapshot: Snapshot[T], began: float) -> None:
        with self._lock:
            if flight.voided:
                return
            held = self.snapshot
            older = snapshot.expires_boot < held.expires_boot
            stale = older and held.remaining(self.clock) > held.windows.hard
            if not stale:
                self._generation += 1
                self.snapshot = replace(snapshot, generation=self._generation)
                self.failure = None
            if self._flight is flight:
                self._flight = None
        if stale:
            msg = "STS answered with credentials that end before those held"
            error = CredentialsError(msg, role_arn=self.label.role_arn, hop=self.label.hop, retryable=True)
            self._failed(flight, error)
            return
        credentials = snapshot.credentials
        self.emit(
            events.RefreshSucceeded,
            duration=self.clock.boot() - began,
            access_key_id=credentials.access_key_id,
            expiry=credentials.expiry,
            request_id=credentials.request_id,
            packed_policy_size=credentials.packed_policy_size,
        )

    def _failed(self, flight: Flight, error: XSessionError) -> None:
        flight.error = error
        with self._lock:
            if self._flight is flight:
                self._flight = None
            if flight.voided or flight.overdue:
                return
            now, remaining = self.clock.boot(), max(0.0, self.snapshot.remaining(self.clock))
            failure = self._remember(error, now, remaining, self.state, flight=flight)
            again = remaining > self.snapshot.windows.hard and self.snapshot.armed
        if again:
            self._schedule(failure.next_try)
        self.emit(
            events.RefreshFailed,
            code=error.code,
            message=error.message,
            recoverable=error.retryable,
            next_try=failure.next_try - now,
            remaining=remaining,
        )

    def _remember(
        self, error: XSessionError, now: float, remaining: float, state: RefreshState, *, flight: Flight
    ) -> Failure:
        count = 1 if self.failure is None else self.failure.count + 1
        snapshot, draw = self.snapshot, self._draw()
        if self._slept_through(flight, now):
            delay = 0.0
        elif not error.retryable:
            delay = self.policy.refusal_memory(count, draw)
        elif state in (RefreshState.EMPTY, RefreshState.EXPIRED):
            delay = self.policy.retry_delay(count, draw)
        elif state is RefreshState.MANDATORY:
            delay = snapshot.windows.mandatory / 3
        else:
            throttled = (error.code or "").startswith(_THROTTLING)
            delay = self.policy.backoff(snapshot.lifetime, count, draw, throttled=throttled)
            delay = max(0.0, min(delay, remaining - snapshot.windows.mandatory))
        self.failure = Failure(error, count, now + delay)
        return self.failure

    def _schedule(self, at: float) -> None:
        with self._lock:
            # One entry at a time: an earlier one looks again when it is due.
            if self._scheduled is not None and self._scheduled <= at:
                return
            self._scheduled = at
        self._workers.submit_at(at, self._refresh_when_due)

    def _refresh_when_due(self) -> None:
        with self._lock:
            self._scheduled = None
        try:
            look = self.look()
        except SessionClosedError:
            return
        if look.began is not None:
            look.began.background = True
            look.began.run()
        elif look.state is RefreshState.FRESH:
            self._schedule(look.snapshot.fresh_until_boot)
        elif look.flight is None and look.failure is not None and look.state is not RefreshState.EXPIRED:
            self._schedule(look.failure.next_try)

    def _report_step(self, snapshot: Snapshot[T]) -> None:
        step = (snapshot.expires_boot - self.clock.boot()) - (snapshot.expires_wall - self.clock.wall())
        with self._lock:
            generation, known = self._step
            moved = step - (known if generation == snapshot.generation else 0.0)
            if abs(moved) <= _STEP_SECONDS:
                return
            self._step = (snapshot.generation, step)
        self.emit(events.ClockStepped, seconds=moved)


@dataclass(frozen=True, slots=True)
class Look(Generic[T]):
    """What one look at a cell found."""

    snapshot: Snapshot[T]
    state: RefreshState
    remaining: float
    now: float
    flight: Flight | None
    began: Flight | None
    failure: Failure | None


class _Reader(Generic[T]):
    """One caller on its way through a cell that is not fresh."""

    def __init__(self, cell: Cell[T], *, nested: bool) -> None:
        self._cell = cell
        self._nested = nested
        self._clock = cell.clock
        self._came = cell.clock.boot()
        self._patience_spent = False

    def read(self) -> Snapshot[T]:
        while True:
            look = self._cell.look()
            if look.began is not None and (look.began.background or not self._nested):
                self._cell.launch(look.began)
            if look.state in (RefreshState.FRESH, RefreshState.ADVISORY):
                return look.snapshot
            if look.state is RefreshState.MANDATORY:
                if look.flight is None or self._patience_spent:
                    return self._stale(look)
                self._wait_mandatory(look, look.flight)
            elif look.flight is None:
                self._wait_for_next_try(look)
            else:
                self._wait_for(look.flight, look)

    def _stale(self, look: Look[T]) -> Snapshot[T]:
        if self._patience_spent:
            self._cell.emit(events.ServedStale, remaining=look.remaining)
        return look.snapshot

    def _wait_mandatory(self, look: Look[T], flight: Flight) -> None:
        policy, hard = self._cell.policy, look.snapshot.windows.hard
        self._patience_spent = True
        self._join(flight, policy.mandatory_patience(look.remaining, hard, failed=look.failure is not None))

    def _wait_for(self, flight: Flight, look: Look[T]) -> None:
        left = self._came + self._cell.policy.patience - look.now
        if left <= 0:
            raise self._timeout(look)
        self._join(flight, min(left, self._cell.flight_left(flight, look.now)))
        if flight.error is not None and (self._nested or not flight.error.retryable):
            raise flight.error.for_caller()

    def _join(self, flight: Flight, seconds: float) -> None:
        if self._nested:
            # We are in a worker thread already: waiting for another one could leave none to do the work.
            flight.run()
        elif flight.background:
            # It may be far back in the other queue.
            flight.background = False
            self._cell.launch(flight)
        if not self._clock.wait(flight.done, seconds) and flight.started is None:
            # Whoever began it was interrupted before it could have it run.
            self._cell.launch(flight)

    def _wait_for_next_try(self, look: Look[T]) -> None:
        failure = look.failure
        if failure is None:
            raise self._timeout(look)
        last_try = self._came + self._cell.policy.patience * _RETRY_SHARE
        if self._nested or not failure.error.retryable or failure.next_try > last_try:
            raise _described(failure, look.now)
        self._clock.wait(threading.Event(), failure.next_try - look.now)

    def _timeout(self, look: Look[T]) -> XSessionError:
        if look.failure is not None:
            return _described(look.failure, look.now)
        label = self._cell.label
        msg = f"no credentials within {self._cell.policy.patience:.0f} s; the refresh goes on"
        return CredentialsTimeoutError(msg, role_arn=label.role_arn, hop=label.hop, retryable=True)


def _described(failure: Failure, now: float) -> XSessionError:
    error = failure.error.for_caller()
    if failure.count > 1 or error.retryable:
        tries = "1 try" if failure.count == 1 else f"{failure.count} tries"
        error.message += f"; failed after {tries}, the next in {max(0.0, failure.next_try - now):.1f} s at the earliest"
    return error
