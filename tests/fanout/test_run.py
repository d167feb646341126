from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.at_once import AtOnce
from tests.support.programs import run_python
from tests.support.runs import run, threads_left, throttled, wait_for
from xsession import CallTimeoutError, Outcome, Outcomes, RunError
from xsession.fanout import Run, Unit, as_progress
from xsession.fanout._limits import Limits
from xsession.fanout._plan import Plan, Task
from xsession.fanout._record import NoRecord
from xsession.fanout._run import RunOptions

REGIONS = ("eu-west-1", "us-east-1", "ap-east-1")


@given(st.integers(0, 60), st.integers(1, 4), st.integers(1, 64), st.none() | st.integers(1, 5))
@example(500, 2, 64, None)
@example(9, 1, 32, 4)
def test_each_planned_pair_has_one_outcome(accounts: int, regions: int, workers: int, most: int | None) -> None:
    """Not one more, not one less, however many work at it; also in the line that sums up (H101)."""
    named = [f"eu-west-{number}" for number in range(regions)]
    run_ = run(lambda unit: unit.region, accounts, named, workers=workers, max_accounts=most)
    outcomes = list(run_)
    assert str(Outcomes(outcomes, by_region=True)) == f"{len(outcomes)} of {accounts * regions} calls ok"
    assert sorted((one.account, one.region) for one in outcomes) == sorted(
        (f"a{account}", region) for account in range(accounts) for region in named
    )
    assert all(one.value == one.region for one in outcomes)
    assert (run_.done, run_.failed, run_.under_way, run_.total) == (len(outcomes), 0, 0, len(outcomes))


def test_outcomes_are_keyed_by_name_and_region_in_the_order_of_the_accounts() -> None:
    """By the name alone where no regions were named."""
    assert list(run(lambda _unit: 1, 2, REGIONS).collect()) == [(a, r) for a in ("a0", "a1") for r in REGIONS]
    assert list(run(lambda _unit: 1, 2).collect()) == ["a0", "a1"]


def test_nothing_is_called_before_it_is_asked_for() -> None:
    """And once it is used up, there is no more."""
    called: list[Unit] = []
    run_ = run(called.append)
    time.sleep(0.01)
    assert called == []
    assert len(list(run_)) == 3
    assert list(run_) == []
    assert threads_left() == []


def test_a_slow_reader_holds_up_the_calls() -> None:
    """What is under way and what waits for the reader is bounded: memory goes with that."""
    called: list[Unit] = []
    run_ = run(called.append, 1_000, workers=2)
    next(run_)
    time.sleep(0.02)
    assert len(called) <= 5
    run_.close()
    assert len(called) <= 5


def test_outcomes_are_not_held() -> None:
    """Nothing but what is under way stays in memory."""

    class Large:
        pass

    seen: list[weakref.ref[Large]] = []
    for outcome in run(lambda _unit: Large(), 200, workers=2):
        assert outcome.value is not None
        seen.append(weakref.ref(outcome.value))
        gc.collect(0)
    del outcome
    gc.collect()
    assert [ref for ref in seen if ref() is not None] == []


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_function_that_ends_its_thread_has_an_outcome(error: BaseException) -> None:
    """As `sys.exit()` does."""

    def leave(_unit: Unit) -> None:
        raise error

    outcomes = run(leave).collect()
    assert all(isinstance(one, RunError) for one in outcomes.errors.values())
    assert len(outcomes.errors) == 3


def test_each_account_is_asked_for_its_own_regions() -> None:
    """Once; an account that says nothing fails alone, before the function."""

    def regions_of(unit: Unit) -> tuple[str, ...]:
        if unit.account == "a1":
            raise throttled()
        return REGIONS[: int(unit.account[1:]) + 1]

    run_ = run(lambda unit: unit.region, 3, "enabled", regions_of=regions_of)
    outcomes = run_.collect()
    assert set(outcomes) == {("a0", "eu-west-1"), ("a1", None), *(("a2", region) for region in REGIONS)}
    assert (outcomes["a1", None].phase, outcomes["a1", None].category) == ("select", "throttled")
    assert (run_.total, run_.done, run_.failed) == (5, 5, 1)


