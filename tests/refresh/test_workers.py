from __future__ import annotations

import threading

import pytest

from tests.support.cells import until
from xsession.refresh import _pool
from xsession.refresh import _workers as module
from xsession.refresh._workers import Workers
from xsession.testing import FakeClock


class Task:
    """Counts its runs; its method is what a timer can be given."""

    def __init__(self) -> None:
        self.runs = 0
        self.thread = ""

    def run(self) -> None:
        """One run."""
        self.runs += 1
        self.thread = threading.current_thread().name


def names() -> list[str]:
    """The workers' threads of this process; what other tests left may still wait for a lock or a keyring."""
    ours = ("xsession-flight", "xsession-refresh", "xsession-timer")
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(ours)]


@pytest.mark.parametrize(("urgent", "name"), [(True, "xsession-flight"), (False, "xsession-refresh")])
def test_work_runs_in_a_thread_of_its_kind(urgent: bool, name: str) -> None:
    """What a caller waits for does not queue behind what no caller waits for."""
    task = Task()
    Workers().submit(task.run, urgent=urgent)
    until(lambda: task.runs)
    assert task.thread == name


def test_threads_end_when_there_is_nothing_to_do() -> None:
    """Idle, the process has none of ours."""
    task = Task()
    Workers().submit(task.run, urgent=True)
    until(lambda: task.runs)
    until(lambda: not names())


def test_a_thread_that_is_idle_takes_the_next_task() -> None:
    """Two tasks one after the other need one thread."""
    workers, first, second = Workers(), Task(), Task()
    workers.submit(first.run, urgent=True)
    until(lambda: workers._urgent._idle == 1)
    workers.submit(second.run, urgent=True)
    until(lambda: second.runs)
    assert workers._urgent._threads == 1


def test_a_thread_that_is_woken_for_nothing_waits_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy one took the task meanwhile: to end now would mean to start another thread for the next one."""
    monkeypatch.setattr(_pool, "IDLE_SECONDS", 30)
    workers, first, second = Workers(), Task(), Task()
    pool = workers._urgent
    workers.submit(first.run, urgent=True)
    until(lambda: pool._idle == 1)
    with pool._condition:
        pool._condition.notify()
        idle = pool._idle
    until(lambda: pool._condition._waiters and pool._idle == idle)  # type: ignore[attr-defined]  # nothing else shows it
    workers.submit(second.run, urgent=True)
    until(lambda: second.runs)
    assert pool._threads == 1
    monkeypatch.setattr(_pool, "IDLE_SECONDS", 0)
    workers.submit(first.run, urgent=True)
    until(lambda: not names())


def test_the_number_of_threads_is_bounded() -> None:
    """Beyond it, work waits in the queue and none of it is lost."""
    workers, gate = Workers(), threading.Event()
    tasks = [Task() for _ in range(20)]

    def held(task: Task) -> None:
        gate.wait()
        task.run()

    for task in tasks:
        workers.submit(lambda task=task: held(task), urgent=False)  # type: ignore[misc]  # the default binds it
    until(lambda: workers._background._threads == module.MAX_BACKGROUND_THREADS)
    assert len(workers._background._queues[None].waiting) == 12
    gate.set()
    until(lambda: all(task.runs for task in tasks))
    assert workers._background._threads <= module.MAX_BACKGROUND_THREADS


def test_work_that_is_due_later_runs_then() -> None:
    """Not before; the earlier one first, whatever the order in which they came."""
    clock = FakeClock()
    workers, late, soon = Workers(clock), Task(), Task()
    workers.submit_at(clock.boot() + 100, late.run)
    workers.submit_at(clock.boot() + 10, soon.run)
    clock.advance(9)
    assert (soon.runs, late.runs) == (0, 0)
    clock.advance(2)
    until(lambda: soon.runs)
    assert late.runs == 0
    clock.advance(100)
    until(lambda: late.runs)


def test_a_timer_keeps_nothing_alive() -> None:
    """When all that is due is gone, its thread ends."""
    clock = FakeClock()
    workers, task = Workers(clock), Task()
    workers.submit_at(clock.boot() + 100, task.run)
    until(lambda: "xsession-timer" in names())
    del task
    until(lambda: not names())


def test_what_is_due_can_be_forgotten() -> None:
    """A closed session's refreshes go; those of others stay."""
    clock = FakeClock()
    workers, closed, open_ = Workers(clock), Task(), Task()
    workers.submit_at(clock.boot() + 10, closed.run)
    workers.submit_at(clock.boot() + 10, open_.run)
    workers.forget({closed})
    clock.advance(20)
    until(lambda: open_.runs)
    assert closed.runs == 0
    until(lambda: not names())


