"""The few threads that the whole process shares for refreshes.

Two pools: for work that a caller waits for, and for work in the background; and a heap of work that is due later.
Threads are daemons, start when there is something to do and end when there is not.
"""

from __future__ import annotations

import heapq
import itertools
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import Context

from xsession._base import SYSTEM_CLOCK, Clock, Latch, held_here, renew_after_fork

from ._lanes import Lane
from ._pool import Pool, Task
from ._this_thread import this_thread

MAX_URGENT_THREADS = 64
MAX_BACKGROUND_THREADS = 8
_START_SECONDS = 0.002
_MOST_PAUSES = 5
_BUSY_SHARE = 0.5

_Entry = tuple[float, int, weakref.WeakMethod[Task]]


class _Wake:
    """Wakes the timer; however often it is set meanwhile, once.

    Unlike an Event, it may be set from a weak reference's callback, in the middle of anything.
    """

    def __init__(self) -> None:
        self._asleep = threading.Lock()
        self._asleep.acquire()

    def set(self, _gone: object = None) -> None:
        try:
            self._asleep.release()
        except RuntimeError:
            # It is set already.
            return

    def wait(self, timeout: float) -> bool:
        return self._asleep.acquire(timeout=min(max(timeout, 0.0), threading.TIMEOUT_MAX))


class Workers:
    """Runs refreshes now, in the background, or later.

    Args:
        clock: What "later" is measured by.
    """

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._urgent = Pool("xsession-flight", MAX_URGENT_THREADS, clock, self.submit_at)
        self._background = Pool("xsession-refresh", MAX_BACKGROUND_THREADS, clock, self.submit_at)
        self._starts = Pool("xsession-start", 1, clock, self.submit_at)
        self._handed: deque[Task] = deque()
        self._starting = False
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        self._wake = _Wake()
        self._due: list[_Entry] = []
        self._order = itertools.count()
        self._timer_runs = False
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Forgets the parent's threads and their work: none of it exists in the child."""
        self.__init__(self._clock)  # type: ignore[misc]  # a child starts as a new process does

    @property
    def submitting_here(self) -> bool:
        """Whether this thread is in the middle of this: a signal handler that came in may wait for nothing then."""
        if this_thread.submits or held_here(self._lock):
            return True
        return self._urgent.held_here or self._background.held_here or self._starts.held_here

    def submit(self, task: Task, *, urgent: bool, lane: Lane | None = None, unwanted: Latch | None = None) -> None:
        """Runs `task` soon in a thread of its own kind; a task handles its own exceptions.

        Args:
            task: What to run.
            urgent: Whether a caller waits for it.
            lane: Where its calls wait while STS throttles; it takes no thread before that lets it pass, and its lane
                takes no more threads than others can spare. None: it calls nobody.
            unwanted: Set when it need not run any more; None: it must in any case.
        """
        with _submitting():
            (self._urgent if urgent else self._background).submit(task, lane, unwanted)

    def hand_over(self, task: Task) -> None:
        """Runs a task that starts others, and blocks for nobody; for event loops, which threads that start hold up."""
        self._handed.append(task)
        if not self._starting:
            self._starting = True
            with _submitting():
                self._starts.submit(self._start_handed, lane=None, unwanted=None)

    def _start_handed(self) -> None:
        try:
            while self._handed:
                self._handed.popleft()()
                pause()
                if not self._handed:
                    # Before the last look: whoever comes after it finds that nobody is at it.
                    self._starting = False
        finally:
            self._starting = False

    def submit_at(self, due: float, task: Task) -> None:
        """Runs `task`, a bound method, in the background at a boot-clock time, unless its object is gone."""
        entry = (due, next(self._order), weakref.WeakMethod(task, self._wake.set))
        with self._lock:
            heapq.heappush(self._due, entry)
            if self._timer_runs:
                if self._due[0] is entry:
                    self._wake.set()
                return
            self._timer_runs = True
        try:
            with _submitting():
                # In nobody's context, as in `_pool`.
                threading.Thread(target=Context().run, args=(self._time,), name="xsession-timer", daemon=True).start()
        except RuntimeError:  # no more threads: a reader refreshes when it is due, and the next one tries again
            self._timer_runs = False

    def _time(self) -> None:
        try:
            self._run_timer()
        except BaseException:
            self._timer_runs = False
            raise

    def _run_timer(self) -> None:
        while (step := self._next_step()) is not None:
            if not callable(step):
                self._clock.wait(self._wake, step)
            elif step in (self._urgent.wake, self._background.wake):
                # Not one more task: it is what gives the others their threads.
                step()
            else:
                self.submit(step, urgent=False)
            # Held on to, it would keep its object alive.
            del step

    def _next_step(self) -> Task | float | None:
        # What is due; or the seconds to wait for it, without holding its object meanwhile.
        with self._lock:
            while self._due:
                entry = self._due[0]
                task = entry[2]()
                delay = entry[0] - self._clock.boot()
                if task is not None and delay > 0 and not self._is_in_vain(task):
                    return delay
                self._remove(entry)
                if task is not None:
                    return task
            self._timer_runs = False
            return None

    def _is_in_vain(self, task: Task) -> bool:
        # A pool whose work is not wanted any more keeps no timer alive.
        return any(task == pool.wake and not pool.is_waiting for pool in (self._urgent, self._background))

    def _remove(self, entry: _Entry) -> None:
        if self._due[0] is entry:
            heapq.heappop(self._due)
        else:
            # `__del__` came in, and submitted another one.
            self._due.remove(entry)
            heapq.heapify(self._due)

    def forget(self, owners: Collection[object]) -> None:
        """Forgets what is due later for these objects, and what nobody wants any more; without work, threads end."""
        for pool in (self._urgent, self._background):
            pool.forget_unwanted()
        with self._lock:
            kept = [entry for entry in self._due if (task := entry[2]()) and task.__self__ not in owners]  # type: ignore[attr-defined]  # a bound method's object
            self._due[:] = kept
            heapq.heapify(self._due)
        self._wake.set()


def pause(
    sleep: Callable[[float], object] = time.sleep,
    now: Callable[[], float] = time.perf_counter,
    spent: Callable[[], float] = time.process_time,
) -> None:
    """Sleeps for a moment between the starts of threads, and again while others are busy.

    Threads that all start at once, and the event loop, would wait for each other: one runs Python at a time. Where this
    thread is woken late, so is the loop; and where others compute for most of the time, the loop waits for several of
    them one after the other.

    Args:
        sleep: Sleeps for so many seconds.
        now: A clock's reading, in seconds.
        spent: The CPU time of all threads of the process, in seconds.
    """
    for _ in range(_MOST_PAUSES):
        began, spent_before = now(), spent()
        sleep(_START_SECONDS)
        took = now() - began
        if took < 2 * _START_SECONDS and spent() - spent_before < _BUSY_SHARE * took:
            return


@contextmanager
def _submitting() -> Iterator[None]:
    before = this_thread.submits
    try:
        this_thread.submits = True
        yield
    finally:
        this_thread.submits = before


SHARED_WORKERS = Workers()
"""Those of the whole process; they have no thread until there is something to do."""