def test_a_region_that_is_off_is_skipped() -> None:
    """It is no error, and `ok` of the whole does not ask for it."""

    def off(unit: Unit) -> int:
        if unit.region == "ap-east-1":
            raise ClientError({"Error": {"Code": "AuthFailure", "Message": "not able to validate"}}, "X")
        return 1

    outcomes = run(off, 1, REGIONS).collect()
    skipped = outcomes["a0", "ap-east-1"]
    assert (skipped.status, skipped.ok, skipped.category) == ("skipped", False, "region_off")
    assert outcomes.ok
    assert outcomes.errors == {}
    assert str(outcomes) == "2 of 3 calls ok, 1 skipped"


def test_no_more_accounts_at_once_than_asked_for() -> None:
    """However many threads there are."""
    lock, accounts, most = threading.Lock(), [], []

    def work(unit: Unit) -> None:
        with lock:
            accounts.append(unit.account)
            most.append(len(set(accounts)))
        time.sleep(0.001)
        with lock:
            accounts.remove(unit.account)

    assert run(work, 20, REGIONS, workers=16, max_accounts=5).collect().ok
    assert max(most) <= 5


def test_where_aws_throttles_fewer_calls_are_made_there() -> None:
    """A throttled account is left with one call at a time, and the others go on."""
    first, last = AtOnce(), AtOnce()

    def work(unit: Unit) -> None:
        if unit.account == "a0":
            with first if unit.place[1] < 20 else last:
                time.sleep(0.002)
            raise throttled()

    outcomes = run(work, 4, [f"eu-west-{number}" for number in range(60)], workers=8).collect()
    assert len(outcomes.errors) == 60
    assert first.most > 1
    assert last.most == 1


def test_an_account_that_is_throttled_as_it_names_its_regions_holds_up_no_other() -> None:
    """Its own limit was passed."""
    seen: list[int] = []

    def regions_of(unit: Unit) -> tuple[str, ...]:
        if int(unit.account[1:]) < 20:
            raise throttled()
        return REGIONS[:1]

    def work(_unit: Unit) -> None:
        time.sleep(0.01)
        seen.append(run_.under_way)

    run_ = run(work, 60, "enabled", workers=8, regions_of=regions_of)
    assert len(run_.collect().errors) == 20
    assert seen[0] > 4


def test_a_throttled_account_recovers() -> None:
    """Once AWS throttles no more, as many calls are made there as before."""
    late = AtOnce()

    def work(unit: Unit) -> None:
        if unit.place[1] < 4:
            raise throttled()
        with late:
            time.sleep(0.001)

    run(work, 1, [f"eu-west-{number}" for number in range(200)], workers=8).collect()
    assert late.most > 3


def test_an_account_without_a_region_is_not_lost() -> None:
    """There is nothing to do in it."""
    outcomes = run(lambda _unit: 1, 2, "enabled", regions_of=lambda unit: REGIONS if unit.account == "a0" else ())
    statuses = [(key, one.status) for key, one in outcomes.collect().items()]
    assert statuses == [*((("a0", region), "ok") for region in REGIONS), (("a1", None), "skipped")]


def test_a_region_that_is_named_twice_is_worked_in_once() -> None:
    """As one on two pages of AWS's answer."""
    run_ = run(lambda unit: unit.region, 1, "enabled", regions_of=lambda _unit: REGIONS * 2)
    assert sorted(str(outcome.region) for outcome in run_) == sorted(REGIONS)
    assert run_.total == 3


def test_an_error_holds_no_frame_of_ours() -> None:
    """It has the function's own traceback, and nothing that only a garbage collection frees."""

    class OwnError(Exception):
        pass

    def broken(_unit: Unit) -> None:
        raise OwnError

    gc.collect()
    gc.disable()
    try:
        error = next(run(broken, 1)).error
        assert error is not None
        assert error.__traceback__ is not None
        assert error.__traceback__.tb_frame.f_code.co_name == "broken"
        ref = weakref.ref(error)
        del error
        assert ref() is None
    finally:
        gc.enable()


