"""The threads of a run."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from xsession._base import renew_after_fork

from ._calls import timed_out, too_many_hang
from ._outcomes import Outcome
from ._plan import Task

Done = tuple[Task, Outcome[Any]]

# A wait without an end can't be interrupted on every platform.
_LONGEST_WAIT = 0.5


class CallPool(Protocol):
    """Where calls are made. All of it is used in the caller's thread."""

    @property
    def left(self) -> int:
        """How many calls were left to themselves."""

    @property
    def hanging(self) -> Collection[str]:
        """The account of each call that was left to itself and has not ended, as far as that is known."""

    def submit(self, task: Task, /) -> None:
        """Has a call made."""

    def next(self, seconds: float, /) -> Done | None:
        """The next outcome; None: there was none within so many seconds."""

    def cancel(self) -> list[Task]:
        """Takes back what has not begun."""

    def abandon(self) -> list[Task]:
        """Leaves to itself what has begun and not ended; what comes of it is thrown away."""

    def close(self) -> None:
        """Waits for nobody: what is under way goes on, and what comes of it is thrown away."""


class Caller(Protocol):
    """Makes one call, in any thread; raises nothing."""

    def __call__(self, task: Task, /) -> Outcome[Any]:
        """What comes of it."""

    def close(self) -> None:
        """Ends what the calls share."""


class ThreadPool:
    """Makes calls in daemon threads. One whose call takes too long is left to itself, and another takes its place.

    Args:
        call: Makes the calls.
        max_workers: How many threads; and how many may be left to themselves.
        timeout: Seconds that a call may take; None: for ever.
        clock: Seconds of a clock that goes on evenly.
    """

    def __init__(
        self,
        call: Caller,
        max_workers: int,
        timeout: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._call = call
        self._max_workers = max_workers
        self._timeout = timeout
        self._clock = clock
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._done: SimpleQueue[Done] = SimpleQueue()
        # When each began, the first one first. Whoever takes a task out says what came of it: the thread, or we.
        self._began: dict[Task, tuple[float, threading.Thread]] = {}
        self._threads: set[threading.Thread] = set()
        self._submitted = 0
        self._closed = False
        # With the account in which each of them still is.
        self.abandoned: dict[threading.Thread, str] = {}
        self.left = self.late = 0
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Ends the thread of a forked child that was forked in a call, once that returns: nobody hands it another."""
        self._closed = True
        # Locks of the others may be held by threads that are not here.
        self._done = SimpleQueue()

    @property
    def hanging(self) -> Collection[str]:
        """The account of each call that was left to itself and has not ended."""
        return list(self.abandoned.values()) if self.abandoned else ()

    def submit(self, task: Task) -> None:
        """Has a call made."""
        self._submitted += 1
        self._tasks.put(task)
        if self._submitted > len(self._threads) < self._max_workers:
            self._start()

    def next(self, seconds: float) -> Done | None:
        """The next outcome; None: there was none within so many seconds."""
        until = self._clock() + seconds
        while True:
            if (lost := self._overdue() or self._never()) is not None:
                self._submitted -= 1
                return lost
            now = self._clock()
            try:
                done = self._done.get(timeout=max(0.0, min(until - now, self._next_limit(now), _LONGEST_WAIT)))
            except Empty:
                if self._clock() >= until:
                    return None
            else:
                self._submitted -= 1
                return done

    def cancel(self) -> list[Task]:
        """Takes back what has not begun."""
        taken = []
        with suppress(Empty):
            # What is in the queue of a closed pool ends its threads.
            while not self._closed and (task := self._tasks.get_nowait()) is not None:
                taken.append(task)
        self._submitted -= len(taken)
        return taken

    def abandon(self) -> list[Task]:
        """Leaves to itself what has begun and not ended; what comes of it is thrown away."""
        left = [task for task in list(self._began) if self._leave(task)]
        self._submitted -= len(left)
        return left

    def close(self) -> None:
        """Ends the threads; one that is in a call ends after that, and nobody waits for it."""
        self._closed = True
        threads = list(self._threads)
        for _ in threads:
            self._tasks.put(None)
        self._call.close()
        if not self._began:
            for thread in threads:
                # Ctrl-C may have come before one was started.
                if thread.is_alive():
                    thread.join(1.0)

    def _start(self) -> None:
        # Those that hang are not ended by anything: there must not be more and more of them.
        if len(self.abandoned) <= self._max_workers:
            thread = threading.Thread(target=self._serve, name="xsession-run", daemon=True)
            self._threads.add(thread)
            try:
                thread.start()
            except RuntimeError:  # the system gives no more; those that are there make the calls, one after the other
                self._threads.discard(thread)
                if not self._threads:
                    raise

    def _serve(self) -> None:
        me = threading.current_thread()
        while not self._closed and (task := self._tasks.get()) is not None and not self._closed:
            self._began[task] = self._clock(), me
            outcome = self._call(task)
            if self._began.pop(task, None) is None:
                self.late += 1
                self.abandoned.pop(me, None)
                return
            self._done.put((task, outcome))
            # Not held until the next one comes.
            del task, outcome

    def _next_limit(self, now: float) -> float:
        """Seconds until a call has taken too long."""
        if self._timeout is None:
            return _LONGEST_WAIT
        return min((began + self._timeout - now for began, _ in list(self._began.values())), default=_LONGEST_WAIT)

    def _overdue(self) -> Done | None:
        """A call that has taken too long; its thread is left to itself."""
        if self._timeout is None or self._closed:
            return None
        for task, (began, _) in list(self._began.items()):
            if self._clock() - began >= self._timeout and self._leave(task):
                self._start()
                return task, timed_out(task.unit, self._timeout)
        return None

    def _leave(self, task: Task) -> bool:
        """Whether a call was left to itself before it ended."""
        began = self._began.get(task)
        if began is None:
            return False
        # First: its thread looks for itself there once it has ended.
        self.abandoned[began[1]] = task.unit.account
        if self._began.pop(task, None) is None:
            self.abandoned.pop(began[1], None)
            return False
        self.left += 1
        self._threads.discard(began[1])
        return True

    def _never(self) -> Done | None:
        """A call that no thread will make: all of them hang."""
        if self._closed or self._threads or not self._submitted or self._began:
            return None
        try:
            task = self._tasks.get_nowait()
        except Empty:
            return None
        if task is None:
            return None
        return task, too_many_hang(task.unit, len(self.abandoned))
