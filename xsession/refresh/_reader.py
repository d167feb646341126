"""One caller on its way through a cell whose credentials are not fresh: what it waits for, and how long."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

from xsession import events
from xsession.errors import XSessionError

from ._cell import Cell
from ._failure import out_of_patience
from ._flight import Flight, Look
from ._policy import RefreshState
from ._snapshot import Snapshot

T = TypeVar("T")

_RETRY_SHARE = 2 / 3


class Reader(Generic[T]):
    """One caller.

    Args:
        cell: What it reads.
        nested: Whether it is the refresh of the next hop: then it runs what it would wait for in its own thread, and
            leaves retries to that hop's readers.
        mfa_code: The code that a person gave for the refresh which it begins.
    """

    def __init__(self, cell: Cell[T], *, nested: bool = False, mfa_code: str | None = None) -> None:
        self._cell = cell
        self._nested = nested
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
        while True:
            look = self._cell.look(self._mfa_code)
            flight = look.flight
            if look.began is not None and (look.began.background or not self._nested):
                self._cell.launch(look.began)
            if look.state in (RefreshState.FRESH, RefreshState.ADVISORY):
                return look.snapshot
            if look.state is RefreshState.MANDATORY and (flight is None or self._patience_spent):
                return self._stale(look)
            if flight is None:
                self._clock.wait(threading.Event(), self._until_next_try(look))
                continue
            seconds = self._patience(look, flight)
            throttled, queued = flight.throttled(look.now), flight.started is None
            self._hasten(flight)
            # Here and not in a method of its own: this is where callers stand, and whoever looks at a stack sees it.
            if not self._clock.wait(flight.done, seconds) and flight.started is None:
                # Whoever began it was interrupted before it could have it run.
                self._cell.launch(flight)
            if look.state is not RefreshState.MANDATORY:
                self._waited(look, flight, throttled, queued=queued)

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
        if self._nested:
            # We are in a worker thread already: waiting for another one could leave none to do the work.
            flight.run()
        elif flight.background:
            # It may be far back in the other queue.
            flight.background = False
            self._cell.launch(flight)

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
        if look.failure is not None:
            return look.failure.described(look.now)
        return out_of_patience(self._cell.label, self._cell.policy.patience)
