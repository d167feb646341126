"""Ways back into the engine: from hooks, sources and functions that a refresh calls, and from signal handlers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

import pytest

from tests.support.cells import Bench, ScriptedFetch, attempted, in_threads, read, refusal, until
from xsession import events
from xsession.errors import AssumeRoleError, CredentialsError, SessionClosedError
from xsession.refresh import _flight
from xsession.refresh._flight import Flight, waiting_for
from xsession.refresh._lanes import Lane
from xsession.refresh._snapshot import Deadline
from xsession.refresh._workers import MAX_URGENT_THREADS


def test_workers_that_need_another_account_run_its_refresh_themselves() -> None:
    """More of them than there are threads: a thread for that one would never be free."""
    bench = Bench()
    ready = threading.Event()
    needed = bench.new_cell(ScriptedFetch(bench.clock))
    cells = []
    for _ in range(MAX_URGENT_THREADS + 20):
        fetch = ScriptedFetch(bench.clock)
        fetch.before = lambda: (ready.wait(10), read(needed))
        cells.append(bench.new_cell(fetch))
    waiting = iter(cells)

    def let_go() -> None:
        until(lambda: bench.workers._urgent._busy == MAX_URGENT_THREADS)
        ready.set()

    threading.Thread(target=let_go, daemon=True).start()
    results = in_threads(len(cells), lambda: read(next(waiting)))
    assert not [result for result in results if isinstance(result, Exception)]
    assert needed.snapshot.generation == 1


def test_a_worker_leaves_retries_to_whoever_waits_for_it() -> None:
    """A failure of the account that it needs is its own failure, at once."""
    bench = Bench(auto=True)
    bench.fetch.error = refusal()
    fetch = ScriptedFetch(bench.clock)

    def need() -> None:
        bench.fetch.error = None if bench.calls else refusal()
        read(bench.cell)

    fetch.before = need
    assert read(bench.new_cell(fetch)).credentials.access_key_id == "ASIA2"
    assert (len(fetch.calls), bench.calls) == (2, 2)


def test_a_hook_that_needs_what_its_thread_refreshes_is_told_so() -> None:
    """And the refresh goes on."""
    bench = Bench()
    told: list[object] = []

    def hook(event: events.Event) -> None:
        if isinstance(event, events.RefreshStarted):
            told.append(attempted(bench.read))

    bench.cell.reports._emit = hook
    assert bench.key() == "ASIA1"
    assert len(told) == 1
    assert "waits for the thread that asks for them here" in str(told[0])


def test_refreshes_that_need_each_other_are_told_so() -> None:
    """Each in its own thread, through others too; one of them gets an error, and with it the others go on."""
    bench = Bench()
    together = threading.Barrier(3)
    fetches = [ScriptedFetch(bench.clock) for _ in range(3)]
    cells = [bench.new_cell(fetch, patience=5) for fetch in fetches]
    told: list[object] = []

    def need(cell: Any) -> None:
        together.wait(10)
        told.append(attempted(partial(read, cell)))

    for number, fetch in enumerate(fetches):
        fetch.before = partial(need, cells[(number + 1) % 3])
    waiting = iter(cells)
    results = in_threads(3, lambda: read(next(waiting)))
    assert not [result for result in results if isinstance(result, Exception)]
    assert [isinstance(each, CredentialsError) for each in told].count(True) >= 1


def locks_of(bench: Bench) -> dict[str, AbstractContextManager[object]]:
    """Those that the main thread may hold as a signal handler comes in."""
    lane = Lane(bench.clock)
    bench.fetch.lane = lane
    return {
        "cell": bench.cell._lock,
        "pool": bench.workers._urgent._condition,
        "timer": bench.workers._lock,
        "lane": lane._lock,
    }


@pytest.mark.parametrize("name", ["cell", "pool", "timer", "lane"])
@pytest.mark.parametrize("chained", [False, True])
def test_a_signal_handler_waits_for_nobody(name: str, chained: bool) -> None:
    """In the middle of anything that a worker needs, too: it fetches what it needs for itself."""
    bench = Bench()
    lock = locks_of(bench)[name]
    cell = bench.cell
    if chained:
        fetch = ScriptedFetch(bench.clock)
        fetch.hop_before = bench.cell
        cell = bench.new_cell(fetch, hop=2)
    with lock:
        assert read(cell).credentials.access_key_id == "ASIA1"
        assert cell.snapshot.generation == 0
    assert read(cell).generation == 1


def test_a_signal_handler_takes_what_is_held() -> None:
    """Also where others would wait for a refresh."""
    bench = Bench()
    bench.key()
    bench.to_remaining(30)
    with bench.cell._lock:
        assert bench.key() == "ASIA1"
    assert bench.calls == 1


def test_what_ended_is_ended_for_a_signal_handler_too() -> None:
    """Closed, or past its deadline."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(10, bench.clock))
    bench.clock.advance(11)
    with cell._lock, pytest.raises(CredentialsError, match="deadline"):
        read(cell)
    bench.cell.close()
    with bench.cell._lock, pytest.raises(SessionClosedError):
        bench.read()
    assert bench.calls == 0


