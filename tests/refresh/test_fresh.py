from __future__ import annotations

import itertools
import sys
import threading
import time
from typing import Any

import pytest

from tests.support.cells import ROLE, Bench, until
from xsession import events
from xsession._chain._account_credentials import CellCredentials
from xsession.refresh import RefreshState
from xsession.refresh._flight import Flight


def test_a_fresh_snapshot_is_returned_as_it_is() -> None:
    """Reading costs no call while the window is far, and each reader gets the same object."""
    bench = Bench()
    assert bench.cell.state is RefreshState.EMPTY
    first = bench.read()
    assert bench.read().credentials is first.credentials
    assert (bench.calls, bench.cell.state) == (1, RefreshState.FRESH)


def test_a_900_s_session_is_not_refreshed_at_every_request() -> None:
    """10,000 reads over the first five minutes: one call."""
    bench = Bench(900)
    for _ in range(10_000):
        bench.read()
        bench.clock.advance(0.03)
    assert bench.calls == 1


def test_sessions_of_a_minute_make_no_busy_loop() -> None:
    """A source that gives 60 s sessions is asked about once in each of them."""
    bench = Bench(60)
    for _ in range(600):
        bench.read()
        bench.settle()
        bench.clock.advance(1)
    assert 10 <= bench.calls <= 20


def test_credentials_that_nobody_reads_are_not_refreshed() -> None:
    """An account that was touched once is refreshed once, and does not cost a call an hour for ever."""
    bench = Bench()
    bench.read()
    bench.clock.advance(3_000)
    until(lambda: bench.cell.snapshot.generation == 2)
    for _ in range(10):
        bench.clock.advance(3_000)
        bench.settle()
    assert bench.calls == 2


def test_credentials_in_use_are_refreshed_ahead_of_time() -> None:
    """They are replaced when their window opens, without a caller."""
    bench = Bench()
    assert bench.key() == "ASIA1"
    bench.clock.advance(2_701)
    until(lambda: bench.cell.snapshot.generation == 2)
    assert (bench.key(), bench.calls) == ("ASIA2", 2)


@pytest.mark.parametrize("refreshes", [100, pytest.param(1_000, marks=pytest.mark.slow)])
def test_no_reader_sees_halves_of_two_triples(refreshes: int) -> None:
    """32 readers over many refreshes: every triple is of one answer, and generations never go back."""
    bench = Bench()
    cell: Any = bench.cell
    # As clients read: without a lock as long as they are fresh.
    credentials = CellCredentials("vegeta", cell)
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        last = 0
        for turn in itertools.count():
            if stop.is_set():
                return
            if turn % 20 == 0:
                time.sleep(0.001)  # else 32 of them would leave the refreshes little time
            snapshot = credentials._read()
            number = snapshot.credentials.access_key_id.removeprefix("ASIA")
            whole = (snapshot.credentials.secret_access_key, snapshot.credentials.session_token)
            if whole != (f"secret{number}", f"token{number}") or snapshot.generation < last:
                wrong.append(snapshot)
            last = snapshot.generation

    bench.read()
    readers = [threading.Thread(target=read, daemon=True) for _ in range(32)]
    # Started first: under coverage, two threads that start within such a short turn trip over each other.
    for reader in readers:
        reader.start()
    # Threads take turns as often as they can: more races.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(refreshes):
            Flight(bench.cell._run, background=True).run()
            bench.clock.advance(0.01)
    finally:
        stop.set()
        sys.setswitchinterval(interval)
    for reader in readers:
        reader.join(30)
    assert wrong == []
    assert bench.cell.snapshot.generation >= refreshes


def test_the_first_refresh_reports_what_it_did() -> None:
    """Started and succeeded, with the key id that CloudTrail knows, and its cost."""
    bench = Bench()
    bench.key()
    started, succeeded = bench.events.events
    assert isinstance(started, events.RefreshStarted)
    assert not started.background
    assert isinstance(succeeded, events.RefreshSucceeded)
    assert (succeeded.account, succeeded.role_arn, succeeded.hop) == ("vegeta", ROLE, 1)
    assert (succeeded.access_key_id, succeeded.duration) == ("ASIA1", 0)
