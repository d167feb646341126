"""Whoever waits when credentials are thrown away is told at once: these clocks stand still, and the calls hang."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.cells import Bench, ScriptedFetch, ThrottledFetch, attempted, read, refusal, until
from xsession.errors import DeadlinePassedError, SessionClosedError
from xsession.refresh._cell import Cell
from xsession.refresh._lanes import Lane, LaneRate
from xsession.refresh._snapshot import Deadline, Snapshot


@contextmanager
def waiting(cell: Cell[Any], ready: Callable[[], object], count: int = 20) -> Iterator[list[object]]:
    """Readers of a cell that wait within the block; what each got or was told."""
    told: list[object] = []
    threads = [
        threading.Thread(target=lambda: told.append(attempted(lambda: read(cell))), daemon=True) for _ in range(count)
    ]
    for thread in threads:
        thread.start()
    until(ready)
    yield told
    for thread in threads:
        thread.join(10)
    assert len(told) == count


def kinds(told: list[object]) -> set[type]:
    """What it was, each once."""
    return {type(each) for each in told}


def test_readers_are_told_that_the_session_is_closed() -> None:
    """STS hangs; what it answers later is dropped."""
    bench = Bench()
    with bench.hanging():
        with waiting(bench.cell, lambda: bench.calls) as told:
            bench.cell.close()
        assert kinds(told) == {SessionClosedError}
    until(lambda: bench.workers._urgent._busy == 0)
    assert bench.cell.snapshot.generation == 0


def test_readers_of_an_ended_grant_are_told() -> None:
    """As of a deadline that passed."""
    bench = Bench()
    with bench.hanging():
        with waiting(bench.cell, lambda: bench.calls) as told:
            bench.cell.end("revoked")
        assert kinds(told) == {DeadlinePassedError}


def test_readers_are_told_of_a_deadline_that_passes_meanwhile() -> None:
    """They wait no longer than that."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(10, bench.clock))
    with bench.hanging():
        with waiting(cell, lambda: bench.calls) as told:
            bench.clock.advance(10)
        assert kinds(told) == {DeadlinePassedError}


def test_readers_wait_for_what_takes_the_place_of_what_was_thrown_away() -> None:
    """The call that hangs is not waited for any more."""
    bench = Bench()
    with bench.hanging():
        with waiting(bench.cell, lambda: bench.calls) as told:
            bench.cell.invalidate()
            until(lambda: bench.calls == 2)
            assert told == []
            bench.fetch.gate.set()
        assert {each.credentials.access_key_id for each in told if isinstance(each, Snapshot)} == {"ASIA2"}


def test_a_call_that_fails_after_it_was_thrown_away_is_no_failure() -> None:
    """A worker that ran it for another refresh looks again, and finds what took its place."""
    bench = Bench()

    def fail_once() -> None:
        if bench.calls == 1:
            bench.cell.invalidate()
            error = refusal("AccessDenied", retryable=False)
            raise error

    bench.fetch.before = fail_once
    fetch = ScriptedFetch(bench.clock)
    fetch.before = lambda: read(bench.cell)
    assert read(bench.new_cell(fetch)).generation == 1
    assert (bench.calls, bench.cell.failure) == (2, None)


@pytest.mark.parametrize("end", ["close", "end"])
def test_readers_that_wait_for_the_next_try_are_told(end: str) -> None:
    """No refresh is under way."""
    bench = Bench()
    bench.fetch.error = refusal()
    with waiting(bench.cell, lambda: bench.cell.failure is not None and bench.cell._forgotten is not None) as told:
        bench.cell.close() if end == "close" else bench.cell.end("revoked")
    assert kinds(told) <= {SessionClosedError, DeadlinePassedError}


def test_a_reader_that_waits_for_the_next_try_tries_at_once_when_all_is_thrown_away() -> None:
    """The failure is forgotten with it."""
    bench = Bench()
    bench.fetch.error = refusal()
    with waiting(bench.cell, lambda: bench.cell.failure is not None and bench.cell._forgotten is not None) as told:
        bench.fetch.error = None
        bench.cell.invalidate()
    assert not [each for each in told if isinstance(each, Exception)]


@pytest.mark.parametrize("in_thread", [False, True], ids=["without a thread", "in its thread"])
def test_what_waits_for_its_place_is_given_up(in_thread: bool) -> None:
    """No thread stays, and no call is sent."""
    bench = Bench()
    lane = Lane(bench.clock)
    lane._pace = LaneRate(0.001, bench.clock.boot(), bench.clock.boot())
    lane._next = bench.clock.boot() + 1_000
    cell = bench.new_cell(ThrottledFetch(bench.fetch, lane, lambda: True, in_thread=in_thread))
    with waiting(cell, lambda: lane._line if in_thread else bench.workers._urgent.is_waiting) as told:
        cell.close()
        bench.workers.forget({cell})
    assert kinds(told) == {SessionClosedError}
    until(lambda: not bench.workers._urgent._threads and not bench.workers._timer_runs)
    assert (bench.calls, lane._line) == (0, type(lane._line)())


def test_a_call_that_nobody_wants_is_not_sent_again() -> None:
    """As botocore would, after a failure."""
    bench = Bench()
    lane = Lane(bench.clock)
    fetch = ScriptedFetch(bench.clock)
    cell = bench.new_cell(fetch)
    told: list[object] = []

    def call_again() -> None:
        lane.enter()
        cell.close()
        told.append(attempted(lane.enter))

    fetch.before = call_again
    assert isinstance(attempted(lambda: read(cell)), SessionClosedError)
    until(lambda: told)
    assert isinstance(told[0], SessionClosedError)


def test_the_next_hop_is_told_of_its_own_end() -> None:
    """While it waits for the hop before, which others may need."""
    bench = Bench()
    fetch = ScriptedFetch(bench.clock)
    fetch.hop_before = bench.cell
    cell = bench.new_cell(fetch, hop=2)
    with bench.hanging():
        with waiting(cell, lambda: bench.calls and cell._flight is not None and cell._flight.launched) as told:
            cell.close()
        assert kinds(told) == {SessionClosedError}
    until(lambda: bench.cell.snapshot.generation == 1)
    assert fetch.calls == []


def test_a_look_that_a_close_overtakes_begins_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has seen that the session was open."""
    bench = Bench()
    monkeypatch.setattr(bench.cell, "_check_end", bench.cell.close)
    with pytest.raises(SessionClosedError):
        bench.read()
    assert bench.cell._flight is None


def test_the_next_hop_is_told_that_the_hop_before_is_closed() -> None:
    """By its own refresh."""
    bench = Bench()
    fetch = ScriptedFetch(bench.clock)
    fetch.hop_before = bench.cell
    fetch.before = lambda: read(bench.cell)
    bench.cell.close()
    with pytest.raises(SessionClosedError):
        read(bench.new_cell(fetch, hop=2))
