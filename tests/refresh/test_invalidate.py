from __future__ import annotations

import pytest

from tests.support.cells import Bench, hanging_refresh, in_threads, refusal
from xsession import events
from xsession.errors import AssumeRoleError, CredentialsTimeoutError
from xsession.refresh import RefreshState


def test_invalidate_makes_the_next_reader_fetch() -> None:
    """What is held and what is remembered are thrown away; the store is told."""
    bench = Bench()
    bench.read()
    assert bench.cell.invalidate()
    assert bench.cell.state is RefreshState.EMPTY
    assert (bench.key(), bench.calls, bench.fetch.forgotten) == ("ASIA2", 2, [None])
    assert bench.events.wait_for(events.Invalidated).access_key_id == "ASIA1"


def test_a_late_rejection_of_an_older_generation_changes_nothing() -> None:
    """Compare and swap: only the key that was rejected is thrown away."""
    bench = Bench()
    bench.read()
    assert bench.cell.invalidate("ASIA1", reason="rejected by a service")
    assert bench.key() == "ASIA2"
    assert not bench.cell.invalidate("ASIA1")
    assert (bench.key(), bench.calls) == ("ASIA2", 2)


def test_a_thousand_rejections_of_one_key_cost_one_call() -> None:
    """All threads of a service meet ExpiredToken at once."""
    bench = Bench()
    bench.read()
    results = in_threads(50, lambda: [bench.cell.invalidate("ASIA1") or bench.read() for _ in range(20)])
    assert not [result for result in results if isinstance(result, Exception)]
    assert bench.calls == 2


def test_an_answer_begun_before_an_invalidation_is_dropped() -> None:
    """It may be of the time before the role was changed."""
    bench = Bench(auto=True, patience=0.1)
    with bench.hanging():
        with pytest.raises(CredentialsTimeoutError):
            bench.read()
        flight = bench.cell._flight
        assert flight is not None
        bench.cell.invalidate()
    assert flight.done.wait(10)
    assert bench.cell.state is RefreshState.EMPTY
    assert bench.key() == "ASIA2"


def test_the_answer_of_one_that_hung_is_dropped_after_an_invalidation_too() -> None:
    """The flight that was given up learns of it like the one under way; its failure reaches no caller either."""
    bench = Bench()
    with hanging_refresh(bench):
        bench.clock.advance(23)
        bench.key()
        hanging = bench.cell._overdue_flight
        assert hanging is not None
        bench.cell.invalidate()
        bench.fetch.error = refusal()
    assert hanging.done.wait(10)
    assert (bench.cell.state, bench.cell.failure) == (RefreshState.EMPTY, None)


def test_an_invalidation_ends_a_back_off() -> None:
    """Who calls `invalidate` wants a new try now."""
    bench = Bench()
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    with pytest.raises(AssumeRoleError):
        bench.read()
    bench.fetch.error = None
    bench.cell.invalidate()
    assert bench.key() == "ASIA2"


def test_what_is_superseded_is_gone_but_a_refresh_under_way_counts() -> None:
    """Its answer is of the new source already."""
    bench = Bench()
    with hanging_refresh(bench):
        bench.cell.supersede()
        assert bench.cell.state is RefreshState.EMPTY
    assert (bench.key(), bench.calls, bench.fetch.forgotten) == ("ASIA2", 2, ["ASIA1"])
    assert bench.events.wait_for(events.Invalidated).access_key_id == "ASIA1"


def test_where_nothing_is_held_nothing_is_superseded() -> None:
    """And there is no event."""
    bench = Bench()
    bench.cell.supersede()
    assert (bench.events.events, bench.fetch.forgotten) == ([], [])
