"""One refresh of one hop's credentials, under way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from xsession._base import Latch, frozen
from xsession.errors import XSessionError

from ._failure import Failure
from ._lanes import Lane
from ._policy import RefreshState
from ._snapshot import Issued, Snapshot
from ._this_thread import ThrottledTime, given_up_with, this_thread

if TYPE_CHECKING:
    from ._cell import Cell

T = TypeVar("T")

# Which flight each worker waits for that some other thread runs.
_awaited: dict[int, Flight] = {}


class Fetch(Protocol):
    """Gets new credentials for one hop."""

    def __call__(self, background: bool, try_limit: float, mfa_code: str | None, /) -> Issued:
        """Asks for them; raises `XSessionError`.

        Args:
            background: Whether no caller waits.
            try_limit: Seconds that STS has for an answer to each try.
            mfa_code: The code that a caller gave for this very refresh, if any.
        """

    @property
    def is_kept(self) -> bool:
        """Whether they lie somewhere already, for a cell that holds none; looks there."""

    def forget(self, access_key_id: str | None, /) -> None:
        """Forgets what is kept elsewhere; with a key id, only if that is what is kept."""

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""

    @property
    def lane(self) -> Lane | None:
        """Where its calls wait while STS throttles, and whose threads they take; None: it calls nobody."""

    @property
    def hop_before(self) -> Cell[Any] | None:
        """The hop before, whose credentials it needs; None: it is the first."""

    @property
    def may_be_kept(self) -> bool:
        """Whether they may lie somewhere already, so that the hop before is asked only where they do not."""


class Flight:
    """One refresh under way. The thread that claims it runs it; all others wait for `done`.

    It runs in a copy of the context that it is made in, whatever thread runs it: so hooks, and libraries that trace
    requests, find the span of the caller that it was begun for.

    Args:
        run: Does the work.
        background: Whether no caller waits.
        mfa_code: The code that a caller gave for it; forgotten as soon as the work begins.
    """

    __slots__ = (
        "_claim",
        "_context",
        "_followers",
        "_mfa_code",
        "_run",
        "_throttled",
        "_throttled_before",
        "_throttled_for",
        "background",
        "done",
        "error",
        "has_mfa_code",
        "launched",
        "overdue",
        "runner",
        "started",
        "voided",
    )

    def __init__(self, run: Callable[[Flight], None], *, background: bool, mfa_code: str | None = None) -> None:
        self._run = run
        self._mfa_code = mfa_code
        self.has_mfa_code = mfa_code is not None
        self._claim = threading.Lock()
        self._followers: dict[object, Callable[[], None]] = {}
        self._throttled: ThrottledTime | None = None
        self._throttled_before = self._throttled_for = 0.0
        self.background = background
        self._context: Context | None = copy_context()
        # Also as soon as nobody wants its answer any more.
        self.done = Latch()
        self.error: XSessionError | None = None
        self.launched = False
        self.runner: int | None = None
        self.started: float | None = None
        self.overdue = False
        self.voided = False

    def run(self) -> None:
        """Runs it, unless another thread does, or no caller wants it any more."""
        if self._claim.acquire(blocking=False):
            self.runner = threading.get_ident()
            context, self._context = self._context, None
            try:
                if not self.voided and context is not None:
                    with given_up_with(self.done):
                        context.run(self._run, self)
            finally:
                # From here on, what holds this thread back is another flight's.
                self._throttled_for, self._throttled = self.throttled(0.0), None
                self._mfa_code = self.runner = None
                self.land()

    @property
    def runs_elsewhere(self) -> bool:
        """Whether another thread is at it."""
        return self.runner not in (None, threading.get_ident())

    def land(self) -> None:
        """Wakes all that wait for it. Never called under a lock."""
        self.done.set()
        while self._followers:
            try:
                _, follow = self._followers.popitem()
            except KeyError:
                return
            follow()

    def then(self, who: object, follow: Callable[[], None]) -> None:
        """Has a function called when it is over: at once, if it is.

        Args:
            who: For whom; only the last one's function of each is called.
            follow: The function.
        """
        self._followers[who] = follow
        if self.done.is_set():
            self.land()

    def start(self, now: float) -> None:
        """Records that this thread begins it.

        Args:
            now: The boot clock's reading, in seconds.
        """
        throttled = this_thread.throttled
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
    """What one look at a cell found, and the refresh that it began, if it was time for one.

    `ended` is set when the credentials are thrown away, where there is no flight to wait for; `until_deadline` is in
    seconds.
    """

    snapshot: Snapshot[T]
    state: RefreshState
    remaining: float
    now: float
    flight: Flight | None
    began: Flight | None
    failure: Failure | None
    ended: Latch | None
    until_deadline: float


@contextmanager
def waiting_for(flight: Flight) -> Iterator[bool]:
    """Within the block, this thread waits for a flight; gives whether that is in vain, since the flight waits for it.

    A hook, or a function that gives tokens, can bring a worker here: it would wait for what it runs itself.
    """
    here = threading.get_ident()
    # Noted first: of two threads that come at once, one sees the other.
    _awaited[here] = flight
    try:
        yield _runs(here, flight)
    finally:
        _awaited.pop(here, None)


def _runs(thread: int, flight: Flight | None) -> bool:
    # Follows who waits for whom; no chain of them is longer than there are threads.
    for _ in range(len(_awaited) + 1):
        runner = None if flight is None else flight.runner
        if runner is None:
            return False
        if runner == thread:
            return True
        flight = _awaited.get(runner)
    return False
