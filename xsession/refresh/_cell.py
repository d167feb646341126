"""One hop's credentials, kept fresh: many readers, one refresh at a time.

Readers take one reference and need no lock while the credentials are fresh. Everything else is decided under the
cell's lock, in a few steps without I/O; refreshes run in worker threads, so that no reader can break one off.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from xsession import events
from xsession._aws import is_throttling
from xsession._base import SYSTEM_CLOCK, Clock, renew_after_fork
from xsession.credentials import Credentials
from xsession.errors import (
    CredentialsError,
    CredentialsTimeoutError,
    DeadlinePassedError,
    SessionClosedError,
    XSessionError,
)

from ._flight import Failure, Fetch, Flight, Label
from ._policy import RefreshPolicy, RefreshState
from ._reader import Look, Reader
from ._snapshot import NEVER, Deadline, Issued, Snapshot, armed, nothing
from ._workers import Workers

if TYPE_CHECKING:
    from ._status import HopStatus

T = TypeVar("T")

_ASSUMED_LIFETIME = 3_600.0
_STEP_SECONDS = 5.0
# Of the system: seeded by nobody, and different in every forked child.
random_draw = random.SystemRandom().random
_DENIAL_MEMORY_SECONDS = 600.0


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
        deadline: From when on it gives nothing any more; None: never.
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
        deadline: Deadline | None = None,
    ) -> None:
        self.label = label
        self.clock = clock
        self.policy = policy
        self._fetch = fetch
        self._render = render
        self._workers = workers
        self._emit = emit
        self._draw = draw
        self._deadline = deadline
        self._ended: str | None = None
        self.snapshot: Snapshot[T] = nothing()
        self.failure: Failure | None = None
        self._generation = 0
        self._lock = threading.Lock()
        self._flight: Flight | None = None
        self._zombie: Flight | None = None
        self._scheduled: float | None = None
        self._step = (0, 0.0)
        self._denied_at = NEVER
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
        return Reader(self, nested=False).read()

    def read_nested(self) -> Snapshot[T]:
        """As `read`, for the refresh of the next hop: runs in this thread and leaves retries to that hop's readers."""
        return Reader(self, nested=True).read()

    @property
    def state(self) -> RefreshState:
        """What a reader would meet now."""
        if self._deadline is not None and self._deadline.left(self.clock) <= 0:
            return RefreshState.DEADLINE
        state, failure = self._held_state(self.snapshot), self.failure
        if state in (RefreshState.EMPTY, RefreshState.EXPIRED) and failure is not None and not failure.error.retryable:
            return RefreshState.REFUSED if self.clock.boot() < failure.next_try else state
        return state

    @property
    def held_back(self) -> bool:
        """Whether refreshes wait because STS throttles."""
        return self._fetch.held_back

    def status(self) -> HopStatus:
        """What is held, what failed last, and when STS is asked next."""
        from ._status import HopStatus  # noqa: PLC0415 # for people who look, and no request needs it

        with self._lock:
            snapshot, failure, state, flight = self.snapshot, self.failure, self.state, self._flight
        remaining = snapshot.remaining(self.clock) if snapshot.generation else 0.0
        return HopStatus(
            account=self.label.account,
            hop=self.label.hop,
            role_arn=self.label.role_arn,
            state=state,
            access_key_id=snapshot.credentials.access_key_id or None,
            local_expiry=snapshot.credentials.local_expiry,
            remaining=max(0.0, remaining),
            refreshing=flight is not None,
            last_error=None if failure is None else failure.error.message,
            next_try=None if failure is None else max(0.0, failure.next_try - self.clock.boot()),
        )

    def invalidate(self, access_key_id: str | None = None, *, reason: events.InvalidationReason = "asked") -> bool:
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

    def denied(self, access_key_id: str) -> bool:
        """Throws away what a service denied in so many words, where the policy wants that; once in ten minutes.

        Returns:
            Whether a request signed anew may fare better.
        """
        if not self.policy.reassume_on_explicit_deny:
            return False
        with self._lock:
            if self.snapshot.credentials.access_key_id != access_key_id:
                return self.snapshot.generation > 0
            now = self.clock.boot()
            if now - self._denied_at < _DENIAL_MEMORY_SECONDS:
                return False
            self._denied_at = now
        return self.invalidate(access_key_id, reason="denied explicitly by a service")

    def forgive(self, kind: type[XSessionError]) -> None:
        """Forgets the last failure if it was of this kind: what caused it is mended."""
        with self._lock:
            if self.failure is not None and isinstance(self.failure.error, kind):
                self.failure = None

    def supersede(self) -> None:
        """Throws away what is held, but not the answer of a refresh under way: the source is somebody else by now."""
        with self._lock:
            held = self.snapshot.credentials.access_key_id or None
            self.snapshot, self.failure = nothing(), None
        if held is not None:
            self._fetch.forget(held)
            self.emit(events.Invalidated, access_key_id=held, reason="the source has other credentials")

    def end(self, reason: str) -> None:
        """Throws away what is held, as if its deadline had passed: nothing is refreshed any more.

        Args:
            reason: Why, for the error that its readers get from now on.
        """
        with self._lock:
            self._ended = self._ended or reason
            self._deadline = Deadline(NEVER, self.clock.wall())
            self._forget()

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
            self._check_deadline()
            snapshot, now = self.snapshot, self.clock.boot()
            remaining, state = snapshot.remaining(self.clock), self._held_state(snapshot)
            flight = self._awaited(now, remaining, state)
            began: Flight | None = None
            if state is not RefreshState.FRESH and self._flight is None and self._may_start(now):
                began = flight = self._flight = Flight(self._run, background=state is RefreshState.ADVISORY)
            arming = state is RefreshState.FRESH and not snapshot.armed
            if arming:
                snapshot = self.snapshot = armed(snapshot, self._deadline)
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
        """Seconds until a refresh counts as failed."""
        return self._flight_limit() - flight.age(now)

    def _held_state(self, snapshot: Snapshot[T]) -> RefreshState:
        if snapshot.generation == 0:
            return RefreshState.EMPTY
        if self._deadline is not None and snapshot.outlives(self._deadline):
            return RefreshState.FRESH
        return snapshot.windows.state(snapshot.remaining(self.clock))

    def _check_deadline(self) -> None:
        if self._deadline is not None and self._deadline.left(self.clock) <= 0:
            self._forget()
            ended = datetime.fromtimestamp(self._deadline.wall, UTC)
            msg = f"the deadline of these credentials has passed: {ended:%Y-%m-%d %H:%M:%S} UTC"
            if self._ended is not None:
                msg = f"these credentials ended at {ended:%Y-%m-%d %H:%M:%S} UTC: {self._ended}"
            label = self.label
            raise DeadlinePassedError(msg, role_arn=label.role_arn, hop=label.hop, hint="ask for a new grant")

    def _flight_limit(self) -> float:
        return self.policy.flight_limit(self._lifetime, self.label.hop)

    @property
    def _lifetime(self) -> float:
        return self.snapshot.lifetime or _ASSUMED_LIFETIME

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
        began = self.clock.boot()
        flight.start(began)
        self.emit(events.RefreshStarted, background=flight.background)
        try:
            issued = self._fetch(flight.background, self.policy.try_limit(self._lifetime))
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
            failure = self._remember(error, now, remaining, self._held_state(self.snapshot), flight=flight)
            again = remaining > self.snapshot.windows.hard and self.snapshot.armed
        if again:
            self._schedule(failure.next_try)
        self.emit(
            events.RefreshFailed,
            code=error.code,
            message=error.message,
            retryable=error.retryable,
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
            delay = self.policy.backoff(snapshot.lifetime, count, draw, throttled=is_throttling(error.code))
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
        except (SessionClosedError, DeadlinePassedError):
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
