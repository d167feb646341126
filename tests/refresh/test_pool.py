from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest

from tests.support.cells import TimersClock, in_threads, until
from xsession._base import Latch
from xsession.refresh._lanes import Lane, LaneRate
from xsession.refresh._this_thread import this_thread
from xsession.refresh._workers import Workers
from xsession.testing import FakeClock


class Threads:
    """Workers on a clock that a test turns, with tasks that hang until they are let go."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.workers = Workers(TimersClock(self.clock))
        self.gate = threading.Event()
        self.ran: list[object] = []
        self.lanes = 0

    def lane(self, rate: float | None = None, *, caller: str = "", region: str = "") -> Lane:
        """A lane of its own, if not told otherwise; with a rate, one that holds calls back, the first of them too."""
        self.lanes += 1
        lane = Lane(self.clock, caller or f"caller{self.lanes}", region or f"region{self.lanes}")
        if rate is not None:
            lane._pace = LaneRate(rate, self.clock.boot(), self.clock.boot())
            lane._next = self.clock.boot() + 1 / rate
        return lane

    def hang(self, lane: Lane, count: int) -> None:
        """So many tasks of a lane that hang."""
        for _ in range(count):
            self.workers.submit(partial(self.gate.wait, 30), urgent=True, lane=lane)

    def run(self, lane: Lane | None, name: object = None, unwanted: Latch | None = None) -> None:
        """A task that takes no time."""
        self.workers.submit(partial(self.ran.append, name), urgent=True, lane=lane, unwanted=unwanted)

    @property
    def busy(self) -> int:
        """How many threads have work."""
        return self.workers._urgent._busy


@pytest.fixture
def threads() -> Threads:
    """Some, for one test."""
    return Threads()


def test_a_lane_that_hangs_leaves_half_of_the_threads(threads: Threads) -> None:
    """A second one that hangs leaves half of these; and whoever comes then finds one."""
    threads.hang(threads.lane(), 100)
    until(lambda: threads.busy == 32)
    threads.hang(threads.lane(), 100)
    until(lambda: threads.busy == 48)
    threads.run(threads.lane(), "healthy")
    until(lambda: threads.ran == ["healthy"])
    assert threads.busy == 48
    threads.gate.set()


@pytest.mark.parametrize(("caller", "region"), [("", "eu-central-1"), ("111111111111", "")])
def test_many_lanes_that_hang_for_one_reason_leave_threads(threads: Threads, caller: str, region: str) -> None:
    """A region that hangs does so for every account, and an account's source in every region."""
    for _ in range(100):
        threads.hang(threads.lane(caller=caller, region=region), 1)
    until(lambda: threads.busy == 56)
    threads.run(threads.lane(), "healthy")
    until(lambda: threads.ran == ["healthy"])
    assert threads.busy == 56
    threads.gate.set()
    until(lambda: threads.busy == 0)
    assert threads.workers._urgent._held == {}


def test_a_lane_that_answers_may_have_more(threads: Threads) -> None:
    """One thread for each call that ended in time; all of that is lost where one takes longer."""
    lane = threads.lane()
    threads.hang(lane, 1)
    for number in range(40):
        threads.run(lane, number)
    until(lambda: len(threads.ran) == 40)
    threads.hang(lane, 100)
    until(lambda: threads.busy == 56)
    threads.clock.advance(1)
    threads.gate.set()
    until(lambda: threads.busy == 0)
    threads.gate.clear()
    threads.hang(lane, 1)
    threads.hang(lane, 100)
    until(lambda: threads.busy == 32)
    threads.gate.set()


def test_a_call_that_takes_long_costs_its_lane_what_it_earned(threads: Threads) -> None:
    """Before it ends."""
    lane = threads.lane()
    threads.hang(lane, 1)
    for number in range(40):
        threads.run(lane, number)
    until(lambda: len(threads.ran) == 40)
    threads.clock.advance(1)
    threads.hang(lane, 100)
    until(lambda: threads.busy == 32)
    threads.gate.set()


def test_a_task_takes_no_thread_before_its_lane_lets_it_pass(threads: Threads) -> None:
    """One after the other, in their order; meanwhile nothing but the timer is there."""
    lane = threads.lane(2)
    for number in range(3):
        threads.run(lane, number)
    assert (threads.busy, threads.workers._urgent._threads) == (0, 0)
    for number in range(3):
        threads.clock.advance(0.5)
        until(lambda: len(threads.ran) == number + 1)  # noqa: B023 # used up in this turn
    assert threads.ran == [0, 1, 2]


def test_a_task_that_was_let_pass_does_not_wait_again(threads: Threads) -> None:
    """Its first call has the place; the second one waits for one of its own."""
    lane, places = threads.lane(2), list[bool]()

    def call() -> None:
        lane.enter()
        places.append(lane.take_place())

    threads.workers.submit(call, urgent=True, lane=lane)
    threads.clock.advance(0.5)
    until(lambda: places)
    assert places == [False]