@pytest.mark.usefixtures("dying_threads")
def test_a_worker_that_dies_is_replaced() -> None:
    """What was queued behind it still runs."""
    workers, gate, task = Workers(), threading.Event(), Task()

    def die() -> None:
        gate.wait()
        raise SystemError

    for _ in range(module.MAX_BACKGROUND_THREADS):
        workers.submit(die, urgent=False)
    workers.submit(task.run, urgent=False)
    gate.set()
    until(lambda: task.runs)
    until(lambda: workers._background._threads == 0)


@pytest.mark.usefixtures("dying_threads")
def test_a_timer_that_dies_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next entry starts a new one, which does what was left too."""
    clock = FakeClock()
    workers, task, other = Workers(clock), Task(), Task()
    with monkeypatch.context() as patched:
        patched.setattr(workers, "_run_timer", lambda: 1 / 0)
        workers.submit_at(clock.boot(), task.run)
        until(lambda: not workers._timer_runs)
    workers.submit_at(clock.boot(), other.run)
    until(lambda: task.runs and other.runs)


def test_without_threads_callers_do_the_work_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the interpreter's end, or at the system's limit, no thread can be started."""
    clock = FakeClock()
    workers, task, later = Workers(clock), Task(), Task()

    def refuse(_thread: threading.Thread) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    workers.submit(task.run, urgent=True)
    assert task.runs == 1
    workers.submit_at(clock.boot(), later.run)
    assert (later.runs, workers._timer_runs) == (0, False)


def test_a_thread_that_can_not_be_started_leaves_the_work_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the queue is empty by then, there is nothing left to do."""
    pool = Workers()._urgent

    def refuse(_thread: threading.Thread) -> None:
        pool._queues.clear()
        msg = "can't start new thread"
        raise RuntimeError(msg)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    task = Task()
    pool.submit(task.run, None, None)
    assert (task.runs, pool._threads) == (0, 0)


def test_a_forked_child_starts_with_no_work() -> None:
    """The parent's threads do not exist there."""
    clock = FakeClock()
    workers, task = Workers(clock), Task()
    workers.submit_at(clock.boot() + 5, task.run)
    workers.after_fork()
    assert workers._due == []
    workers.submit_at(clock.boot(), task.run)
    until(lambda: task.runs)


def test_wake_signals_do_not_pile_up() -> None:
    """However often it is set while the timer is at something else, it wakes once."""
    wake = module._Wake()
    for _ in range(1_000):
        wake.set()
    assert [wake.wait(0.01), wake.wait(0.01), wake.wait(-1)] == [True, False, False]


def test_an_entry_is_forgotten_wherever_it_is_by_then() -> None:
    """`__del__` may come in between a look at the first one and its end, and submit one that is due sooner."""
    workers, task = Workers(FakeClock()), Task()
    for due in (30.0, 20.0, 10.0):
        workers.submit_at(1_000 + due, task.run)
    late = max(workers._due)
    workers._remove(late)
    assert [entry[0] for entry in sorted(workers._due)] == [1_010.0, 1_020.0]
    workers.forget({task})


@pytest.mark.parametrize(
    ("late", "busy", "sleeps"),
    [
        ([], [], 1),
        ([0.01, 0.005], [], 3),
        ([1.0] * 9, [], 5),
        ([], [0.9, 0.6], 3),
        ([], [0.4], 1),
        ([0.01], [0.1, 0.9], 3),
        ([], [1.0] * 9, 5),
    ],
)
def test_starts_wait_while_threads_wait_for_each_other(late: list[float], busy: list[float], sleeps: int) -> None:
    """Whoever is woken late, or while others compute, sleeps again; not for ever, since they may do so all the time."""
    clock, spent = [0.0], [0.0]
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        turn = len(slept)
        clock[0] += seconds + (late[turn] if turn < len(late) else 0.0)
        spent[0] += seconds * (busy[turn] if turn < len(busy) else 0.0)
        slept.append(seconds)

    module.pause(sleep, lambda: clock[0], lambda: spent[0])
    assert len(slept) == sleeps
