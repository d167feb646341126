"""One refresh of one hop's credentials, under way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from xsession._base import frozen
from xsession.errors import XSessionError

from ._failure import Failure
from ._lanes import ThrottledTime, throttled_time_here
from ._policy import RefreshState
from ._snapshot import Issued, Snapshot

T = TypeVar("T")


class Fetch(Protocol):
    """Gets new credentials for one hop."""

    def __call__(self, background: bool, try_limit: float, mfa_code: str | None, /) -> Issued:
        """Asks for them; raises `XSessionError`.

        Args:
            background: Whether no caller waits.
            try_limit: Seconds that STS has for an answer to each try.
            mfa_code: The code that a caller gave for this very refresh, if any.
        """

    def forget(self, access_key_id: str | None, /) -> None:
        """Forgets what is kept elsewhere; with a key id, only if that is what is kept."""

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""

    @property
    def held_back(self) -> bool:
        """Whether calls wait because STS throttles."""


class Flight:
    """One refresh under way. Whoever claims it runs it; everybody else waits for `done`.

    Args:
        run: Does the work.
        background: Whether no caller waits.
        mfa_code: The code that a caller gave for it; forgotten as soon as the work begins.
    """

    __slots__ = (
        "_claim",
        "_mfa_code",
        "_run",
        "_throttled",
        "_throttled_before",
        "_throttled_for",
        "background",
        "done",
        "error",
        "has_mfa_code",
        "overdue",
        "started",
        "voided",
    )

    def __init__(self, run: Callable[[Flight], None], *, background: bool, mfa_code: str | None = None) -> None:
        self._run = run
        self._mfa_code = mfa_code
        self.has_mfa_code = mfa_code is not None
        self._claim = threading.Lock()
        self._throttled: ThrottledTime | None = None
        self._throttled_before = self._throttled_for = 0.0
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
                self._throttled_for, self._throttled = self.throttled(0.0), None
                self._mfa_code = None
                self.done.set()

    def start(self, now: float) -> None:
        """Takes note that this thread begins it.

        Args:
            now: The boot clock's reading, in seconds.
        """
        throttled = throttled_time_here()
        self._throttled_before = throttled.seconds(now)
        self._throttled = throttled
        self.started = now

    def take_mfa_code(self) -> str | None:
        """The code, which is not kept any longer than this."""
        code, self._mfa_code = self._mfa_code, None
        return code

    def throttled(self, now: float) -> float:
        """Seconds for which it was held back because STS throttles."""
        here = self._throttled
        return self._throttled_for if here is None else here.seconds(now) - self._throttled_before

    def age(self, now: float) -> float:
        """Seconds for which STS had it; neither the time that it waits for a thread nor that held back counts."""
        return 0.0 if self.started is None else now - self.started - self.throttled(now)


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