def test_a_call_is_made_once() -> None:
    """Unless retries were asked for: then what may pass is tried again, and nothing else."""
    calls: list[str] = []

    def flaky(unit: Unit) -> str:
        calls.append(unit.account)
        if unit.account == "a0":
            raise ValueError("a bug")  # noqa: EM101, TRY003 # short
        if calls.count(unit.account) <= 2:
            raise throttled()
        return "done"

    assert len(run(flaky, 2).collect().errors) == 2
    assert sorted(calls) == ["a0", "a1"]
    calls.clear()
    outcomes = run(flaky, 2, retries=2).collect()
    assert sorted(calls) == ["a0", "a1", "a1", "a1"]
    assert outcomes.results == {"a1": "done"}


def test_one_call_that_hangs_holds_up_nobody() -> None:
    """Its thread is replaced, its outcome says so, and what comes of it later is dropped."""
    release = threading.Event()

    def work(unit: Unit) -> str:
        if unit.account == "a1":
            release.wait(10)
        return unit.account

    run_ = run(work, 20, workers=1, timeout=0.05)
    outcomes = run_.collect()
    assert set(outcomes.errors) == {"a1"}
    assert isinstance(outcomes["a1"].error, CallTimeoutError)
    assert (outcomes["a1"].category, outcomes["a1"].phase) == ("timeout", "call")
    pool: Any = run_._pool
    assert len(pool.abandoned) == run_.abandoned == 1
    release.set()
    wait_for(lambda: threads_left() == [])
    assert (pool.late, pool.abandoned) == (1, {})


def test_calls_that_hang_are_bounded() -> None:
    """As many as there are workers may be left to themselves, besides the last ones: the rest is not called."""
    release, called = threading.Event(), []

    def work(unit: Unit) -> None:
        called.append(unit)
        release.wait(10)

    outcomes = run(work, 10, workers=2, timeout=0.02).collect()
    release.set()
    assert len(outcomes.errors) == 10
    assert len(called) <= 4
    assert "not called" in str(outcomes)
    wait_for(lambda: threads_left() == [])


def test_what_was_not_called_when_a_run_is_closed_has_no_outcome() -> None:
    """Also where all threads hang."""
    release = threading.Event()
    run_ = run(lambda _unit: release.wait(10), 10, workers=1, timeout=0.02)
    pool: Any = run_._pool
    while len(pool.abandoned) < 2:
        next(run_)
    run_.close()
    release.set()
    assert list(run_.outcomes) == []
    wait_for(lambda: threads_left() == [])


def test_all_have_a_time_limit_together() -> None:
    """Each has an outcome all the same: those that were under way, and those that were not called."""
    release = threading.Event()

    def work(unit: Unit) -> None:
        if unit.account != "a0":
            release.wait(10)

    began = time.monotonic()
    outcomes = run(work, 30, workers=2, total_timeout=0.05).collect()
    assert time.monotonic() - began < 5
    release.set()
    assert len(outcomes) == 30
    assert list(outcomes.results) == ["a0"]
    assert {one.category for key, one in outcomes.items() if key != "a0"} == {"timeout"}
    assert sorted({one.phase for one in outcomes.values()}) == ["call", "select"]
    wait_for(lambda: threads_left() == [])


def test_too_many_like_failures_end_the_run() -> None:
    """Other failures, and few like ones, do not; what was not called says why."""
    called: list[str] = []

    def work(unit: Unit) -> None:
        called.append(unit.account)
        number = int(unit.account[1:])
        msg = "broken" if number >= 10 else "x" * number
        raise ValueError(msg)

    outcomes = run(work, 100, workers=1, stop_after=0.05).collect()
    assert len(outcomes.errors) == 100
    assert 15 <= len(called) <= 18
    last = outcomes["a99"]
    assert (last.phase, str(last.error)) == (
        "select",
        "account 'a99': not called: 5 of 100 failed as account 'a14' did",
    )


def test_what_the_organization_denies_is_one_line() -> None:
    """With its regions, apart from what failed otherwise."""
    words = "is not authorized to perform: ec2:X with an explicit deny in a service control policy"

    def denied(unit: Unit) -> None:
        if unit.region == "us-east-1":
            raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": f"User: {words}"}}, "X")

    outcomes = run(denied, 3, REGIONS).collect()
    (group,) = outcomes.failures
    assert (group.accounts, group.regions) == (("a0", "a1", "a2"), ("us-east-1",))
    assert str(outcomes).splitlines()[1].startswith("  a0, a1, a2 in us-east-1: ClientError: ")
    assert {outcomes[key].category for key in outcomes.errors} == {"organization_policy"}