def test_those_that_wait_in_their_threads_go_first(threads: Threads) -> None:
    """They are tries that botocore repeats, and hold a thread."""
    lane = threads.lane(2)
    waiting = threading.Thread(target=lane.enter, daemon=True)
    waiting.start()
    until(lambda: lane._line)
    assert lane.delay() == pytest.approx(1.0)
    assert not lane.take_place()
    threads.clock.advance(10)
    waiting.join(10)
    assert not lane.take_place()
    threads.clock.advance(0.5)
    assert lane.take_place()


def test_what_nobody_wants_any_more_is_not_run(threads: Threads) -> None:
    """It holds up neither those behind it nor the timer."""
    lane, unwanted = threads.lane(0.001), Latch()
    threads.run(lane, "first", unwanted)
    threads.run(lane, "second", unwanted)
    threads.run(None, "of nobody")
    until(lambda: threads.ran == ["of nobody"])
    unwanted.set()
    threads.workers.forget(())
    until(lambda: not threads.workers._timer_runs)
    assert not threads.workers._urgent.is_waiting
    threads.run(threads.lane(), "gone", unwanted)
    threads.run(threads.lane(), "wanted")
    until(lambda: threads.ran == ["of nobody", "wanted"])


def test_those_that_are_wanted_stay(threads: Threads) -> None:
    """Behind others that are not."""
    lane, unwanted = threads.lane(2), Latch()
    threads.run(lane, "gone", unwanted)
    threads.run(lane, "wanted")
    unwanted.set()
    threads.workers.forget(())
    threads.clock.advance(0.5)
    until(lambda: threads.ran == ["wanted"])


def test_a_thread_that_dies_without_work_leaves_none_behind(threads: Threads) -> None:
    """It counts no more."""
    pool = threads.workers._urgent
    pool._threads = 1
    pool._die(None)
    assert (pool._threads, pool._starting) == (0, 0)


def test_what_comes_after_that_is_let_pass(threads: Threads) -> None:
    """The timer wakes for it, though it was about to wake for what is gone."""
    lane, unwanted = threads.lane(2), Latch()
    threads.run(lane, "gone", unwanted)
    unwanted.set()
    threads.workers.forget(())
    threads.run(lane, "wanted")
    threads.clock.advance(0.5)
    until(lambda: threads.ran == ["wanted"])


def test_what_waits_already_is_not_run_twice(threads: Threads) -> None:
    """A reader may hand a refresh over that another one did hand over."""
    task, lane = partial(threads.ran.append, 1), threads.lane(2)
    for _ in range(3):
        threads.workers.submit(task, urgent=True, lane=lane)
    threads.clock.advance(5)
    until(lambda: threads.ran)
    assert not threads.workers._urgent.is_waiting
    assert threads.ran == [1]


def test_lanes_take_turns(threads: Threads) -> None:
    """A lane with many tasks is not served before one with few."""
    first, second = threads.lane(), threads.lane()
    pool = threads.workers._urgent
    with pool._condition:
        pool._threads = pool._size
        for number in range(3):
            threads.run(first, ("first", number))
        threads.run(second, ("second", 0))
        jobs = [pool._taken() for _ in range(4)]
        pool._threads = 0
    for job in jobs:
        assert job is not None
        job.task()
    assert threads.ran == [("first", 0), ("second", 0), ("first", 1), ("first", 2)]


def test_whoever_does_the_work_itself_counts_as_a_worker(threads: Threads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started: what it needs of others it does, too."""

    def refuse(_thread: threading.Thread) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    def note() -> None:
        threads.ran.append((this_thread.works, this_thread.submits))

    monkeypatch.setattr(threading.Thread, "start", refuse)
    threads.workers.submit(note, urgent=True, lane=threads.lane())
    assert threads.ran == [(True, False)]
    assert (this_thread.works, this_thread.submits, threads.busy) == (False, False, 0)


@pytest.mark.parametrize("place", ["pool", "timer", "submitting"])
def test_a_signal_handler_is_told_that_it_came_in_here(threads: Threads, place: str) -> None:
    """Then it may wait for no worker, which would wait for this thread."""
    workers = threads.workers
    assert not workers.submitting_here
    told: list[object] = []
    look: Callable[[], None] = lambda: told.append(workers.submitting_here)  # noqa: E731 # it stands for a handler
    if place == "submitting":
        workers._urgent.submit = lambda *_: look()  # type: ignore[method-assign]
        workers.submit(look, urgent=True)
    else:
        with workers._lock if place == "timer" else workers._background._condition:
            look()
            assert in_threads(1, lambda: workers.submitting_here) == [False]
    assert told == [True]
    assert not workers.submitting_here
