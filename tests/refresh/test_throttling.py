from __future__ import annotations

import threading
import time
from functools import partial

import pytest

from tests.support.cells import Allowing, Bench, ThrottledFetch, read, until
from xsession.errors import CredentialsError
from xsession.refresh._lanes import Lane, LaneRate


@pytest.mark.parametrize("keys", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_hundreds_of_keys_come_up_while_sts_throttles(keys: int) -> None:
    """STS allows two calls a second: all come up in minutes, without an error, with 1.5 times the calls."""
    bench = Bench()
    sts, lane = Allowing(bench.clock, 2), Lane(bench.clock)
    cells = [bench.new_cell(ThrottledFetch(bench.fetch, lane, sts)) for _ in range(keys)]
    waiting = iter(list(cells))
    errors: list[Exception] = []

    def read_on() -> None:
        for cell in waiting:
            try:
                read(cell)
            except CredentialsError as error:
                errors.append(error)

    began = bench.clock.boot()
    threads = [threading.Thread(target=read_on, daemon=True) for _ in range(100)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        bench.clock.advance(0.1)
        time.sleep(0.001)
    assert errors == []
    assert all(cell.snapshot.generation for cell in cells)
    assert bench.clock.boot() - began >= keys / 2
    assert sts.calls <= 1.5 * 2 * (bench.clock.boot() - began)


@pytest.mark.parametrize("in_thread", [False, True])
def test_the_time_that_a_flight_is_held_back_is_not_its_own(in_thread: bool) -> None:
    """Nor the reader's: after a minute in the lane it still gets its credentials, and the flight is not overdue."""
    bench = Bench()
    lane = Lane(bench.clock)
    lane._next = bench.clock.boot() + 59
    cell = bench.new_cell(ThrottledFetch(bench.fetch, lane, lambda: True, in_thread=in_thread))
    lane._pace = LaneRate(1 / 59, bench.clock.boot(), bench.clock.boot())
    reading = threading.Thread(target=partial(read, cell), daemon=True)
    reading.start()
    until(lambda: cell._flight is not None and cell._flight.launched)
    until(lambda: lane._line or not in_thread)
    for _ in range(58):
        bench.clock.advance(1)
        time.sleep(0.003)
    assert reading.is_alive()
    flight = cell._flight
    assert flight is not None
    assert (flight.overdue, round(flight.age(bench.clock.boot()))) == (False, 0)
    bench.clock.advance(2)
    reading.join(10)
    assert cell.snapshot.generation == 1