def test_a_generator_comes_to_a_list() -> None:
    """What it raises on the way is its outcome."""

    def pages(unit: Unit) -> Iterator[int]:
        yield 1
        if unit.account == "a1":
            msg = "no second page"
            raise ValueError(msg)
        yield 2

    outcomes = run(pages, 2).collect()
    assert outcomes.results == {"a0": [1, 2]}
    assert "no second page" in str(outcomes.errors["a1"])


def test_coroutines_run_on_one_loop() -> None:
    """In a thread that ends with the run."""
    loops: set[int] = set()

    async def work(unit: Unit) -> str:
        import asyncio  # noqa: PLC0415 # here alone

        loops.add(id(asyncio.get_running_loop()))
        await asyncio.sleep(0)
        return unit.account

    async def items(unit: Unit) -> Any:
        yield unit.account

    assert run(work, 10).collect().results == {f"a{number}": f"a{number}" for number in range(10)}
    assert len(loops) == 1
    assert run(items, 1).collect().results == {"a0": ["a0"]}
    wait_for(lambda: threads_left() == [])


def test_a_coroutine_that_waits_for_ever_ends_with_its_run() -> None:
    """It is cancelled."""
    ended = threading.Event()

    async def work(_unit: Unit) -> None:
        import asyncio  # noqa: PLC0415 # here alone

        try:
            await asyncio.sleep(3_600)
        finally:
            ended.set()

    assert set(run(work, 1, timeout=0.02).collect().errors) == {"a0"}
    assert ended.wait(5)
    wait_for(lambda: threads_left() == [])


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_a_coroutine_that_ends_its_thread_ends_no_other(error: BaseException) -> None:
    """asyncio ends the loop with those two: nobody else would hear of their own coroutines again."""

    async def leave() -> None:
        raise error

    async def work(unit: Unit) -> str:
        import asyncio  # noqa: PLC0415 # here alone

        if unit.account == "a0":
            await asyncio.gather(leave())
        await asyncio.sleep(0.01)
        return unit.account

    outcomes = run(work, 4, timeout=5.0).collect()
    assert list(outcomes.results) == ["a1", "a2", "a3"]
    assert f"the function raised {type(error).__name__}" in str(outcomes["a0"].error)
    wait_for(lambda: threads_left() == [])


def test_whoever_leaves_the_loop_early_ends_the_run() -> None:
    """Nothing more is called, and nobody waits."""
    called: list[Unit] = []
    with run(called.append, 1_000, workers=2) as run_:
        for _outcome in run_:
            break
    assert len(called) < 10
    assert list(run_) == []
    for _outcome in run(called.append, 1_000, workers=2):
        break
    assert len(called) < 20
    wait_for(lambda: threads_left() == [])


def test_ctrl_c_ends_at_once_with_what_is_done() -> None:
    """In a second, whatever is under way; no call begins afterwards."""
    code = """
import os, signal, sys, threading, time
from tests.support.runs import run
began = []

def work(unit):
    began.append(unit.account)
    if unit.account in ("a0", "a1"):
        return unit.account
    if len(began) == 4:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
    time.sleep(30)

run_ = run(work, 100, workers=2)
try:
    run_.collect()
except KeyboardInterrupt as error:
    asked = time.monotonic()
    print(sorted(run_.outcomes), error.__notes__, len(began))
"""
    began = time.monotonic()
    printed = run_python(code)
    assert time.monotonic() - began < 20
    assert printed.startswith("['a0', 'a1'] ['2 of 100 are done; `outcomes` of the run has them'] 4")


def test_progress_that_raises_ends_it_too() -> None:
    """As in `verify`."""

    def stop(_outcome: Outcome[Any]) -> None:
        raise LookupError

    run_ = run(lambda _unit: 1, 100, workers=1, progress=stop)
    with pytest.raises(LookupError):
        run_.collect()
    assert list(run_) == []
    assert "a0" in run_.outcomes


