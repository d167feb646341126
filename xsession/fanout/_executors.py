"""Calls in the processes of an executor: of the standard library, loky, dask, mpi4py, ray, or any other."""

from __future__ import annotations

import pickle
import secrets
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from hashlib import sha256
from queue import Empty, SimpleQueue
from typing import Any

from xsession._base import frozen, text_of
from xsession.errors import RunError, XSessionError

from ._calls import failed
from ._outcomes import Outcome
from ._pickles import dumps
from ._plan import Task, Unit
from ._remote import Claim, Job, Ticket, call_remotely, worker_lost
from ._threads import Done

# Larger jobs are sent to those processes alone that say they lack it.
_SMALL = 32_768
# What is handed to them begins, whatever happens: they put it in a pipe to their processes, or it can't be cancelled.
_POOLS = ("concurrent.futures.process", "loky.", "xsession.integrations.")
# Their futures are pending until they are done: they let themselves be cancelled though the call has begun.
_SILENT = ("distributed.", "xsession.integrations.")
_LOST = frozenset(
    {
        "ActorDiedError", "CancelledError", "KilledWorker", "LostRequestError", "NodeDiedError", "OutOfMemoryError",
        "OwnerDiedError", "TerminatedWorkerError", "WorkerCrashedError",
    }
)  # fmt: skip


def workers_of(executor: Executor) -> int | None:
    """How many calls an executor makes at once; None: it does not say."""
    client: Any = getattr(executor, "_client", None)
    if hasattr(client, "nthreads"):
        return max(1, sum(map(int, client.nthreads().values())))
    for name in ("_max_workers", "num_workers"):
        workers = getattr(executor, name, None)
        if isinstance(workers, int) and workers > 0:
            return workers
    return None


def takes_back(executor: Executor) -> bool:
    """Whether an executor can take back what was handed to it and has not begun; pools of processes can't, of some."""
    return not _is_of(executor, _POOLS)


def _is_of(executor: Executor, modules: tuple[str, ...]) -> bool:
    return any(cls.__module__.startswith(modules) for cls in type(executor).__mro__)


class ExecutorPool:
    """Makes calls in an executor, which is never shut down here.

    Args:
        executor: The executor.
        job: What all calls have in common.
        ticket: One call, by its task and its claim.
    """

    def __init__(self, executor: Executor, job: Job, ticket: Callable[[Task, Claim | None], Ticket]) -> None:
        self._executor = executor
        self._job = dumps(job)
        # Another one in each run: what a process remembers of a run does not outlive it.
        self._digest = sha256(secrets.token_bytes(16) + self._job).digest()
        self._ticket = ticket
        self._claims = claims_of(executor)
        self._is_silent = _is_of(executor, _SILENT)
        self._futures: dict[Task, Future[bytes | None]] = {}
        self._done: SimpleQueue[tuple[Task, Future[bytes | None]]] = SimpleQueue()
        self._sent = False
        self._again: set[Task] = set()
        self.left = 0
        # Only its processes know.
        self.hanging: tuple[str, ...] = ()

    def submit(self, task: Task) -> None:
        """Has a call made."""
        self._submit(task, with_job=not self._sent or len(self._job) <= _SMALL)

    def next(self, seconds: float) -> Done | None:
        """The next outcome; None: there was none within so many seconds."""
        while True:
            try:
                task, future = self._done.get(timeout=seconds)
            except Empty:
                return None
            if self._futures.get(task) is not future:
                # Taken back, or left to itself.
                continue
            del self._futures[task]
            outcome = self._outcome(task, future)
            if outcome is not None:
                self._again.discard(task)
                if self._claims is not None:
                    # Its scheduler may be gone by now.
                    with suppress(Exception):
                        self._claims.forget(task)
                return task, outcome

    def cancel(self) -> list[Task]:
        """Takes back what has not begun, as far as the executor knows what has."""
        return [] if self._is_silent else self._cancelled()

    def _cancelled(self) -> list[Task]:
        taken = [task for task, future in list(self._futures.items()) if future.cancel()]
        for task in taken:
            self._futures.pop(task, None)
        return taken

    def abandon(self) -> list[Task]:
        """Leaves to itself what has not ended; what comes of it is thrown away."""
        left = [task for task, future in self._futures.items() if not future.done()]
        for task in left:
            self._futures.pop(task).cancel()
        self.left += len(left)
        return left

    def close(self) -> None:
        """Takes back what has not begun; what has is left to itself."""
        self._cancelled()

    def _submit(self, task: Task, *, with_job: bool) -> None:
        try:
            claim = None if self._claims is None else self._claims.claim(task)
            ticket = pickle.dumps(self._ticket(task, claim))
            future = self._executor.submit(call_remotely, self._digest, self._job if with_job else None, ticket)
            future.add_done_callback(lambda done: self._done.put((task, done)))
        except Exception as error:  # noqa: BLE001 # it is broken, was shut down, or the account can't be sent to it
            future = Future()
            future.set_exception(error)
            self._done.put((task, future))
        self._futures[task] = future

    def _outcome(self, task: Task, future: Future[bytes | None]) -> Outcome[Any] | None:
        try:
            error = future.exception()  # not raised: a worker's sys.exit() must not end us
            packed = future.result() if error is None else None
            outcome = None if packed is None else pickle.loads(packed)  # noqa: S301 # of the caller's own workers
        except Exception as raised:  # noqa: BLE001 # of any executor
            error, outcome = raised, None
        if isinstance(outcome, Outcome):
            self._sent = True
            return outcome
        if error is None and outcome is None and task not in self._again:
            self._again.add(task)
            self._submit(task, with_job=True)
            return None
        return _executor_failed(task.unit, error or TypeError("what it brought back is no outcome"))


