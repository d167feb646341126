"""One caller on its way through a cell whose credentials are not fresh: what it waits for, and how long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar

from xsession import events
from xsession._base import Clock, frozen
from xsession.errors import CredentialsTimeoutError, XSessionError

from ._flight import Failure, Flight, Label
from ._policy import RefreshPolicy, RefreshState
from ._snapshot import Snapshot

T = TypeVar("T")

_RETRY_SHARE = 2 / 3


@frozen
class Look(Generic[T]):
    """What one look at a cell found, and the refresh that it began, if it was time for one."""

    snapshot: Snapshot[T]
    state: RefreshState
    remaining: float
    now: float
    flight: Flight | None
    began: Flight | None
    failure: Failure | None


class Readable(Protocol[T]):
    """What a reader needs of a cell."""

    label: Label
    clock: Clock
    policy: RefreshPolicy

    @property
    def held_back(self) -> bool:
        """Whether refreshes wait because STS throttles."""

    def look(self) -> Look[T]:
        """One look."""

    def launch(self, flight: Flight) -> None:
        """Has a refresh run in a worker thread."""

    def flight_left(self, flight: Flight, now: float) -> float:
        """Seconds until a refresh counts as failed."""

    def emit(self, kind: Callable[..., events.Event], **values: Any) -> None:
        """Sends an event."""


class Reader(Generic[T]):
    """One caller.

    Args:
        cell: What it reads.
        nested: Whether it is the refresh of the next hop: then it runs what it would wait for in its own thread, and
            leaves retries to that hop's readers.
    """

    def __init__(self, cell: Readable[T], *, nested: bool) -> None:
        self._cell = cell
        self._nested = nested
        self._clock = cell.clock
        self._came = cell.clock.boot()
        self._held = 0.0
        self._patience_spent = False

    def read(self) -> Snapshot[T]:
        """The credentials.

        Raises:
            CredentialsError: None could be had within the policy's patience.
        """
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
        left = self._came + self._cell.policy.patience + self._held - look.now
        if left <= 0:
            raise self._timeout(look)
        held_before, queued = flight.held(look.now), flight.started is None
        self._join(flight, min(left, self._cell.flight_left(flight, look.now)))
        now = self._clock.boot()
        self._held += flight.held(now) - held_before
        if queued and self._cell.held_back:
            # Those before it in the queue are held back.
            self._held += (now if flight.started is None else flight.started) - look.now
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
        last_try = self._came + self._held + self._cell.policy.patience * _RETRY_SHARE
        if self._nested or not failure.error.retryable or failure.next_try > last_try:
            raise described(failure, look.now)
        self._clock.wait(threading.Event(), failure.next_try - look.now)

    def _timeout(self, look: Look[T]) -> XSessionError:
        if look.failure is not None:
            return described(look.failure, look.now)
        label = self._cell.label
        msg = f"no credentials within {self._cell.policy.patience:.0f} s; the refresh goes on"
        return CredentialsTimeoutError(msg, role_arn=label.role_arn, hop=label.hop, retryable=True)


def described(failure: Failure, now: float) -> XSessionError:
    """The error for one more caller, which says how often it was tried and when it will be again."""
    error = failure.error.for_caller()
    if failure.count > 1 or error.retryable:
        tries = "1 try" if failure.count == 1 else f"{failure.count} tries"
        error.note = f"failed after {tries}, the next in {max(0.0, failure.next_try - now):.1f} s at the earliest"
    return error
