"""Runs that are used in ways that would have them wait for ever, lose a call, or grow."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest

from tests.support.at_once import AtOnce
from tests.support.runs import run, threads_left, wait_for
from xsession import Outcome, RunError
from xsession.fanout import Run, Unit
from xsession.fanout._record import NoRecord

REGIONS = tuple(f"eu-west-{number}" for number in range(16))


def in_child(work: Callable[[], object]) -> str:
    """What a forked child says of what it did, or raised; "" if it hangs."""
    answer, tell = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        try:
            said = str(work())
        except BaseException as error:  # noqa: BLE001 # it is what is looked at
            said = f"{type(error).__name__}: {error}"
        os.write(tell, said.encode())
        os._exit(0)
    os.close(tell)
    os.waitpid(child, 0)
    with open(answer, encoding="utf-8") as file:  # noqa: PTH123 # a pipe
        return file.read()


@pytest.mark.parametrize("begun", [True, False])
def test_a_forked_child_is_told_at_once_that_the_run_is_its_parents(begun: bool) -> None:
    """It has none of its threads, and would wait for ever; or call the function a second time."""
    begin, called = threading.Event(), []

    def work(unit: Unit) -> str:
        begin.wait(10)
        called.append(unit.account)
        return unit.account

    run_ = run(work, 9, workers=2)
    if begun:
        first = threading.Timer(0.05, begin.set)
        first.start()
        next(run_)
    for use in (lambda: next(run_), run_.collect):
        assert in_child(use).startswith("RunError: this run was started by the process that forked this one")
    begin.set()
    assert len(list(run_)) == (8 if begun else 9)


def test_a_forked_child_may_end_a_block_of_a_run_which_goes_on_in_its_parent() -> None:
    """Neither progress nor the journal hears of it."""
    ended: list[int] = []

    class Told:
        def begin(self, _total: int) -> None: ...

        def advance(self, _outcome: Outcome[Any]) -> None: ...

        def end(self) -> None:
            ended.append(os.getpid())

    run_ = run(lambda unit: unit.account, 9, workers=2, progress=Told())
    next(run_)

    def leave() -> list[int]:
        with run_:
            pass
        run_.__del__()
        return ended

    assert in_child(leave) == "[]"
    assert len(list(run_)) == 8
    assert ended == [os.getpid()]


def test_a_function_may_fork() -> None:
    """A child that comes back from the function ends, and is no second run."""

    def fork(unit: Unit) -> int:
        if unit.account != "a1":
            return 0
        child = os.fork()
        if child == 0:
            signal.alarm(10)
            return 1
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    assert run(fork, 5, workers=2).collect().results == dict.fromkeys((f"a{number}" for number in range(5)), 0)


def test_a_run_in_a_run() -> None:
    """Each has threads of its own."""
    nested = run(lambda unit: run(lambda inner: unit.account + inner.account, 5, workers=2).collect().results, 8)
    assert nested.collect().results["a7"] == {f"a{number}": f"a7a{number}" for number in range(5)}
    wait_for(lambda: threads_left() == [])


class Kept(NoRecord):
    """Says what was written to it."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.open = True

    def write(self, unit: Unit, outcome: Outcome[Any]) -> Outcome[Any]:
        """Keeps it."""
        self.written.append(unit.account)
        return outcome

    def close(self) -> None:
        """Notes that."""
        self.open = False


def interrupted_at(line: int) -> tuple[Run[Any], Kept] | None:
    """A run that gets Ctrl-C before so many of our lines; None: it ends before."""
    record, left = Kept(), [line]
    run_ = run(lambda unit: unit.account, 2, workers=1, record=record)

    def trace(frame: FrameType, event: str, _value: object) -> Any:
        if event == "line":
            left[0] -= 1
            if left[0] == 0:
                raise KeyboardInterrupt
        return trace if "/xsession/fanout/" in frame.f_code.co_filename else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        run_.collect()
    except KeyboardInterrupt:
        return run_, record
    finally:
        sys.settrace(before)
    return None


def interrupt_at_each_line() -> None:
    """Runs that get Ctrl-C, one at each of our lines."""
    line, kept_open = 1, 0
    while (ended := interrupted_at(line)) is not None:
        run_, record = ended
        assert set(record.written) <= set(run_.outcomes), line
        kept_open += record.open
        run_.close()
        line += 1
    wait_for(lambda: threads_left() == [])
    assert line > 100
    # In the few lines where nobody could know of it: a run that is left closes it, too.
    assert kept_open < 5, kept_open


def test_ctrl_c_at_any_line() -> None:
    """What was written to the journal is among the outcomes, the journal is closed, and no thread is left.

    In a child, since what a tracer raises may stay its thread's current error.
    """
    assert in_child(interrupt_at_each_line) == "None"


