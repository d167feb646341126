"""The few threads that the whole process shares for refreshes.

Two queues: work that a caller waits for, and work in the background; and a heap of work that is due later. Threads are
daemons, start when there is something to do and end when there is not.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import weakref
from collections import deque
from collections.abc import Callable, Collection
from queue import Empty, SimpleQueue

from xsession._base import SYSTEM_CLOCK, Clock, renew_after_fork

Task = Callable[[], None]

MAX_URGENT_THREADS = 64
MAX_BACKGROUND_THREADS = 8
IDLE_SECONDS = 0.1


class _Pool:
    """Daemon threads that run tasks from one queue."""

    def __init__(self, name: str, size: int) -> None:
        self._name = name
        self._size = size
        self._condition = threading.Condition(threading.Lock())
        self._tasks: deque[Task] = deque()
        self._threads = 0
        self._idle = 0

    def submit(self, task: Task) -> None:
        with self._condition:
            self._tasks.append(task)
            if self._idle >= len(self._tasks):
                self._condition.notify()
                return
            if self._threads >= self._size:
                return
            self._threads += 1
        self._start_thread()

    def _start_thread(self) -> None:
        try:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        except RuntimeError:
            # No more threads, or the interpreter is shutting down: callers still get their answer.
            with self._condition:
                self._threads -= 1
                task = self._tasks.popleft() if self._tasks else None
            if task is not None:
                task()

    def _work(self) -> None:
        try:
            while (task := self._next()) is not None:
                task()
                # Held on to, the task would keep its cell, and so a closed session, alive while this thread is idle.
                del task
        except BaseException:
            with self._condition:
                # Another takes this one's place, so that what is queued does not wait for the next submission.
                succeeded = bool(self._tasks)
                self._threads -= not succeeded
            if succeeded:
                self._start_thread()
            raise

    def _next(self) -> Task | None:
        with self._condition:
            woken = True
            # Woken for a task that a busy thread took meanwhile, it goes on waiting: ending and starting costs more.
            while woken and not self._tasks:
                self._idle += 1
                woken = self._condition.wait(IDLE_SECONDS)
                self._idle -= 1
            if self._tasks:
                return self._tasks.popleft()
            self._threads -= 1
            return None


class _Wake:
    """Wakes the timer. Unlike an Event, it may be set from a weak reference's callback, in the middle of anything."""

    def __init__(self) -> None:
        self._signals: SimpleQueue[None] = SimpleQueue()

    def set(self, _gone: object = None) -> None:
        self._signals.put(None)

    def wait(self, timeout: float) -> bool:
        try:
            self._signals.get(timeout=timeout)
        except Empty:
            return False
        return True


class Workers:
    """Runs refreshes now, in the background, or later.

    Args:
        clock: What "later" is measured by.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._urgent = _Pool("xsession-flight", MAX_URGENT_THREADS)
        self._background = _Pool("xsession-refresh", MAX_BACKGROUND_THREADS)
        self._lock = threading.Lock()
        self._wake = _Wake()
        self._due: list[tuple[float, int, weakref.WeakMethod[Task]]] = []
        self._order = itertools.count()
        self._timer_runs = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Forgets the parent's threads and their work: none of it exists in the child."""
        self.__init__(self._clock)  # type: ignore[misc]  # a child starts as a new process does

    def submit(self, task: Task, *, urgent: bool) -> None:
        """Runs `task` soon in a thread of its own kind; a task handles its own exceptions.

        Args:
            task: What to run.
            urgent: Whether a caller waits for it.
        """
        (self._urgent if urgent else self._background).submit(task)

    def submit_at(self, due: float, task: Task) -> None:
        """Runs `task`, a bound method, in the background at a boot-clock time, unless its object is gone by then."""
        entry = (due, next(self._order), weakref.WeakMethod(task, self._wake.set))
        with self._lock:
            heapq.heappush(self._due, entry)
            if self._timer_runs:
                if self._due[0] is entry:
                    self._wake.set()
                return
            self._timer_runs = True
        try:
            threading.Thread(target=self._time, name="xsession-timer", daemon=True).start()
        except RuntimeError:  # no more threads: whoever reads when it is due refreshes, and the next one tries again
            self._timer_runs = False

    def _time(self) -> None:
        try:
            self._run_timer()
        except BaseException:
            self._timer_runs = False
            raise

    def _run_timer(self) -> None:
        while (step := self._next_step()) is not None:
            if callable(step):
                self.submit(step, urgent=False)
            else:
                self._clock.wait(self._wake, step)

    def _next_step(self) -> Task | float | None:
        # What is due; or the seconds to wait for it, without holding its object meanwhile.
        with self._lock:
            while self._due:
                task = self._due[0][2]()
                delay = self._due[0][0] - self._clock.boot()
                if task is not None and delay > 0:
                    return delay
                heapq.heappop(self._due)
                if task is not None:
                    return task
            self._timer_runs = False
            return None

    def forget(self, owners: Collection[object]) -> None:
        """Forgets what is due later for these objects; a timer that has nothing left ends."""
        with self._lock:
            kept = [entry for entry in self._due if (task := entry[2]()) and task.__self__ not in owners]  # type: ignore[attr-defined]  # a bound method's object
            self._due[:] = kept
            heapq.heapify(self._due)
        self._wake.set()


SHARED_WORKERS = Workers()
"""Those of the whole process; they have no thread until there is something to do."""