def test_a_next_hop_takes_no_thread_before_the_hop_before_has_credentials() -> None:
    """However many there are behind one hub."""
    bench = Bench()
    fetches = [ScriptedFetch(bench.clock) for _ in range(20)]
    for fetch in fetches:
        fetch.hop_before = bench.cell
    cells = [bench.new_cell(fetch, hop=2) for fetch in fetches]
    waiting = iter(cells)
    with bench.hanging():
        threads = [threading.Thread(target=lambda: read(next(waiting)), daemon=True) for _ in cells]
        for thread in threads:
            thread.start()
        until(lambda: bench.calls == 1 and all(cell._flight is not None and cell._flight.launched for cell in cells))
        assert bench.workers._urgent._busy == 1
    for thread in threads:
        thread.join(10)
    assert all(cell.snapshot.generation == 1 for cell in cells)
    assert bench.calls == 1


def test_a_next_hop_fails_with_the_hop_before() -> None:
    """By the same error, which says whose it is."""
    bench = Bench()
    fetch = ScriptedFetch(bench.clock)
    fetch.hop_before = bench.cell
    fetch.before = lambda: read(bench.cell)
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    with pytest.raises(AssumeRoleError, match=r"hop 1, .*: AccessDenied"):
        read(bench.new_cell(fetch, hop=2))
    assert bench.calls == 1


def test_a_next_hop_goes_on_when_the_hop_before_is_thrown_away() -> None:
    """It waits for the one that takes its place."""
    bench = Bench()
    fetch = ScriptedFetch(bench.clock)
    fetch.hop_before = bench.cell
    cell = bench.new_cell(fetch, hop=2)
    with bench.hanging():
        reading = threading.Thread(target=partial(read, cell), daemon=True)
        reading.start()
        until(lambda: bench.calls == 1 and cell._flight is not None and cell._flight.launched)
        bench.cell.invalidate()
        until(lambda: bench.calls == 2)
    reading.join(10)
    assert cell.snapshot.generation == 1


def test_a_reader_that_gives_up_is_told_what_holds_the_hop_before() -> None:
    """Its own hop was never tried."""
    bench = Bench(auto=True)
    bench.fetch.error = refusal()
    read_error = attempted(bench.read)
    assert isinstance(read_error, AssumeRoleError)
    fetch = ScriptedFetch(bench.clock)
    fetch.hop_before = bench.cell
    cell = bench.new_cell(fetch, hop=2, patience=1)
    bench.fetch.error = None
    bench.clock.advance(60)
    with bench.hanging(), pytest.raises(AssumeRoleError, match="InternalFailure"):
        read(cell)


def test_a_caller_that_waits_hastens_the_hop_before() -> None:
    """It began in the background, where it may be far back in the queue."""
    bench = Bench()
    bench.key()
    bench.workers.forget({bench.cell})
    fetch = ScriptedFetch(bench.clock)
    fetch.hop_before = bench.cell
    cell = bench.new_cell(fetch, hop=2)
    gate = threading.Event()
    for _ in range(8):
        bench.workers.submit(partial(gate.wait, 10), urgent=False)
    bench.to_remaining(800)
    bench.key()
    flight: Any = bench.cell._flight
    before = flight.background
    bench.to_remaining(0)
    assert read(cell).generation == 1
    assert (before, flight.background) == (True, False)
    gate.set()


def test_a_circle_of_others_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in it are told; whoever waits for one of them is not in it."""
    flights = [Flight(lambda _flight: None, background=False) for _ in range(2)]
    flights[0].runner, flights[1].runner = -1, -2
    monkeypatch.setattr(_flight, "_awaited", {-1: flights[1], -2: flights[0]})
    with waiting_for(flights[0]) as in_vain:
        assert not in_vain


def test_those_that_wait_are_called_once() -> None:
    """Of two threads that end a flight at once, each may call the last one; the other finds none."""

    class Taken(dict[object, Callable[[], None]]):
        def __len__(self) -> int:
            return 1

    flight = Flight(lambda _flight: None, background=False)
    flight._followers = Taken()
    flight.land()
    assert flight.done.is_set()


def test_a_flight_that_nobody_wants_is_not_run() -> None:
    """It has a thread, and gives it back."""
    runs: list[Flight] = []
    flight = Flight(runs.append, background=False)
    flight.voided = True
    flight.run()
    assert (runs, flight.done.is_set()) == ([], True)
