from __future__ import annotations

import threading

import pytest

from tests.support.cells import Bench, advisory, in_threads, read, refusal, until
from xsession import events
from xsession.refresh import RefreshState


def test_nobody_waits_in_the_advisory_window() -> None:
    """Readers get what is held while one refresh is under way in the background."""
    bench = Bench()
    advisory(bench)
    with bench.hanging():
        assert [bench.key() for _ in range(100)] == ["ASIA1"] * 100
        until(lambda: bench.calls == 2)
    bench.settle()
    assert (bench.key(), bench.calls) == ("ASIA2", 2)
    assert bench.events.of(events.RefreshStarted)[-1].background


def test_a_failed_refresh_in_the_advisory_window_waits_for_its_time() -> None:
    """What is held stays in use, and STS is not asked again before the back-off ends."""
    bench = Bench()
    advisory(bench)
    bench.fetch.error = refusal()
    assert bench.key() == "ASIA1"
    until(lambda: bench.cell.failure)
    bench.clock.advance(4.9)
    assert (bench.key(), bench.calls) == ("ASIA1", 2)
    bench.fetch.error = None
    bench.clock.advance(0.2)
    bench.key()
    bench.settle()
    assert (bench.key(), bench.calls) == ("ASIA3", 3)
    failed = bench.events.of(events.RefreshFailed)[0]
    assert (failed.code, failed.retryable, failed.next_try, failed.remaining) == ("InternalFailure", True, 5, 800)


def test_throttling_makes_the_back_off_longer() -> None:
    """STS said that it gets too much: 15 s, not 5."""
    bench = Bench()
    advisory(bench)
    bench.fetch.error = refusal("ThrottlingException")
    bench.key()
    until(lambda: bench.cell.failure)
    assert bench.events.wait_for(events.RefreshFailed).next_try == 15


def test_the_back_off_ends_when_the_mandatory_window_begins() -> None:
    """However many tries failed, the last minute is not slept through."""
    bench = Bench()
    advisory(bench, 63)
    bench.fetch.error = refusal()
    bench.key()
    assert bench.events.wait_for(events.RefreshFailed).next_try == 3


def test_an_outage_from_the_advisory_window_to_the_end_is_not_noticed() -> None:
    """3,600 s session, source down from its window to the hard end: no error, at most 14 attempts."""
    bench = Bench()
    bench.read()
    bench.fetch.error = refusal()
    seen = set()
    while bench.cell.snapshot.remaining(bench.clock) > 6:
        seen.add(bench.read().credentials.access_key_id) if bench.cell.state is not RefreshState.MANDATORY else None
        bench.settle()
        bench.clock.advance(1)
    assert seen == {"ASIA1"}
    assert bench.calls - 1 <= 14


def test_a_refusal_while_something_valid_is_held_is_an_event() -> None:
    """AccessDenied with ten minutes left: still served, no storm of calls."""
    bench = Bench()
    advisory(bench, 600)
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    for _ in range(100):
        assert bench.key() == "ASIA1"
        bench.settle()
        bench.clock.advance(0.1)
    assert 2 <= bench.calls <= 5
    assert not bench.events.wait_for(events.RefreshFailed).retryable


@pytest.mark.parametrize("keys", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_keys_need_few_threads(keys: int) -> None:
    """At most 64 for callers and 8 in the background; none when there is nothing to do."""
    bench = Bench()
    cells = [bench.new_cell() for _ in range(keys)]
    most = {"xsession-flight": 0, "xsession-refresh": 0}

    def count() -> None:
        names = [thread.name for thread in threading.enumerate()]
        most.update({name: max(seen, names.count(name)) for name, seen in most.items()})

    waiting = iter(cells)
    bench.fetch.before = lambda: count() if len(bench.fetch.calls) % 50 == 0 else None
    in_threads(100, lambda: [read(cell) for cell in waiting] and None)
    for cell in cells:
        read(cell)
    bench.clock.advance(3_000)
    until(lambda: all(cell.snapshot.generation == 2 for cell in cells), 60)
    # One or two that have left the pool may not have ended yet.
    assert 1 <= most["xsession-flight"] <= 66
    assert 1 <= most["xsession-refresh"] <= 10
    bench.workers.forget(set(cells))
    until(lambda: not {"xsession-flight", "xsession-refresh"} & {thread.name for thread in threading.enumerate()})


def test_a_cell_has_one_entry_at_the_timer() -> None:
    """Invalidations and failures do not pile entries up."""
    bench = Bench()
    for _ in range(50):
        bench.cell.invalidate()
        bench.key()
        bench.key()
    assert len(bench.workers._due) <= 1


def test_an_entry_that_comes_too_early_is_set_again() -> None:
    """The timer looks, finds the credentials fresh, and comes back when their window opens."""
    bench = Bench()
    bench.key()
    bench.key()
    bench.cell.invalidate()
    bench.clock.advance(100)
    bench.key()
    bench.key()
    bench.cell._refresh_when_due()
    bench.clock.advance(2_701)
    until(lambda: bench.cell.snapshot.generation == 3)


def test_a_failure_in_the_background_is_tried_again_by_the_timer() -> None:
    """Without a reader, STS is asked again when the back-off ends; at the end there are no more calls."""
    bench = Bench()
    bench.key()
    bench.key()
    bench.fetch.error = refusal()
    bench.clock.advance(2_701)
    until(lambda: bench.cell.failure is not None)
    bench.cell._refresh_when_due()
    bench.clock.advance(5.1)
    until(lambda: bench.cell.failure is not None and bench.cell.failure.count == 2)
    bench.to_remaining(1)
    until(lambda: not bench.workers._due)
    assert bench.calls <= 4
