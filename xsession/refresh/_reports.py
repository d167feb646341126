"""What hooks are told about the refreshes of one hop."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from xsession import events
from xsession._base import Clock
from xsession.credentials import Credentials
from xsession.errors import XSessionError

from ._decisions import clocks_apart, is_step
from ._failure import Label
from ._snapshot import Snapshot

T = TypeVar("T")


class Reports:
    """Sends events about one hop. Never called under a lock.

    Args:
        label: What they call the hop.
        emit: Takes them.
        clock: Both clocks.
    """

    __slots__ = ("_clock", "_emit", "_label")

    def __init__(self, label: Label, emit: events.Hook, clock: Clock) -> None:
        self._label = label
        self._emit = emit
        self._clock = clock

    def send(self, kind: Callable[..., events.Event], **values: Any) -> None:
        """Sends an event of any kind."""
        at, label = datetime.fromtimestamp(self._clock.wall(), UTC), self._label
        self._emit(kind(at=at, account=label.account, role_arn=label.role_arn, hop=label.hop, **values))

    def succeeded(self, credentials: Credentials, began: float) -> None:
        """A refresh brought credentials; it began at this reading of the boot clock."""
        self.send(
            events.RefreshSucceeded,
            duration=self._clock.boot() - began,
            access_key_id=credentials.access_key_id,
            expiry=credentials.expiry,
            request_id=credentials.request_id,
            packed_policy_size=credentials.packed_policy_size,
        )

    def failed(self, error: XSessionError, *, next_try: float, remaining: float) -> None:
        """A refresh failed.

        Args:
            error: Why.
            next_try: Seconds until STS is asked again at the earliest.
            remaining: Seconds until what is held ends.
        """
        self.send(
            events.RefreshFailed,
            code=error.code,
            message=error.message,
            retryable=error.retryable,
            next_try=next_try,
            remaining=remaining,
        )


class ClockSteps:
    """Notices steps of the wall clock, each once. Used by one thread at a time."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known = (0, 0.0)

    def moved(self, snapshot: Snapshot[T], clock: Clock) -> float | None:
        """Seconds by which the clock was stepped since the last time; None: it was not."""
        apart, (generation, known) = clocks_apart(snapshot, clock.boot(), clock.wall()), self._known
        moved = apart - (known if generation == snapshot.generation else 0.0)
        if not is_step(moved):
            return None
        self._known = (snapshot.generation, apart)
        return moved
