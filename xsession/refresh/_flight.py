"""One refresh of one hop's credentials: under way, or failed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from xsession._base import frozen
from xsession.errors import XSessionError

from ._lanes import ThrottledTime, throttled_time_here
from ._snapshot import Issued


@frozen
class Label:
    """What events and errors call a hop.

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

    def __call__(self, background: bool, try_limit: float, /) -> Issued:
        """Asks for them; raises `XSessionError`.

        Args:
            background: Whether no caller waits.
            try_limit: Seconds that STS has for an answer to each try.
        """

    def forget(self, access_key_id: str | None, /) -> None:
        """Forgets what is kept elsewhere; with a key id, only if that is what is kept."""

    @property
    def held_back(self) -> bool:
        """Whether calls wait because STS throttles."""


@frozen
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


class Flight:
    """One refresh under way. Whoever claims it runs it; everybody else waits for `done`."""

    __slots__ = (
        "_claim",
        "_held",
        "_held_before",
        "_held_for",
        "_run",
        "background",
        "done",
        "error",
        "overdue",
        "started",
        "voided",
    )

    def __init__(self, run: Callable[[Flight], None], *, background: bool) -> None:
        self._run = run
        self._claim = threading.Lock()
        self._held: ThrottledTime | None = None
        self._held_before = self._held_for = 0.0
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
                # From here on, what holds this thread back is another flight's.
                self._held_for, self._held = self.held(0.0), None
                self.done.set()

    def start(self, now: float) -> None:
        """Takes note that this thread begins it.

        Args:
            now: The boot clock's reading, in seconds.
        """
        held = throttled_time_here()
        self._held_before = held.seconds(now)
        self._held = held
        self.started = now

    def held(self, now: float) -> float:
        """Seconds for which it was held back because STS throttles."""
        held = self._held
        return self._held_for if held is None else held.seconds(now) - self._held_before

    def age(self, now: float) -> float:
        """Seconds for which STS had it; neither the time that it waits for a thread nor that held back counts."""
        return 0.0 if self.started is None else now - self.started - self.held(now)
