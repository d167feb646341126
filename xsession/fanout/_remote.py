"""What runs in the processes of an executor."""

from __future__ import annotations

import functools
import pickle
import threading
from collections import OrderedDict
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from xsession._base import frozen, renew_after_fork, text_of
from xsession.errors import RunError, SourceCredentialsError, WorkerLostError

from ._calls import Calls, failed, timed_out
from ._outcomes import Outcome
from ._pickles import pack
from ._plan import Task, Unit

_MOST_JOBS = 4
_MOST_ABANDONED = 32


class Claim(Protocol):
    """Says to all processes that a call is made: a scheduler may hand it to a second one when the first one dies."""

    def take(self) -> bool:
        """Whether this is the first one to take it."""


@frozen
class Reached:
    """Reaches accounts in another process.

    Args:
        open: Makes the session of an account there, of what follows.
        session: The pickled session.
    """

    open: Callable[..., Any]
    session: bytes

    def __call__(self, account: Any, account_id: str | None, region_name: str | None) -> Any:
        """The session of an account, whose credentials are there."""
        session = self.open(self.session, account, account_id, region_name)
        session.get_credentials().get_frozen_credentials()
        return session


@frozen
class Job:
    """What all calls of a run have in common; sent to a process once, and not with each call.

    Args:
        func: Called with the account's session.
        arguments: What it gets beside it.
        reach: Reaches an account.
        regions_of: The regions that an account has enabled.
        timeout: Seconds that a call may take; None: for ever.
    """

    func: Callable[..., Any]
    arguments: dict[str, Any]
    reach: Reached
    regions_of: Callable[[Any], tuple[str, ...]]
    timeout: float | None


@frozen
class Ticket:
    """One call.

    Args:
        task: What is to be done.
        account: The account, as the session finds it: its name, or itself where it is not registered.
        account_id: The id that it must have; None: it is not known.
        region_name: The region of its clients.
        source: Stands for the source that its chain begins with.
        claim: Taken before the function is called; None: the executor offers none.
    """

    task: Task
    account: Any
    account_id: str | None
    region_name: str | None
    source: str = ""
    claim: Claim | None = None


def call_remotely(digest: bytes, job: bytes | None, ticket: bytes) -> bytes | None:
    """Makes one call, in a process of the executor.

    Args:
        digest: Stands for the job.
        job: The pickled job; None: it was sent before.
        ticket: The pickled ticket.

    Returns:
        The packed outcome; None: this process has not been sent the job.
    """
    made = _jobs().get(digest, job)
    if made is None:
        return None
    read: Ticket = pickle.loads(ticket)  # noqa: S301 # of the process that runs this one
    return pack(made.outcome(read))


class WorkerJob:
    """A job in a process of the executor.

    Args:
        job: The job.
    """

    def __init__(self, job: Job) -> None:
        self._job = job
        # Once the source of this process has no credentials, it is not looked for again with each call.
        self._without_source: dict[str, SourceCredentialsError] = {}
        self._abandoned = 0
        self._lock = threading.RLock()
        # As long as this process has the job, it has its session: each new one would assume all roles again.
        self._session: Any = None

    def outcome(self, ticket: Ticket) -> Outcome[Any]:
        """What comes of one call."""
        unit = ticket.task.unit
        if ticket.claim is not None and not ticket.claim.take():
            msg = "the process that called the function died, and it is not called a second time"
            return failed(unit, WorkerLostError(msg, account=unit.account), "call")
        job = self._job
        calls: Calls[Any, Any] = Calls(
            lambda session: job.func(session, **job.arguments), lambda _unit: self._reach(ticket), job.regions_of
        )
        try:
            return calls(ticket.task) if job.timeout is None else self._limited(calls, ticket.task, job.timeout)
        finally:
            calls.close()

    def _reach(self, ticket: Ticket) -> Any:
        known = self._without_source.get(ticket.source)
        if known is not None:
            raise known.for_caller(ticket.task.unit.account)
        try:
            session = self._job.reach(ticket.account, ticket.account_id, ticket.region_name)
        except SourceCredentialsError as error:
            self._without_source[ticket.source] = error.for_caller()
            raise
        self._session = session
        return session

    def _limited(self, calls: Calls[Any, Any], task: Task, seconds: float) -> Outcome[Any]:
        if self._abandoned >= _MOST_ABANDONED:
            msg = f"not called: {self._abandoned} calls in this process are past their time limit and have not ended"
            return failed(task.unit, RunError(msg, account=task.unit.account), "select")
        done: SimpleQueue[Outcome[Any]] = SimpleQueue()
        left = threading.Event()

        def call() -> None:
            outcome = calls(task)
            with self._lock:
                done.put(outcome)
                self._abandoned -= left.is_set()

        threading.Thread(target=call, name="xsession-call", daemon=True).start()
        try:
            return done.get(timeout=seconds)
        except Empty:
            with self._lock:
                if not done.empty():  # at the last moment
                    return done.get()
                self._abandoned += 1
                left.set()
            return timed_out(task.unit, seconds)


class _Jobs:
    """The jobs of this process, the latest ones."""

    def __init__(self) -> None:
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        self._lock = threading.RLock()
        self._jobs: OrderedDict[bytes, WorkerJob] = OrderedDict()

    def get(self, digest: bytes, job: bytes | None) -> WorkerJob | None:
        with self._lock:
            made = self._jobs.get(digest)
            if made is None and job is not None:
                made = self._jobs[digest] = WorkerJob(pickle.loads(job))  # noqa: S301 # of whoever runs this process
                while len(self._jobs) > _MOST_JOBS:
                    self._jobs.popitem(last=False)
            return made


@functools.cache
def _jobs() -> _Jobs:
    return _Jobs()


def worker_lost(unit: Unit, error: BaseException) -> Outcome[Any]:
    """The outcome of a call whose process died."""
    msg = f"the process that made the call died: {type(error).__name__}: {text_of(error)}"
    hint = "see whether it ran out of memory; retries= calls again"
    return failed(unit, WorkerLostError(msg, account=unit.account, retryable=True, hint=hint), "call")
