from __future__ import annotations

import threading

import pytest

from tests.support.cells import Bench, hanging_refresh, in_threads, refusal, until
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


def test_what_is_superseded_is_gone_and_so_is_what_another_thread_is_at() -> None:
    """It may have been signed before the source was another one."""
    bench = Bench()
    with hanging_refresh(bench):
        assert bench.cell.is_given
        bench.cell.supersede()
        assert bench.cell.state is RefreshState.EMPTY
    assert (bench.key(), bench.calls, bench.fetch.forgotten) == ("ASIA3", 3, ["ASIA1"])
    assert bench.events.wait_for(events.Invalidated).access_key_id == "ASIA1"


def test_what_is_on_its_way_for_another_thread_was_given_too() -> None:
    """To the source, though nothing is held yet."""
    bench = Bench()
    given = [bench.cell.is_given]
    with bench.hanging():
        reading = threading.Thread(target=bench.key, daemon=True)
        reading.start()
        until(lambda: bench.calls)
        given.append(bench.cell.is_given)
    reading.join(10)
    assert [*given, bench.cell.is_given] == [False, True, True]


def test_the_refresh_that_finds_another_source_goes_on() -> None:
    """Its answer is of the new one already."""
    bench = Bench()
    told: list[bool] = []

    def find() -> None:
        told.append(bench.cell.is_given)
        bench.cell.supersede()

    bench.fetch.before = find
    assert (bench.key(), bench.calls, told) == ("ASIA1", 1, [False])
    bench.cell.close()


def test_where_nothing_is_held_nothing_is_superseded() -> None:
    """And there is no event."""
    bench = Bench()
    bench.cell.supersede()
    assert (bench.events.events, bench.fetch.forgotten) == ([], [])