class UnspeakableError(Exception):
    """Its own text fails."""

    def __str__(self) -> str:
        raise ValueError


class UnspeakableExit(BaseException):
    """Likewise."""

    def __str__(self) -> str:
        raise ValueError


class LeavingError(Exception):
    """Whoever asks it for something ends."""

    def __str__(self) -> str:
        raise SystemExit

    @property
    def response(self) -> Any:
        """Likewise."""
        raise SystemExit


class LastWordsError(Exception):
    """Says something once."""

    def __init__(self) -> None:
        self.words = iter(["once"])

    def __str__(self) -> str:
        return next(self.words)


@pytest.mark.parametrize("error", [UnspeakableError(), UnspeakableExit(), LeavingError()])
def test_an_error_whose_text_cannot_be_had_is_an_outcome(error: BaseException) -> None:
    """It ends no thread, and whoever reads the outcome does not fail."""

    def work(_unit: Unit) -> None:
        raise error

    outcomes = run(work, 2, timeout=5.0).collect()
    assert [type(one.error) for one in outcomes.values()] == [RunError, RunError]
    assert type(error).__name__ in str(outcomes)


def test_an_error_whose_text_is_gone_ends_no_run() -> None:
    """Neither where it is counted nor where it is shown."""

    def work(_unit: Unit) -> None:
        raise LastWordsError

    outcomes = run(work, 2, stop_after=1.0).collect()
    assert len(outcomes.errors) == 2
    assert "LastWordsError: str() raised StopIteration" in str(outcomes)
    assert len(outcomes.to_rows()) == 2


def test_progress_can_not_end_a_run_without_a_word() -> None:
    """A StopIteration of its own would look like the end."""
    with pytest.raises(RuntimeError, match="progress raised StopIteration"):
        run(lambda _unit: 1, progress=lambda _outcome: next(iter(()))).collect()


def test_a_run_that_another_thread_closes_ends() -> None:
    """As one does that a signal handler closes, in the middle of a wait."""
    begun, release = threading.Event(), threading.Event()

    def work(_unit: Unit) -> None:
        begun.set()
        release.wait(30)

    run_ = run(work, 9, workers=1)

    def close() -> None:
        begun.wait(30)
        run_.close()

    closer = threading.Thread(target=close)
    closer.start()
    assert list(run_) == []
    release.set()
    closer.join()


def test_a_run_is_not_closed_in_the_middle_of_a_step() -> None:
    """A signal handler may close it anywhere: the line of a journal, say, that it interrupts is written first."""
    made: list[Run[Any]] = []
    steps: list[str] = []

    class Told:
        def begin(self, _total: int | None) -> None:
            steps.append("began")

        def advance(self, _outcome: Outcome[Any]) -> None:
            made[0].close()
            steps.append("advanced")

        def end(self) -> None:
            steps.append("ended")

    made.append(run(lambda unit: unit.account, workers=1, progress=Told()))
    assert [outcome.value for outcome in made[0]] == ["a0"]
    assert steps == ["began", "advanced", "ended"]


class LatePool:
    """Has its call under way from the second look on: a thread had just taken it."""

    left = 0
    hanging = ()

    def __init__(self) -> None:
        self.tasks: list[Task] = []
        self.looks = 0

    def submit(self, task: Task) -> None:
        """Takes it."""
        self.tasks.append(task)

    def next(self, _seconds: float) -> None:
        """Never an outcome."""

    def cancel(self) -> list[Task]:
        """Too late."""
        return []

    def abandon(self) -> list[Task]:
        """Too early, the first time."""
        self.looks += 1
        return [] if self.looks == 1 else self.tasks

    def close(self) -> None:
        """Nothing."""


def test_a_call_that_begins_at_the_last_moment_is_left_as_well() -> None:
    """By the first look it was neither to be taken back nor under way yet; a run would wait for it for ever."""
    now = iter(range(1_000))
    options = RunOptions(total_timeout=3.0, clock=lambda: float(next(now)))
    limits, told = Limits(1, 1, None), as_progress(None)
    made: Run[Any] = Run(Plan(["a"]), LatePool(), limits, record=NoRecord(), told=told, options=options)
    assert isinstance(made.collect()["a"].error, CallTimeoutError)
