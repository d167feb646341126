from __future__ import annotations

from tests.support.cells import Bench, advisory, refusal
from xsession import events


def test_a_reader_in_the_mandatory_window_gets_the_new_ones() -> None:
    """It waits for the refresh that it started."""
    bench = Bench()
    bench.read()
    bench.to_remaining(50)
    assert (bench.key(), bench.calls) == ("ASIA2", 2)


def test_a_reader_in_the_mandatory_window_waits_for_a_moment_only() -> None:
    """Where STS does not answer, it takes what is held, and an event says so."""
    bench = Bench(auto=True)
    bench.read()
    bench.to_remaining(50)
    with bench.hanging():
        assert bench.key() == "ASIA1"
        assert 44 <= bench.cell.snapshot.remaining(bench.clock) <= 46
    stale = bench.events.wait_for(events.ServedStale)
    assert 44 <= stale.remaining <= 46


def test_a_failure_in_the_mandatory_window_is_tried_again_a_third_later() -> None:
    """Mandatory and failing: what is held is served."""
    bench = Bench()
    bench.read()
    bench.to_remaining(50)
    bench.fetch.error = refusal()
    assert bench.key() == "ASIA1"
    assert bench.events.wait_for(events.RefreshFailed).next_try == 20
    assert bench.key() == "ASIA1"
    assert bench.calls == 2
    bench.clock.advance(20.5)
    bench.fetch.error = None
    assert bench.key() == "ASIA3"


def test_a_reader_that_must_wait_hastens_a_refresh_of_the_background() -> None:
    """It began in the advisory window; in the mandatory one it no longer stands behind the others in their queue."""
    bench = Bench(auto=True)
    advisory(bench, 70)
    with bench.hanging():
        bench.key()
        flight = bench.cell._flight
        assert flight is not None
        assert flight.background
        bench.clock.advance(15)
        bench.key()
        hastened = bench.cell._flight
        assert hastened is not None
        assert not hastened.background
        assert hastened is flight
    bench.settle()
    assert bench.calls == 2
