from __future__ import annotations

import pytest

from tests.support.cells import Bench, hanging_refresh, refusal, until
from xsession import events
from xsession.errors import AssumeRoleError, CredentialsError, CredentialsTimeoutError


def test_a_source_that_hangs_does_not_harm_readers() -> None:
    """The cap fires, one more flight may start, and no third while both hang; no caller waits."""
    bench = Bench()
    with hanging_refresh(bench):
        bench.clock.advance(23)
        bench.key()
        assert bench.cell.failure is not None
        assert isinstance(bench.cell.failure.error, CredentialsTimeoutError)
        bench.clock.advance(6)
        bench.key()
        until(lambda: bench.calls == 3)
        for _ in range(20):
            bench.clock.advance(25)
            assert bench.key() == "ASIA1"
        assert bench.calls == 3
    until(lambda: bench.cell.snapshot.generation > 1)


def test_a_flight_that_was_slept_through_is_retried_at_once() -> None:
    """A machine that was suspended in the middle of a refresh says nothing about STS: there is no back-off."""
    bench = Bench()
    with hanging_refresh(bench):
        bench.clock.advance(100)
        bench.key()
        until(lambda: bench.calls == 3)
    bench.settle()


def test_a_flight_that_fails_after_a_sleep_is_retried_at_once() -> None:
    """The connection that died in the meantime says nothing about STS either."""
    bench = Bench()
    with hanging_refresh(bench):
        bench.fetch.error = refusal("EndpointConnectionError")
        bench.clock.advance(100)
    assert bench.events.wait_for(events.RefreshFailed).next_try == 0


def test_an_answer_that_is_late_is_taken_all_the_same() -> None:
    """A flight that counts as failed may still bring good credentials."""
    bench = Bench()
    with hanging_refresh(bench):
        bench.clock.advance(23)
        bench.key()
    until(lambda: bench.cell.snapshot.generation == 2)
    assert bench.cell.failure is None


def test_a_reader_that_came_after_a_hang_is_told_of_it() -> None:
    """Two flights hang: there is no third, and the cause is the limit that passed."""
    bench = Bench(auto=True)
    with bench.hanging():
        with pytest.raises(CredentialsError):
            bench.read()
        with pytest.raises(CredentialsTimeoutError, match=r"STS gave no answer within 22 s"):
            bench.read()
        until(lambda: bench.calls == 2)


def test_a_source_that_hangs_is_not_sts() -> None:
    """A process, or the person whom it asks, takes longer than a flight may."""
    bench = Bench(auto=True)
    bench.fetch.awaits_source = True
    with bench.hanging():
        with pytest.raises(CredentialsError):
            bench.read()
        with pytest.raises(CredentialsTimeoutError, match=r"the source gave no credentials within 22 s") as caught:
            bench.read()
    assert caught.value.hop == 0


def test_a_reader_behind_two_hangs_with_no_failure_remembered_gets_a_timeout() -> None:
    """A late answer clears the failure, and may be over itself: no cause is named, and there is no third flight."""
    bench = Bench(auto=True)
    with bench.hanging():
        with pytest.raises(CredentialsError):
            bench.read()
        with pytest.raises(CredentialsTimeoutError):
            bench.read()
        bench.cell.failure = None
        with pytest.raises(CredentialsTimeoutError, match=r"no credentials within 30 s"):
            bench.read()
        until(lambda: bench.calls == 2)


def test_a_reader_whose_patience_ends_in_a_hang_is_told_of_the_failure_before_it() -> None:
    """The first try failed, the next one hangs: the failure says more than that time is up."""
    bench = Bench(auto=True, patience=10)
    bench.fetch.error = refusal()

    def hang_from_now_on() -> None:
        bench.fetch.gate.clear()

    bench.fetch.before = hang_from_now_on
    try:
        with pytest.raises(AssumeRoleError, match=r"InternalFailure: no; failed after 1 try"):
            bench.read()
        assert bench.calls == 2
    finally:
        bench.fetch.gate.set()
