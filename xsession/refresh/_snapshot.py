"""One set of credentials with the moments at which its treatment changes."""

from __future__ import annotations

import functools
from typing import Any, Generic, TypeVar

from xsession._base import Clock, frozen
from xsession.credentials import Credentials

from ._policy import Windows

T = TypeVar("T")

NEVER = float("-inf")


@frozen
class Issued:
    """What a fetch brings back.

    Args:
        credentials: With `lifetime` and `issued_at` filled in.
        sent_boot: The boot clock's reading, in seconds, when the request was sent.
    """

    credentials: Credentials
    sent_boot: float


@frozen
class Deadline:
    """A moment on both clocks, whichever comes first: from then on nothing is signed any more.

    Args:
        boot: The boot clock's reading, in seconds.
        wall: The wall clock's reading, in seconds since 1970.
    """

    boot: float
    wall: float

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> Deadline:
        """The moment that lies `seconds` ahead."""
        return cls(clock.boot() + seconds, clock.wall() + seconds)

    def left(self, clock: Clock) -> float:
        """Seconds until then, by the clock that says so first."""
        return min(self.boot - clock.boot(), self.wall - clock.wall())


@frozen
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

    def outlives(self, deadline: Deadline) -> bool:
        """Whether they may be used until the deadline without a refresh."""
        hard = self.windows.hard
        return self.expires_boot - hard >= deadline.boot and self.expires_wall - hard >= deadline.wall


def as_snapshot(issued: Issued, signing: T, lifetime: float, windows: Windows) -> Snapshot[T]:
    """What a fetch brought, with its end by both clocks; the cell that publishes it counts the generation.

    Args:
        issued: With `issued_at`.
        signing: What requests are signed with.
        lifetime: Seconds from issue to end.
        windows: When its treatment changes.
    """
    credentials = issued.credentials
    asked = NEVER if credentials.issued_at is None else credentials.issued_at.timestamp()
    return Snapshot(
        # Not armed yet: the first reader shows that a refresh ahead of time is worth it.
        fresh_until_boot=NEVER,
        fresh_until_wall=NEVER,
        signing=signing,
        credentials=credentials,
        expires_boot=issued.sent_boot + lifetime,
        expires_wall=asked + lifetime,
        lifetime=lifetime,
        windows=windows,
        generation=0,
    )


@functools.cache
def nothing() -> Snapshot[Any]:
    """What cells hold before their first refresh: one snapshot for all of them."""
    credentials = Credentials(access_key_id="", secret_access_key="")
    return Snapshot(NEVER, NEVER, None, credentials, NEVER, NEVER, 0.0, Windows(0.0, 0.0, 0.0), 0)