def _executor_failed(unit: Unit, error: BaseException) -> Outcome[Any]:
    """The outcome of a call of which the executor brought nothing back."""
    if isinstance(error, BrokenExecutor) or type(error).__name__ in _LOST:
        return worker_lost(unit, error)
    if isinstance(error, XSessionError):
        return failed(unit, error, "reach")
    msg = f"the executor did not make the call: {type(error).__name__}: {text_of(error)}"
    made = RunError(msg, account=unit.account, hint="check that its processes have xsession and the function's module")
    made.__cause__ = error
    return failed(unit, made, "reach")


def claims_of(executor: Executor) -> DaskClaims | None:
    """The claims that an executor offers; None: none, or its calls are never made twice by themselves."""
    if type(executor).__module__.startswith("distributed."):
        return DaskClaims(executor)
    return None


class DaskClaims:
    """Claims by events of dask's scheduler, which calls a function again whose worker died.

    Args:
        executor: dask's.
    """

    def __init__(self, executor: Any) -> None:
        self._client = executor._client  # noqa: SLF001 # nothing public has it
        self._run = secrets.token_hex(8)

    def claim(self, task: Task) -> DaskClaim:
        """The claim of a call."""
        return DaskClaim(self._name(task))

    def forget(self, task: Task) -> None:
        """Has the scheduler forget a claim."""
        from distributed import Event  # noqa: PLC0415 # it is there: the executor is its

        Event(self._name(task), client=self._client).clear()

    def _name(self, task: Task) -> str:
        account, region = task.unit.place
        return f"xsession-{self._run}-{account}-{region}-{task.attempt}-{task.selects:d}"


@frozen
class DaskClaim:
    """A claim by an event of dask's scheduler.

    Args:
        name: The event's name.
    """

    name: str

    def take(self) -> bool:
        """Whether this is the first one to take it."""
        from distributed import Event, get_client  # noqa: PLC0415 # it is there: its worker calls this

        event = Event(self.name, client=get_client())
        # One after the other: the scheduler hands it to a second worker once the first one is gone.
        if event.is_set():
            return False
        event.set()
        return True