@pytest.mark.parametrize("most", [0, 2])
def test_a_system_that_gives_no_more_threads(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """Those that are there make all calls; without any, that is said."""
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def limited(thread: threading.Thread) -> None:
        if len(started) == most:
            msg = "can't start new thread"
            raise RuntimeError(msg)
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    run_ = run(lambda unit: unit.account, 40, workers=16)
    if most:
        assert len(run_.collect().results) == 40
    else:
        with pytest.raises(RuntimeError, match="can't start new thread"):
            run_.collect()


@pytest.mark.parametrize("use", [next, Run.collect])
def test_a_function_that_waits_for_its_own_run_is_refused(use: Callable[[Run[Any]], object]) -> None:
    """It would wait for itself."""
    run_ = run(lambda _unit: use(run_), 3, workers=1)
    errors = run_.collect().errors
    assert {type(error) for error in errors.values()} == {RunError}
    assert "is being waited for already" in str(errors["a0"])


def test_progress_that_takes_the_next_outcome_is_refused() -> None:
    """That one would be missing in the loop."""
    run_: Run[Any] = run(lambda _unit: 1, 9, progress=lambda _outcome: next(run_))
    with pytest.raises(RunError, match="is being waited for already"):
        run_.collect()


@pytest.mark.parametrize("where", ["function", "progress"])
def test_a_run_that_is_closed_from_within_ends(where: str) -> None:
    """By its function, and by its progress; no thread is left."""
    called: list[str] = []

    def close(account: str, here: str) -> None:
        if (account, here) == ("a3", where):
            run_.close()

    def work(unit: Unit) -> None:
        called.append(unit.account)
        close(unit.account, "function")

    run_ = run(work, 500, workers=4, progress=lambda outcome: close(outcome.account, "progress"))
    assert len(run_.collect()) < 100
    assert len(called) < 100
    assert list(run_) == []
    wait_for(lambda: threads_left() == [])


def test_twenty_thousand_calls_take_no_more_memory_than_some() -> None:
    """Of many accounts and regions, with errors of which each has words of its own."""

    def work(unit: Unit) -> str:
        if unit.place[1] == 1:
            raise ValueError(unit.account)
        return unit.account * 100

    run_ = run(work, 1_250, "enabled", regions_of=lambda _unit: REGIONS, stop_after=1.0)
    blocks = []
    for number, _outcome in enumerate(run_, 1):
        if number in (2_000, 20_000):
            gc.collect()
            blocks.append(sys.getallocatedblocks())
    assert run_.done == 20_000
    assert blocks[1] - blocks[0] < 1_000


def test_the_share_of_failures_is_of_all_that_accounts_have_once_they_are_asked() -> None:
    """The first account's sixteen regions are not five of a hundred calls, if each account has as many."""
    accounts = 100

    def work(unit: Unit) -> None:
        if unit.account == "a0":
            msg = "broken"
            raise ValueError(msg)

    def all_regions(_unit: Unit) -> tuple[str, ...]:
        return REGIONS

    outcomes = run(work, accounts, "enabled", workers=1, regions_of=all_regions, stop_after=0.05).collect()
    assert len(outcomes.results) == (accounts - 1) * 16

    def broken(_unit: Unit) -> None:
        work(Unit("a0", None, (0, 0)))

    stopped = run(broken, accounts, "enabled", workers=1, regions_of=all_regions, stop_after=0.05).collect()
    called = [one for one in stopped.values() if one.phase == "call"]
    assert 80 <= len(called) <= 83
    assert "not called: 80 of 1600 failed as account" in str(stopped["a99", None].error)


def test_accounts_that_do_not_tell_their_regions_are_one_failure_each() -> None:
    """Nothing else is known of them."""

    def refuse(_unit: Unit) -> tuple[str, ...]:
        msg = "refused"
        raise ValueError(msg)

    outcomes = run(lambda _unit: 1, 100, "enabled", workers=1, regions_of=refuse, stop_after=0.05).collect()
    assert "5 of 100 failed as account 'a4' did" in str(outcomes["a99", None].error)


def test_an_account_in_which_a_call_hangs_is_still_worked_in() -> None:
    """Of so many at once; the others go on as soon as it ends."""
    inside, release = AtOnce(), threading.Event()

    def work(unit: Unit) -> None:
        with inside:
            if unit.account == "a1":
                release.wait(10)

    failed = []
    for outcome in run(work, 6, workers=4, max_accounts=1, timeout=0.5):
        if not outcome.ok:
            failed.append(outcome.account)
            threading.Timer(0.05, release.set).start()
    assert failed == ["a1"]
    assert inside.most == 1


def test_calls_that_never_end_keep_no_run_waiting_for_their_accounts() -> None:
    """What has no account to begin in for as long as a call may take is not called, and says why."""
    release = threading.Event()

    def work(unit: Unit) -> None:
        if unit.account in ("a0", "a1"):
            release.wait(10)

    outcomes = run(work, 6, ("eu-west-1", "eu-west-2"), workers=4, max_accounts=2, timeout=0.05).collect()
    release.set()
    assert len(outcomes.errors) == 12
    last = outcomes["a5", "eu-west-2"]
    assert (last.phase, last.category) == ("select", "timeout")
    assert "not called: 4 calls are past their time limit and have not ended" in str(last.error)
    wait_for(lambda: threads_left() == [])
