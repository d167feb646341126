"""One caller on its way through a cell whose credentials are not fresh: what it waits for, and how long."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Generic, TypeVar

from xsession import events
from xsession._base import Latch
from xsession.errors import XSessionError

from ._cell import Cell
from ._failure import out_of_patience, waits_for_itself
from ._flight import Flight, Look, waiting_for
from ._policy import RefreshState
from ._snapshot import Snapshot
from ._this_thread import this_thread

T = TypeVar("T")

_RETRY_SHARE = 2 / 3


class Reader(Generic[T]):
    """One caller.

    Args:
        cell: What it reads.
        nested: Whether it is the refresh of the next hop: then it runs what it would wait for in its own thread, and
            leaves retries to that hop's readers. So does whoever reads in a worker thread: a hook, a source that is an
            account of another session, a function that gives tokens.
        mfa_code: The code that a person gave for the refresh which it begins.
        launch: Has a refresh run in a worker thread; None: the cell does.
    """

    def __init__(
        self,
        cell: Cell[T],
        *,
        nested: bool = False,
        mfa_code: str | None = None,
        launch: Callable[[Flight], None] | None = None,
    ) -> None:
        self._cell = cell
        self._launch = cell.launch if launch is None else launch
        self._nested = nested or this_thread.works
        self._mfa_code = mfa_code
        self._clock = cell.clock
        self._came = cell.clock.boot()
        self._throttled = 0.0
        self._patience_spent = False

    def read(self) -> Snapshot[T]:
        """The current credentials; refreshed first where they must be.

        Raises:
            CredentialsError: None could be obtained within the policy's patience; the cause is in it.
        """
        steps = self.steps()
        try:
            while True:
                latch, seconds = next(steps)
                # Here and not in a method of its own: this is where callers stand, and a look at a stack shows it.
                self._clock.wait(latch, seconds)
        except StopIteration as end:
            snapshot: Snapshot[T] = end.value
            return snapshot

    def steps(self) -> Generator[tuple[Latch, float], None, Snapshot[T]]:
        """The way to the current credentials: gives what to wait for, and for how many seconds at most.

        Raises:
            CredentialsError: As `read`.
        """
        if self._cell.is_interrupted_here:
            return self._cell.apart()
        while True:
            look = self._cell.look(self._mfa_code)
            flight, is_usable = look.flight, self._is_usable(look)
            if flight is not None and not flight.launched and (is_usable or not self._nested):
                self._launch(flight)
            if is_usable:
                return look.snapshot
            if look.state is RefreshState.MANDATORY and (flight is None or self._patience_spent):
                return self._stale(look)
            if flight is None:
                yield look.ended or Latch(), min(self._until_next_try(look), look.until_deadline)
                continue
            seconds = min(self._patience(look, flight), look.until_deadline)
            throttled, queued = flight.throttled(look.now), flight.started is None
            if self._nested:
                self._join(flight, seconds)
            else:
                self._hasten(flight)
                yield flight.done, seconds
                if flight.started is None and not flight.done.is_set():
                    # What it waits for may have been replaced, or whoever began it was interrupted.
                    self._launch(flight)
            if look.state is not RefreshState.MANDATORY:
                self._waited(look, flight, throttled, queued=queued)

    def held(self) -> Snapshot[T] | None:
        """What can be signed with now, without waiting, while what is due is refreshed; None: nothing can.

        Raises:
            XSessionError: The cell is closed, or its deadline has passed.
        """
        if self._cell.is_interrupted_here:
            return None
        look = self._cell.look()
        if look.flight is not None and not look.flight.launched:
            self._cell.launch(look.flight)
        return look.snapshot if look.state.is_usable else None

    def _is_usable(self, look: Look[T]) -> bool:
        if look.state is RefreshState.MANDATORY:
            # The next hop is not held up by a refresh of this one: its own credentials outlive these.
            return self._nested
        return look.state in (RefreshState.FRESH, RefreshState.ADVISORY)

    def _stale(self, look: Look[T]) -> Snapshot[T]:
        if self._patience_spent:
            self._cell.reports.send(events.ServedStale, remaining=look.remaining)
        return look.snapshot

    def _patience(self, look: Look[T], flight: Flight) -> float:
        # Seconds to wait for it.
        policy = self._cell.policy
        if look.state is RefreshState.MANDATORY:
            self._patience_spent = True
            hard = look.snapshot.windows.hard
            return policy.mandatory_patience(look.remaining, hard, failed=look.failure is not None)
        left = self._came + policy.patience + self._throttled - look.now
        if left <= 0:
            raise self._timeout(look)
        return min(left, self._cell.flight_left(flight, look.now))

    def _hasten(self, flight: Flight) -> None:
        if flight.background:
            # It may be far back in the other queue.
            flight.background = False
            self._launch(flight)

    def _join(self, flight: Flight, seconds: float) -> None:
        # We are in a worker thread already: waiting for another one could leave none to do the work.
        flight.run()
        if flight.done.is_set():
            return
        with waiting_for(flight) as in_vain:
            if in_vain:
                raise waits_for_itself(self._cell.label)
            self._clock.wait(flight.done, seconds)

    def _waited(self, look: Look[T], flight: Flight, throttled_before: float, *, queued: bool) -> None:
        now = self._clock.boot()
        self._throttled += flight.throttled(now) - throttled_before
        if queued and self._cell.held_back:
            # Those before it in the queue are held back.
            self._throttled += (now if flight.started is None else flight.started) - look.now
        if self._mfa_code is not None and not flight.has_mfa_code:
            # It was not ours: the next one has the code.
            return
        if flight.error is not None and (self._nested or not flight.error.retryable):
            raise flight.error.for_caller()

    def _until_next_try(self, look: Look[T]) -> float:
        failure = look.failure
        if failure is None:
            raise self._timeout(look)
        last_try = self._came + self._throttled + self._cell.policy.patience * _RETRY_SHARE
        if self._nested or not failure.error.retryable or failure.next_try > last_try:
            raise failure.described(look.now)
        return failure.next_try - look.now

    def _timeout(self, look: Look[T]) -> XSessionError:
        failure = look.failure or self._cell.failure_before
        if failure is not None:
            return failure.described(look.now)
        return out_of_patience(self._cell.label, self._cell.policy.patience)
