"""One hop's credentials, kept fresh: many readers, one refresh at a time.

Readers take one reference and need no lock while the credentials are fresh. Everything else is decided under the
cell's lock, by the pure functions of `_decisions`, without I/O; refreshes run in worker threads, so that no reader can
break one off. Hooks, stores and sources are never called under the lock; and it is re-entrant, since a signal handler
or `__del__` may come in at any point.
"""

from __future__ import annotations

import math
import random
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from xsession import events
from xsession._base import SYSTEM_CLOCK, Clock, Latch, held_here, renew_after_fork
from xsession.credentials import Credentials
from xsession.errors import DeadlinePassedError, SessionClosedError, XSessionError

from . import _decisions as decisions
from ._failure import Failure, Label, closed, deadline_passed, overdue, unexpected, useless
from ._flight import Fetch, Flight, Look
from ._policy import RefreshPolicy, RefreshState
from ._rejections import NEW_SECONDS, Endpoint, Rejection, RejectionMemory, no_rejections
from ._reports import ClockSteps, Reports
from ._snapshot import NEVER, Deadline, Issued, Snapshot, as_snapshot, nothing
from ._workers import Workers

if TYPE_CHECKING:
    from ._status import HopStatus

T = TypeVar("T")

# Of the system: never seeded, and different in every forked child.
random_draw = random.SystemRandom().random


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
        # Both are made for cells that are used: most accounts of a large fleet only have a client.
        self._reports: Reports | None = None
        self._draw = draw
        self._deadline = deadline
        self._ended: str | None = None
        self.snapshot: Snapshot[T] = nothing()
        self.failure: Failure | None = None
        self._generation = 0
        self._lock = threading.RLock()
        self._flight: Flight | None = None
        self._overdue_flight: Flight | None = None
        self._forgotten: Latch | None = None
        self._scheduled: float | None = None
        self._steps: ClockSteps | None = None
        self._denied_at = NEVER
        self.rejections: RejectionMemory = no_rejections()
        self._closed = False
        renew_after_fork(self)

    @property
    def state(self) -> RefreshState:
        """What a reader would meet now."""
        deadline, snapshot = self._deadline, self.snapshot
        held = decisions.held_state(snapshot, snapshot.remaining(self.clock), deadline)
        left = None if deadline is None else deadline.left(self.clock)
        return decisions.met_state(held, self.failure, self.clock.boot(), left)

    @property
    def reports(self) -> Reports:
        """Sends events about this hop. Never called under the lock."""
        reports = self._reports
        if reports is None:
            reports = self._reports = Reports(self.label, self._emit, self.clock)
        return reports

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return self._fetch.awaits_source

    @property
    def held_back(self) -> bool:
        """Whether refreshes of this hop, or of those before it, wait because STS throttles."""
        lane, before = self._fetch.lane, self._fetch.hop_before
        return (lane is not None and lane.busy) or (before is not None and before.held_back)

    @property
    def failure_before(self) -> Failure | None:
        """Why the hops before have no credentials, as far as that is known."""
        before = self._fetch.hop_before
        return None if before is None else before.failure or before.failure_before

    @property
    def is_interrupted_here(self) -> bool:
        """Whether this thread was in the middle of a refresh's affairs as a signal handler, or `__del__`, came in.

        Then it may wait for no other thread, which may need what this one holds.
        """
        lane = self._fetch.lane
        if held_here(self._lock) or self._workers.submitting_here or (lane is not None and lane.held_here):
            return True
        return self._fetch.hop_before is not None and self._fetch.hop_before.is_interrupted_here

    def status(self) -> HopStatus:
        """What is held, what failed last, and when STS is asked next."""
        from ._status import HopStatus  # noqa: PLC0415 # for people who look, and no request needs it

        with self._lock:
            snapshot, failure, state, flight = self.snapshot, self.failure, self.state, self._flight
        return HopStatus.of(self.label, self.clock, snapshot, state, failure, refreshing=flight is not None)

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
            voided = self._forget()
        _land(voided)
        self._fetch.forget(access_key_id)
        self.reports.send(events.Invalidated, access_key_id=held, reason=reason)
        return True

    def rejected(
        self, rejection: Rejection, *, reason: events.InvalidationReason = "rejected by a service"
    ) -> float | None:
        """Throws away what was rejected, unless it is too new for that, or was thrown away too often.

        Args:
            rejection: What was rejected, and where.
            reason: By whom, for the event.

        Returns:
            Seconds until the request should be signed again; None: it should not.
        """
        with self._lock:
            snapshot, now = self.snapshot, self.clock.boot()
            held = snapshot.credentials.access_key_id or None
            age = decisions.age_of(snapshot, now)
            self.rejections, verdict = self.rejections.after(rejection, held=held, age=age, now=now)
        if verdict.replaces:
            self.invalidate(rejection.access_key_id, reason=reason)
        return verdict.delay

    def is_new(self, access_key_id: str) -> bool:
        """Whether this key is held and may not be known everywhere yet."""
        snapshot = self.snapshot
        held = snapshot.credentials.access_key_id == access_key_id
        return held and decisions.age_of(snapshot, self.clock.boot()) < NEW_SECONDS

    def accepted(self, endpoint: Endpoint) -> None:
        """Records that an endpoint accepted a key."""
        with self._lock:
            self.rejections = self.rejections.accepted(endpoint)

    def denied(self, access_key_id: str) -> bool:
        """Throws away what a service denied explicitly, where the policy wants that; once in ten minutes.

        Returns:
            Whether a request that is signed again may succeed.
        """
        if not self.policy.reassume_on_explicit_deny:
            return False
        with self._lock:
            if self.snapshot.credentials.access_key_id != access_key_id:
                return self.snapshot.generation > 0
            now = self.clock.boot()
            if not decisions.denial_counts(self._denied_at, now):
                return False
            self._denied_at = now
        return self.invalidate(access_key_id, reason="denied explicitly by a service")

    @property
    def is_kept(self) -> bool:
        """Whether it holds nothing and will find credentials somewhere without asking for them; looks there."""
        return not self.state.is_usable and self.failure is None and self._fetch.is_kept

    def forgive(self, kind: type[XSessionError]) -> None:
        """Forgets the last failure if it was of this kind: what caused it is gone."""
        with self._lock:
            if self.failure is not None and isinstance(self.failure.error, kind):
                self.failure = None

    @property
    def is_given(self) -> bool:
        """Whether anything was given to its source, or may be on its way: another thread is at a refresh."""
        return self.snapshot.generation > 0 or any(flight.runs_elsewhere for flight in self._flights)

    def supersede(self) -> None:
        """Throws away what is held, and what comes for other threads: the source is another identity now.

        The refresh that found that out goes on.
        """
        with self._lock:
            held = self.snapshot.credentials.access_key_id or None
            self.snapshot, self.failure = nothing(), None
            # They may have been signed before.
            voided = self._void([flight for flight in self._flights if flight.runs_elsewhere])
        _land(voided)
        if held is not None:
            self._fetch.forget(held)
            self.reports.send(events.Invalidated, access_key_id=held, reason="the source has other credentials")

    def end(self, reason: str) -> None:
        """Throws away what is held, as if its deadline had passed: nothing is refreshed any more.

        Args:
            reason: Why, for the error that its readers get from now on.
        """
        with self._lock:
            self._ended = self._ended or reason
            self._deadline = Deadline(NEVER, self.clock.wall())
            voided = self._forget()
        _land(voided)

    def close(self) -> None:
        """Throws away what is held; nothing is refreshed any more."""
        with self._lock:
            self._closed = True
            voided = self._forget()
        _land(voided)

    def after_fork(self) -> None:
        """Gives a forked child its own lock, no refresh under way, and its own jitter."""
        self._lock = threading.RLock()
        self._flight = self._overdue_flight = self._scheduled = self._forgotten = None
        if self.snapshot.generation:
            windows = self.policy.windows(self.snapshot.lifetime, self._draw())
            # Not armed: the child's first reader schedules the child's own refresh.
            self.snapshot = replace(self.snapshot, windows=windows, fresh_until_boot=NEVER)

    def look(self, mfa_code: str | None = None) -> Look[T]:
        """One look under the lock: what is held, and the refresh to wait for, begun if it is time for one.

        Args:
            mfa_code: The code for the refresh that this look begins.
        """
        self._check_end()
        with self._lock:
            if self._closed:
                raise closed(self.label)
            snapshot, now = self.snapshot, self.clock.boot()
            remaining = snapshot.remaining(self.clock)
            state = decisions.held_state(snapshot, remaining, self._deadline)
            flight = self._awaited(now, remaining, state)
            began: Flight | None = None
            startable = decisions.may_start(self.failure, now, has_mfa_code=mfa_code is not None)
            if state is not RefreshState.FRESH and self._flight is None and startable:
                background = state is RefreshState.ADVISORY
                began = flight = self._flight = Flight(self._run, background=background, mfa_code=mfa_code)
            arming = state is RefreshState.FRESH and not snapshot.armed
            if arming:
                snapshot = self.snapshot = decisions.armed(snapshot, self._deadline)
            self._steps = self._steps or ClockSteps()
            moved = self._steps.moved(snapshot, self.clock) if snapshot.generation else None
            ended = self._forgotten
            if flight is None and ended is None and not state.is_usable:
                ended = self._forgotten = Latch()
            left = math.inf if self._deadline is None else self._deadline.left(self.clock)
            look = Look(snapshot, state, remaining, now, flight, began, self.failure, ended, left)
        if arming:
            self._schedule(snapshot.fresh_until_boot)
        if moved is not None:
            self.reports.send(events.ClockStepped, seconds=moved)
        return look

    def launch(self, flight: Flight) -> None:
        """Has a refresh run in a worker thread, once the hop before has credentials; harmless if it is on its way."""
        before = None if self._fetch.may_be_kept else self._fetch.hop_before
        awaited = None if before is None else before.prepare(urgent=not flight.background)
        if awaited is None:
            self._workers.submit(flight.run, urgent=not flight.background, lane=self._fetch.lane, unwanted=flight.done)
        else:
            awaited.then(flight, partial(self._launch_after, flight, awaited))
        flight.launched = True

    def prepare(self, *, urgent: bool) -> Flight | None:
        """Has this hop's refresh on its way, if it is time for one; returns it where the next hop must wait for it.

        Args:
            urgent: Whether a caller waits.
        """
        try:
            look = self.look()
        except XSessionError:
            # The next hop's own refresh meets it.
            return None
        flight, usable = look.flight, look.state.is_usable
        if flight is None:
            return None
        if flight.background and urgent and not usable:
            flight.background = flight.launched = False
        if not flight.launched:
            self.launch(flight)
        return None if usable else flight

    def apart(self) -> Snapshot[T]:
        """Credentials for a thread that may wait for no other one: those held, or some that it fetches for itself.

        Raises:
            XSessionError: None could be obtained.
        """
        self._check_end()
        snapshot = self.snapshot
        state = decisions.held_state(snapshot, snapshot.remaining(self.clock), self._deadline)
        if state.is_usable:
            return snapshot
        return self._rendered(self._fetch(False, self.policy.try_limit(decisions.lifetime_of(snapshot)), None))

    def flight_left(self, flight: Flight, now: float) -> float:
        """Seconds until a refresh counts as failed."""
        return self._flight_limit() - flight.age(now)

    def _launch_after(self, flight: Flight, awaited: Flight) -> None:
        if flight.done.is_set():
            return
        if awaited.error is None:
            self.launch(flight)
        else:
            # It fails with that error, and is not held up by the next try of the hop before.
            self._workers.submit(flight.run, urgent=not flight.background, lane=self._fetch.lane, unwanted=flight.done)

    @property
    def _flights(self) -> list[Flight]:
        return [flight for flight in (self._flight, self._overdue_flight) if flight is not None]

    def _void(self, flights: list[Flight]) -> list[Flight]:
        # Those who wait are to be told, by `_land`, outside of the lock.
        for flight in flights:
            flight.voided = True
        self._flight = None if self._flight in flights else self._flight
        self._overdue_flight = None if self._overdue_flight in flights else self._overdue_flight
        return flights

    def _forget(self) -> list[Flight]:
        voided = self._void(self._flights)
        self.failure = None
        self.snapshot = nothing()
        if self._forgotten is not None:
            self._forgotten.set()
            self._forgotten = None
        return voided

    def _check_end(self) -> None:
        deadline = self._deadline
        if self._closed:
            raise closed(self.label)
        if deadline is None or deadline.left(self.clock) > 0:
            return
        with self._lock:
            voided = self._forget()
        _land(voided)
        raise deadline_passed(self.label, deadline.wall, self._ended)

    def _flight_limit(self) -> float:
        return self.policy.flight_limit(decisions.lifetime_of(self.snapshot), self.label.hop)

    def _awaited(self, now: float, remaining: float, state: RefreshState) -> Flight | None:
        flight = self._flight
        if flight is None or self.flight_left(flight, now) > 0:
            return flight
        if not flight.overdue:
            flight.overdue = True
            late = overdue(self.label, self._flight_limit(), source=self.awaits_source)
            self._remember(late, now, remaining, state, flight=flight)
        # One that hangs makes room for a second, but not for a third.
        if self._overdue_flight is None or self._overdue_flight.done.is_set():
            self._overdue_flight, self._flight = flight, None
        return None

    def _run(self, flight: Flight) -> None:
        began = self.clock.boot()
        flight.start(began)
        try:
            self.reports.send(events.RefreshStarted, background=flight.background)
            limit = self.policy.try_limit(decisions.lifetime_of(self.snapshot))
            issued = self._fetch(flight.background, limit, flight.take_mfa_code())
            snapshot = self._rendered(issued)
        except XSessionError as error:
            # It is remembered, and the frames of its traceback hold what the request was signed with.
            self._failed(flight, error.with_traceback(None))
        except BaseException as error:
            if flight.has_mfa_code:
                error.__traceback__ = None
            self._failed(flight, unexpected(self.label, error))
            if not isinstance(error, Exception):
                raise
        else:
            self._succeeded(flight, snapshot, began)

    def _rendered(self, issued: Issued) -> Snapshot[T]:
        credentials, lifetime = issued.credentials, issued.credentials.lifetime
        if lifetime is None or credentials.issued_at is None:
            raise useless(self.label, "STS's answer names no end of the credentials")
        windows = self.policy.windows(lifetime, self._draw())
        return as_snapshot(issued, self._render(credentials), lifetime, windows)

    def _succeeded(self, flight: Flight, snapshot: Snapshot[T], began: float) -> None:
        with self._lock:
            if flight.voided:
                return
            held = self.snapshot
            stale = decisions.is_older(snapshot, held, held.remaining(self.clock))
            if not stale:
                self._generation += 1
                self.snapshot = replace(snapshot, generation=self._generation)
                self.failure = None
            if self._flight is flight:
                self._flight = None
        if stale:
            self._failed(flight, useless(self.label, "STS answered with credentials that end before those held"))
            return
        self.reports.succeeded(snapshot.credentials, began)

    def _failed(self, flight: Flight, error: XSessionError) -> None:
        with self._lock:
            if self._flight is flight:
                self._flight = None
            # Those who waited for one that was thrown away look again: it may have failed for no other reason.
            flight.error = None if flight.voided else error
            if flight.voided or flight.overdue:
                return
            now, remaining = self.clock.boot(), max(0.0, self.snapshot.remaining(self.clock))
            state = decisions.held_state(self.snapshot, remaining, self._deadline)
            failure = self._remember(error, now, remaining, state, flight=flight)
            again = decisions.refreshes_by_itself(self.snapshot, remaining)
        if again:
            self._schedule(failure.next_try)
        self.reports.failed(error, next_try=failure.next_try - now, remaining=remaining)

    def _remember(
        self, error: XSessionError, now: float, remaining: float, state: RefreshState, *, flight: Flight
    ) -> Failure:
        count = 1 if self.failure is None else self.failure.count + 1
        snapshot, draw = self.snapshot, self._draw()
        delay = 0.0
        if not decisions.slept_through(self.flight_left(flight, now), self._flight_limit()):
            delay = decisions.delay_after(
                error, count, policy=self.policy, snapshot=snapshot, state=state, remaining=remaining, draw=draw
            )
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
            self.launch(look.began)
            return
        due = decisions.due_next(look.snapshot, look.state, look.failure, under_way=look.flight is not None)
        if due is not None:
            self._schedule(due)


def _land(voided: Iterable[Flight]) -> None:
    for flight in voided:
        flight.land()
