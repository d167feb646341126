"""One set of credentials with the moments at which its treatment changes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from ._clock import Clock
from .credentials import Credentials
from .refresh import Windows

T = TypeVar("T")

NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Issued:
    """What a fetch brings back.

    Args:
        credentials: With `lifetime` and `issued_at` filled in.
        sent_boot: The boot clock's reading, in seconds, when the request was sent.
    """

    credentials: Credentials
    sent_boot: float


@dataclass(frozen=True, slots=True)
class Snapshot(Generic[T]):
    """One set of credentials with its deadlines; published by a single assignment, so never half old and half new."""

    fresh_until_boot: float
    fresh_until_wall: float
    signing: T
    credentials: Credentials
    expires_boot: float
    expires_wall: float
    lifetime: float
    windows: Windows
    generation: int

    @property
    def armed(self) -> bool:
        """Whether it has been read since it was published; only then is a refresh ahead of time worth it."""
        return self.fresh_until_boot != NEVER

    def remaining(self, clock: Clock) -> float:
        """Seconds until they end by the clock that says so first."""
        return min(self.expires_boot - clock.boot(), self.expires_wall - clock.wall())


def nothing() -> Snapshot[Any]:
    """What a cell holds before its first refresh."""
    credentials = Credentials(access_key_id="", secret_access_key="")
    return Snapshot(NEVER, NEVER, None, credentials, NEVER, NEVER, 0.0, Windows(0.0, 0.0, 0.0), 0)


def armed(snapshot: Snapshot[T]) -> Snapshot[T]:
    """The same snapshot, returned without a second look until its advisory window."""
    ahead = snapshot.windows.advisory
    return replace(
        snapshot,
        fresh_until_boot=snapshot.expires_boot - ahead,
        fresh_until_wall=snapshot.expires_wall - ahead,
    )
