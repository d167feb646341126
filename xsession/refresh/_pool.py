"""Daemon threads of one kind, and who of those that wait gets the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context

from xsession._base import Clock, Latch, held_here

from ._bulkheads import ANSWER_SECONDS, earned, may_take
from ._lanes import Lane
from ._this_thread import this_thread

Task = Callable[[], object]

IDLE_SECONDS = 0.1


class _Queue:
    """The tasks of one lane that wait for a thread, and those that have one.

    Args:
        lane: The lane; None: these tasks call nobody.
    """

    __slots__ = ("began", "lane", "more", "waiting")

    def __init__(self, lane: Lane | None) -> None:
        self.lane = lane
        # In the order in which they came; with what says that a task is not wanted any more.
        self.waiting: dict[Task, Latch | None] = {}
        # Since when each thread is at it, the first one first.
        self.began: dict[object, float] = {}
        self.more = 0


class _Job:
    """A task that has a thread.

    Args:
        queue: Where it waited.
        task: What is run.
    """

    __slots__ = ("queue", "task")

    def __init__(self, queue: _Queue, task: Task) -> None:
        self.queue = queue
        self.task = task


class Pool:
    """Threads that run tasks, lane by lane in turn.

    Args:
        name: Of its threads.
        size: How many there may be.
        clock: The boot clock's readings are used.
        wake_at: Has `wake` called at a boot-clock time: a lane lets the next task pass then.
    """

    def __init__(self, name: str, size: int, clock: Clock, wake_at: Callable[[float, Task], None]) -> None:
        self._name = name
        self._size = size
        self._clock = clock
        self._wake_at = wake_at
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._condition = threading.Condition(threading.RLock())
        self._queues: dict[Lane | None, _Queue] = {}
        self._threads = self._idle = self._busy = 0
        # How many threads the lanes of one caller, and those to one region, have.
        self._held: dict[tuple[str, str], int] = {}
        # Idle ones that were called and new ones that were started, and that have not looked for work since.
        self._called = self._starting = 0
        self._turn: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether there is work that has no thread yet."""
        return any(queue.waiting for queue in list(self._queues.values()))

    @property
    def held_here(self) -> bool:
        """Whether this thread is in the middle of it."""
        return held_here(self._condition)

    def submit(self, task: Task, lane: Lane | None, unwanted: Latch | None) -> None:
        """Runs a task as soon as there is a thread for its lane, and the lane lets it pass; once, if it waits already.

        Args:
            task: What to run.
            lane: Whose threads it takes; None: it calls nobody.
            unwanted: Set when it need not run any more; None: it must in any case.
        """
        with self._condition:
            queue = self._queues.get(lane)
            if queue is None:
                queue = self._queues[lane] = _Queue(lane)
            queue.waiting.setdefault(task, unwanted)
            turn = self._turn_of(queue, self._clock.boot())
            starts = turn == 0.0 and self._call_one()
        self._after(starts, turn)

    def wake(self) -> None:
        """Looks again, since a lane lets the next task pass."""
        with self._condition:
            self._turn = None
            turn = self._next_turn()
            starts = turn == 0.0 and self._call_one()
        self._after(starts, turn)

    def forget_unwanted(self) -> None:
        """Forgets the tasks that are not wanted any more."""
        with self._condition:
            for queue in list(self._queues.values()):
                for task, unwanted in list(queue.waiting.items()):
                    if unwanted is not None and unwanted.is_set():
                        queue.waiting.pop(task, None)
            self._next_turn()

    def _after(self, starts: bool, turn: float | None) -> None:
        # Outside of the lock: a thread that can't be started makes this one do the work.
        if starts:
            self._start_thread()
        elif turn:
            self._come_back(turn)

    def _come_back(self, turn: float) -> None:
        with self._condition:
            if self._turn is not None and self._turn <= turn:
                return
            self._turn = turn
        self._wake_at(turn, self.wake)

    def _turn_of(self, queue: _Queue, now: float) -> float | None:
        # When its next task may run; 0.0: now; None: when another of its tasks ends, or there is none.
        while queue.waiting:
            task = next(iter(queue.waiting))
            unwanted = queue.waiting[task]
            if unwanted is None or not unwanted.is_set():
                break
            del queue.waiting[task]
        if not queue.waiting:
            return None
        lane, began = queue.lane, queue.began
        if lane is None:
            return 0.0 if self._busy < self._size else None
        if lane.busy or (began and now - next(iter(began.values())) >= ANSWER_SECONDS):
            queue.more = 0
        if not may_take(self._size, busy=self._busy, held=len(began), more=queue.more):
            return None
        # A region may hang for many callers, and a caller in many regions: one thread each would be all of them.
        for end in lane.ends:
            if not may_take(self._size, busy=self._busy, held=self._held.get(end, 0), more=self._size):
                return None
        delay = lane.delay()
        return now + delay if delay > 0 else 0.0

    def _next_turn(self) -> float | None:
        now, earliest = self._clock.boot(), None
        for queue in list(self._queues.values()):
            turn = self._turn_of(queue, now)
            if turn == 0.0:
                return turn
            if turn is not None and (earliest is None or turn < earliest):
                earliest = turn
            elif not queue.waiting and not queue.began:
                self._queues.pop(queue.lane, None)
        return earliest

    def _taken(self) -> _Job | None:
        now = self._clock.boot()
        for queue in list(self._queues.values()):
            if self._turn_of(queue, now) != 0.0:
                continue
            # The others come before it next time.
            self._queues.pop(queue.lane, None)
            self._queues[queue.lane] = queue
            job = _Job(queue, next(iter(queue.waiting)))
            del queue.waiting[job.task]
            queue.began[job] = now
            self._busy += 1
            if queue.lane is not None:
                for end in queue.lane.ends:
                    self._held[end] = self._held.get(end, 0) + 1
                if queue.lane.take_place():
                    this_thread.place = queue.lane
            return job
        return None

    def _end(self, job: _Job) -> None:
        queue = job.queue
        began = queue.began.pop(job)
        self._busy -= 1
        if queue.lane is not None:
            for end in queue.lane.ends:
                self._held[end] -= 1
                if not self._held[end]:
                    del self._held[end]
        queue.more = earned(queue.more, seconds=self._clock.boot() - began, size=self._size)

    def _call_one(self) -> bool:
        # Has one more thread come; returns whether it must be started.
        if self._idle > self._called:
            self._called += 1
            self._condition.notify()
            return False
        if self._threads >= self._size:
            return False
        self._threads += 1
        self._starting += 1
        return True

    def _start_thread(self) -> None:
        try:
            # In nobody's context: instrumented threads would go on in that of whoever happened to start them.
            threading.Thread(target=Context().run, args=(self._work,), name=self._name, daemon=True).start()
        except RuntimeError:
            # No more threads, or the interpreter is shutting down: callers still get their answer.
            with self._condition:
                self._threads -= 1
                self._starting -= 1
                job = self._taken()
            if job is not None:
                self._run_here(job)

    def _run_here(self, job: _Job) -> None:
        before = this_thread.works, this_thread.submits
        try:
            this_thread.works, this_thread.submits = True, False
            job.task()
        finally:
            this_thread.works, this_thread.submits = before
            this_thread.place = None
            with self._condition:
                self._end(job)

    def _work(self) -> None:
        this_thread.works = True
        with self._condition:
            self._starting -= 1
        job: _Job | None = None
        try:
            while (job := self._next(job)) is not None:
                job.task()
                this_thread.place = None
                # Held on to, the task would keep its cell, and so a closed session, alive while this thread is idle.
                job.task = _nothing
        except BaseException:
            self._die(job)
            raise

    def _die(self, job: _Job | None) -> None:
        with self._condition:
            if job is not None:
                self._end(job)
            # Another takes this one's place, so that what is queued does not wait for the next submission.
            succeeded = self._next_turn() == 0.0
            self._threads -= not succeeded
            self._starting += succeeded
        if succeeded:
            self._start_thread()

    def _next(self, ended: _Job | None) -> _Job | None:
        woken = True
        while True:
            with self._condition:
                if ended is not None:
                    self._end(ended)
                    ended = None
                job = self._taken()
                leaves = job is None and not woken
                self._threads -= leaves
                turn = self._next_turn()
                # What ended may have let more than one pass.
                starts = turn == 0.0 and not self._called + self._starting and self._call_one()
            self._after(starts, turn)
            if job is not None or leaves:
                return job
            woken = self._idled()

    def _idled(self) -> bool:
        with self._condition:
            # Woken for a task that a busy thread took meanwhile, it goes on waiting: ending and starting costs more.
            if self._next_turn() == 0.0:
                return True
            self._idle += 1
            woken = self._condition.wait(IDLE_SECONDS)
            self._idle -= 1
            self._called = min(self._called - woken if self._called else 0, self._idle)
            return woken


def _nothing() -> None:
    """Stands for a task that is over."""
