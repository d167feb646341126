from __future__ import annotations

import gc
import itertools
import random
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.cells import ROLE, Allowing, Bench, ScriptedFetch, ThrottledFetch, in_threads, refusal, until
from xsession import events
from xsession.errors import (
    AssumeRoleError,
    CredentialsError,
    CredentialsTimeoutError,
    DeadlinePassedError,
    SessionClosedError,
    XSessionError,
)
from xsession.refresh import RefreshState
from xsession.refresh._flight import Flight
from xsession.refresh._lanes import Lane, LaneRate
from xsession.refresh._snapshot import Deadline


def advisory(bench: Bench, remaining: float = 800.0) -> None:
    """Reads once, and lets time pass into the advisory window; the timer stays out of it."""
    bench.cell.read()
    bench.workers.forget({bench.cell})
    bench.to_remaining(remaining)


@contextmanager
def hanging_refresh(bench: Bench) -> Iterator[None]:
    """A refresh of the advisory window is under way, and STS does not answer within the block."""
    advisory(bench)
    with bench.hanging():
        bench.key()
        until(lambda: bench.calls == 2)
        yield


# Fresh


def test_a_fresh_snapshot_is_returned_as_it_is() -> None:
    """Reading costs no call while the window is far, and each reader gets the same object."""
    bench = Bench()
    assert bench.cell.state is RefreshState.EMPTY
    first = bench.cell.read()
    assert bench.cell.read().credentials is first.credentials
    assert (bench.calls, bench.cell.state) == (1, RefreshState.FRESH)


def test_hard_1_a_900_s_session_is_not_refreshed_at_every_request() -> None:
    """10,000 reads over the first five minutes: one call."""
    bench = Bench(900)
    for _ in range(10_000):
        bench.cell.read()
        bench.clock.advance(0.03)
    assert bench.calls == 1


def test_hard_2_sessions_of_a_minute_make_no_busy_loop() -> None:
    """A source that gives 60 s sessions is asked about once in each of them."""
    bench = Bench(60)
    for _ in range(600):
        bench.cell.read()
        bench.settle()
        bench.clock.advance(1)
    assert 10 <= bench.calls <= 20


def test_credentials_that_nobody_reads_are_not_refreshed() -> None:
    """An account that was touched once is refreshed once, and does not cost a call an hour for ever."""
    bench = Bench()
    bench.cell.read()
    bench.clock.advance(3_000)
    until(lambda: bench.cell.snapshot.generation == 2)
    for _ in range(10):
        bench.clock.advance(3_000)
        bench.settle()
    assert bench.calls == 2


def test_credentials_in_use_are_refreshed_ahead_of_time() -> None:
    """They are replaced when their window opens, with nobody asking."""
    bench = Bench()
    assert bench.key() == "ASIA1"
    bench.clock.advance(2_701)
    until(lambda: bench.cell.snapshot.generation == 2)
    assert (bench.key(), bench.calls) == ("ASIA2", 2)


# Advisory


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
    """Conformance: what is held stays in use, and STS is not asked again before the back-off ends."""
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


def test_hard_3_an_outage_from_the_advisory_window_to_the_end_is_not_noticed() -> None:
    """3,600 s session, source down from its window to the hard end: no error, at most 14 attempts."""
    bench = Bench()
    bench.cell.read()
    bench.fetch.error = refusal()
    seen = set()
    while bench.cell.snapshot.remaining(bench.clock) > 6:
        seen.add(
            bench.cell.read().credentials.access_key_id
        ) if bench.cell.state is not RefreshState.MANDATORY else None
        bench.settle()
        bench.clock.advance(1)
    assert seen == {"ASIA1"}
    assert bench.calls - 1 <= 14


def test_hard_5_a_source_that_hangs_does_not_harm_readers() -> None:
    """The cap fires, one more flight is let start, and no third while both hang; nobody waits."""
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


# Mandatory


def test_a_reader_in_the_mandatory_window_gets_the_new_ones() -> None:
    """It waits for the refresh that it started."""
    bench = Bench()
    bench.cell.read()
    bench.to_remaining(50)
    assert (bench.key(), bench.calls) == ("ASIA2", 2)


def test_a_reader_in_the_mandatory_window_waits_for_a_moment_only() -> None:
    """Where STS does not answer, it takes what is held, and an event says so."""
    bench = Bench(auto=True)
    bench.cell.read()
    bench.to_remaining(50)
    with bench.hanging():
        assert bench.key() == "ASIA1"
        assert 44 <= bench.cell.snapshot.remaining(bench.clock) <= 46
    stale = bench.events.wait_for(events.ServedStale)
    assert 44 <= stale.remaining <= 46


def test_a_failure_in_the_mandatory_window_is_tried_again_a_third_later() -> None:
    """Conformance: mandatory and failing: what is held is served."""
    bench = Bench()
    bench.cell.read()
    bench.to_remaining(50)
    bench.fetch.error = refusal()
    assert bench.key() == "ASIA1"
    assert bench.events.wait_for(events.RefreshFailed).next_try == 20
    assert bench.key() == "ASIA1"
    assert bench.calls == 2
    bench.clock.advance(20.5)
    bench.fetch.error = None
    assert bench.key() == "ASIA3"


def test_an_older_answer_is_dropped() -> None:
    """Hard test 14: credentials that end before those held are a failed refresh."""
    bench = Bench()
    advisory(bench)
    bench.fetch.lifetime = 600
    bench.key()
    failed = bench.events.wait_for(events.RefreshFailed)
    assert "end before those held" in failed.message
    assert bench.key() == "ASIA1"


def test_an_older_answer_is_better_than_dead_credentials() -> None:
    """Where nothing usable is held, it is taken."""
    bench = Bench()
    bench.cell.read()
    bench.to_remaining(-10)
    bench.fetch.lifetime = 30
    assert bench.key() == "ASIA2"


# Empty and expired


def test_a_cold_reader_waits_through_failures() -> None:
    """Conformance: initial failure, then success: a quarter of a second later, while the reader waits."""
    bench = Bench(auto=True)
    failures = iter([refusal(), refusal()])

    def fail_twice() -> None:
        bench.fetch.error = next(failures, None)

    bench.fetch.before = fail_twice
    assert bench.key() == "ASIA3"
    assert [
        round(later - sooner, 2) for sooner, later in zip(bench.fetch.calls, bench.fetch.calls[1:], strict=False)
    ] == [
        0.25,
        0.5,
    ]


def test_hard_4_past_the_end_a_reader_gets_the_cause() -> None:
    """STS down past the expiry: an error within 22 s with cause, tries and next try; then it recovers."""
    bench = Bench(auto=True)
    bench.cell.read()
    bench.to_remaining(-1)
    bench.fetch.error = refusal()
    began = bench.clock.boot()
    with pytest.raises(AssumeRoleError, match=r"InternalFailure: no; failed after \d+ tries, the next in \d") as caught:
        bench.cell.read()
    assert bench.clock.boot() - began <= 22
    assert caught.value.code == "InternalFailure"
    bench.fetch.error = None
    bench.clock.advance(5)
    assert bench.key().startswith("ASIA")


def test_dead_credentials_are_never_served() -> None:
    """From the hard end on a reader waits, whatever happens."""
    bench = Bench(auto=True)
    bench.cell.read()
    bench.to_remaining(4)
    bench.fetch.error = refusal(retryable=False)
    with pytest.raises(AssumeRoleError):
        bench.cell.read()


def test_a_reader_that_sts_keeps_waiting_gets_a_timeout() -> None:
    """30 s, then an error that says that the refresh goes on; the next reader finds its answer."""
    bench = Bench(auto=True, patience=10)
    with bench.hanging(), pytest.raises(CredentialsTimeoutError, match=r"no credentials within 10 s"):
        bench.cell.read()
    until(lambda: bench.cell.snapshot.generation)
    assert bench.calls == 1


def test_a_reader_that_came_after_a_hang_is_told_of_it() -> None:
    """Two flights hang: there is no third, and the cause is the limit that passed."""
    bench = Bench(auto=True)
    with bench.hanging():
        with pytest.raises(CredentialsError):
            bench.cell.read()
        with pytest.raises(CredentialsTimeoutError, match=r"STS gave no answer within 22 s"):
            bench.cell.read()
        until(lambda: bench.calls == 2)


def test_a_reader_behind_two_hangs_with_no_failure_remembered_gets_a_timeout() -> None:
    """A late answer clears the failure, and may be over itself: no cause is named, and there is no third flight."""
    bench = Bench(auto=True)
    with bench.hanging():
        with pytest.raises(CredentialsError):
            bench.cell.read()
        with pytest.raises(CredentialsTimeoutError):
            bench.cell.read()
        bench.cell.failure = None
        with pytest.raises(CredentialsTimeoutError, match=r"no credentials within 30 s"):
            bench.cell.read()
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
            bench.cell.read()
        assert bench.calls == 2
    finally:
        bench.fetch.gate.set()


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


def test_hard_8_a_refusal_while_something_valid_is_held_is_an_event() -> None:
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


def test_hard_9_a_refusal_at_first_costs_one_call() -> None:
    """100 callers within a second: one call, 100 errors of their own with the same cause."""
    bench = Bench()
    cause = ValueError("the answer")
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    bench.fetch.error.__cause__ = cause
    errors = in_threads(100, bench.cell.read)
    assert {type(error) for error in errors} == {AssumeRoleError}
    assert len({id(error) for error in errors}) == 100
    assert {id(error.__cause__) for error in errors if isinstance(error, XSessionError)} == {id(cause)}
    assert bench.calls == 1


def test_a_remembered_refusal_is_forgotten_in_time() -> None:
    """Conformance: non-retryable at first; five seconds later STS is asked again."""
    bench = Bench()
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    for _ in range(3):
        with pytest.raises(AssumeRoleError):
            bench.cell.read()
    assert bench.calls == 1
    bench.fetch.error = None
    bench.clock.advance(5.1)
    assert bench.key() == "ASIA2"


def test_hard_16_a_cold_storm_costs_one_call() -> None:
    """50 threads: one call, one object."""
    bench = Bench()
    bench.fetch.before = lambda: until(lambda: threading.active_count() > 40, 1)
    snapshots = in_threads(50, lambda: bench.cell.read().credentials)
    assert len({id(credentials) for credentials in snapshots}) == 1
    assert bench.calls == 1


def test_hard_17_a_cold_storm_that_fails_costs_one_call() -> None:
    """50 threads: one call, 50 errors."""
    bench = Bench()
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    errors = in_threads(50, bench.cell.read)
    assert all(isinstance(error, AssumeRoleError) for error in errors)
    assert bench.calls == 1


def test_hard_18_a_reader_that_leaves_does_not_end_the_flight() -> None:
    """One with a patience of 0.1 s leaves; the next finds what came."""
    bench = Bench(auto=True, patience=0.1)
    with bench.hanging(), pytest.raises(CredentialsTimeoutError):
        bench.cell.read()
    until(lambda: bench.cell.snapshot.generation)
    assert (bench.key(), bench.calls) == ("ASIA1", 1)


def test_hard_19_an_interrupt_in_a_waiter_poisons_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C reaches the caller alone; the refresh goes on for the others."""
    bench = Bench()

    def interrupted(*_arguments: object) -> bool:
        raise KeyboardInterrupt

    with bench.hanging(), monkeypatch.context() as patched:
        patched.setattr(bench.clock, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bench.cell.read()
    assert (bench.key(), bench.calls) == ("ASIA1", 1)


def test_an_interrupt_before_the_flight_ran_poisons_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flight that its reader could not start is started by the next one."""
    bench = Bench()

    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bench.workers, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bench.cell.read()
    reading = threading.Thread(target=bench.cell.read, daemon=True)
    reading.start()
    until(lambda: bench.cell._flight is not None)
    while reading.is_alive():
        bench.clock.advance(1)
        reading.join(0.05)
    assert bench.cell.snapshot.generation == 1


def test_hard_20_no_reader_sees_halves_of_two_triples() -> None:
    """32 readers over 1,000 refreshes: every triple is of one answer, and generations never go back."""
    bench = Bench()
    stop = threading.Event()
    wrong: list[object] = []

    def read() -> None:
        last = 0
        for turn in itertools.count():
            if stop.is_set():
                return
            if turn % 20 == 0:
                time.sleep(0.001)  # else 32 of them would leave the refreshes little time
            snapshot = bench.cell.read()
            number = snapshot.credentials.access_key_id.removeprefix("ASIA")
            whole = (snapshot.credentials.secret_access_key, snapshot.credentials.session_token)
            if whole != (f"secret{number}", f"token{number}") or snapshot.generation < last:
                wrong.append(snapshot)
            last = snapshot.generation

    bench.cell.read()
    readers = [threading.Thread(target=read, daemon=True) for _ in range(32)]
    # Started first: under coverage, two threads that start within such a short turn trip over each other.
    for reader in readers:
        reader.start()
    # Threads take turns as often as they can: more races.
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for _ in range(1_000):
            Flight(bench.cell._run, background=True).run()
            bench.clock.advance(0.01)
    finally:
        stop.set()
        sys.setswitchinterval(interval)
    for reader in readers:
        reader.join(30)
    assert wrong == []
    assert bench.cell.snapshot.generation >= 1_000


# Whatever a fetch does


def test_any_exception_of_a_fetch_becomes_an_error_with_its_cause() -> None:
    """botocore raises KeyError on garbage: readers get an error of ours, and the cell goes on."""
    bench = Bench(patience=0.5)
    bench.fetch.raises = KeyError("Credentials")
    with pytest.raises(CredentialsError, match="refreshing failed: KeyError") as caught:
        bench.cell.read_nested()
    assert isinstance(caught.value.__cause__, KeyError)
    bench.fetch.raises = None
    bench.clock.advance(5)
    assert bench.key() == "ASIA2"


@pytest.mark.usefixtures("dying_threads")
def test_hard_36_a_thread_that_dies_in_a_refresh_harms_nobody() -> None:
    """Its readers get the cause, and the next refresh runs in another thread."""
    bench = Bench()
    advisory(bench)
    bench.fetch.raises = SystemError("dying")
    bench.key()
    until(lambda: bench.cell.failure)
    bench.fetch.raises = GeneratorExit()
    bench.clock.advance(6)
    bench.key()
    until(lambda: bench.cell.failure is not None and bench.cell.failure.count == 2)
    bench.fetch.raises = None
    bench.clock.advance(20)
    bench.key()
    bench.settle()
    assert bench.key() == "ASIA4"


@pytest.mark.parametrize("missing", ["lifetime", "issued_at"])
def test_an_answer_without_an_end_is_a_failed_refresh(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hard test 13: nothing is taken whose end is not known."""
    bench = Bench()
    issued = bench.fetch.issued(1, bench.clock.wall(), 900)
    object.__setattr__(issued, missing, None)
    monkeypatch.setattr(bench.fetch, "issued", lambda *_args: issued)
    with pytest.raises(CredentialsError, match="no end"):
        bench.cell.read_nested()


# Invalidation


def test_invalidate_makes_the_next_reader_fetch() -> None:
    """What is held and what is remembered are thrown away; the store is told."""
    bench = Bench()
    bench.cell.read()
    assert bench.cell.invalidate()
    assert bench.cell.state is RefreshState.EMPTY
    assert (bench.key(), bench.calls, bench.fetch.forgotten) == ("ASIA2", 2, [None])
    assert bench.events.wait_for(events.Invalidated).access_key_id == "ASIA1"


def test_hard_28_a_late_rejection_of_an_older_generation_changes_nothing() -> None:
    """Compare and swap: only the key that was rejected is thrown away."""
    bench = Bench()
    bench.cell.read()
    assert bench.cell.invalidate("ASIA1", reason="rejected by a service")
    assert bench.key() == "ASIA2"
    assert not bench.cell.invalidate("ASIA1")
    assert (bench.key(), bench.calls) == ("ASIA2", 2)


def test_hard_29_a_thousand_rejections_of_one_key_cost_one_call() -> None:
    """All threads of a service meet ExpiredToken at once."""
    bench = Bench()
    bench.cell.read()
    results = in_threads(50, lambda: [bench.cell.invalidate("ASIA1") or bench.cell.read() for _ in range(20)])
    assert not [result for result in results if isinstance(result, Exception)]
    assert bench.calls == 2


def test_an_answer_begun_before_an_invalidation_is_dropped() -> None:
    """It may be of the time before somebody changed the role."""
    bench = Bench(auto=True, patience=0.1)
    with bench.hanging():
        with pytest.raises(CredentialsTimeoutError):
            bench.cell.read()
        flight = bench.cell._flight
        assert flight is not None
        bench.cell.invalidate()
    assert flight.done.wait(10)
    assert bench.cell.state is RefreshState.EMPTY
    assert bench.key() == "ASIA2"


def test_the_answer_of_one_that_hung_is_dropped_after_an_invalidation_too() -> None:
    """The flight that was given up hears of it like the one under way; its failure is nobody's either."""
    bench = Bench()
    with hanging_refresh(bench):
        bench.clock.advance(23)
        bench.key()
        zombie = bench.cell._zombie
        assert zombie is not None
        bench.cell.invalidate()
        bench.fetch.error = refusal()
    assert zombie.done.wait(10)
    assert (bench.cell.state, bench.cell.failure) == (RefreshState.EMPTY, None)


def test_an_invalidation_ends_a_back_off() -> None:
    """Whoever invalidates wants a new try now."""
    bench = Bench()
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    with pytest.raises(AssumeRoleError):
        bench.cell.read()
    bench.fetch.error = None
    bench.cell.invalidate()
    assert bench.key() == "ASIA2"


# Clocks


@pytest.mark.parametrize("step", [-7_200, 7_200, -3_600, 3_600])
def test_hard_24_a_wall_clock_that_steps_never_shows_dead_credentials(step: float) -> None:
    """Two hours back or ahead: at most one call more, and nothing that is dead by the other clock."""
    bench = Bench()
    bench.key()
    bench.key()
    bench.clock.step_wall(step)
    for _ in range(60):
        snapshot = bench.cell.read()
        assert snapshot.expires_boot > bench.clock.boot()
        bench.settle()
        bench.clock.advance(30)
    assert bench.calls <= 2


def test_a_step_is_an_event() -> None:
    """Each is told once, when a reader next looks at more than the two deadlines."""
    bench = Bench()
    advisory(bench)
    bench.clock.step_wall(-600)
    with bench.hanging():
        for _ in range(3):
            bench.key()
        assert [event.seconds for event in bench.events.of(events.ClockStepped)] == [-600]
        bench.clock.step_wall(30)
        bench.key()
        assert [event.seconds for event in bench.events.of(events.ClockStepped)] == [-600, 30]
    bench.settle()


def test_hard_25_after_three_hours_of_suspend_nothing_dead_is_served() -> None:
    """Both clocks went on: the reader waits for new ones."""
    bench = Bench()
    bench.key()
    bench.clock.advance(3 * 3_600)
    assert bench.key() == "ASIA2"


# Chains


def chain_of(bench: Bench, hops: int) -> list[Any]:
    """Cells of a chain; each hop's fetch reads the hop before it."""
    cells: list[Any] = [bench.cell]
    for hop in range(2, hops + 1):
        fetch = ScriptedFetch(bench.clock, bench.fetch.lifetime)
        fetch.before = cells[-1].read_nested
        cells.append(bench.new_cell(fetch, hop=hop))
    return cells


def test_a_chain_is_fetched_in_one_thread() -> None:
    """The hops before are nested in the last one's flight, and cost one call each."""
    bench = Bench()
    threads = []
    bench.fetch.before = lambda: threads.append(threading.current_thread().name)
    *_, last = chain_of(bench, 4)
    before = last._fetch.before

    def noting() -> None:
        threads.append(threading.current_thread().name)
        before()

    last._fetch.before = noting
    assert last.read().credentials.access_key_id == "ASIA1"
    assert (bench.calls, len(threads), set(threads)) == (1, 2, {"xsession-flight"})


def test_a_flight_of_the_hop_before_is_joined() -> None:
    """Two accounts behind one hub: the hub is assumed once."""
    bench = Bench()
    accounts = [chain_of(bench, 2)[1] for _ in range(20)]
    cells = iter(accounts)
    snapshots = in_threads(20, lambda: next(cells).read())
    assert not [snapshot for snapshot in snapshots if isinstance(snapshot, Exception)]
    assert bench.calls == 1


def test_a_failure_of_the_hop_before_is_the_reason() -> None:
    """Its error reaches the reader with its own hop; the last hop's readers do the waiting."""
    bench = Bench()
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    _, last = chain_of(bench, 2)
    with pytest.raises(AssumeRoleError, match=f"hop 1, {ROLE}: AccessDenied"):
        last.read()


def test_hard_30_chains_whose_hops_end_in_flight_do_not_lock_up() -> None:
    """Chains of up to five hops over shared parents, all of which end at once, from 32 threads."""
    bench = Bench(60)
    trees = [chain_of(bench, hops) for hops in (1, 2, 3, 4, 5) for _ in range(8)]
    lasts = [cells[-1] for cells in trees]
    for turn in range(5):
        order = random.Random(turn)
        results = in_threads(32, lambda: [order.choice(lasts).read() for _ in range(6)])  # noqa: B023 # used up in this turn
        assert not [result for result in results if isinstance(result, Exception)]
        bench.clock.advance(61)


# Throttling


def test_hard_6_five_hundred_keys_come_up_while_sts_throttles() -> None:
    """STS allows two calls a second: all 500 come up in minutes, without an error, with 1.5 times the calls."""
    bench = Bench()
    sts, lane = Allowing(bench.clock, 2), Lane(bench.clock)
    cells = [bench.new_cell(ThrottledFetch(bench.fetch, lane, sts)) for _ in range(500)]
    waiting = iter(list(cells))
    errors: list[Exception] = []

    def read_on() -> None:
        for cell in waiting:
            try:
                cell.read()
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
    assert bench.clock.boot() - began >= 250
    assert sts.calls <= 1.5 * 2 * (bench.clock.boot() - began)


def test_the_time_that_a_flight_is_held_back_is_not_its_own() -> None:
    """Nor the reader's: after a minute in the lane it still gets its credentials, and the flight is not overdue."""
    bench = Bench()
    lane = Lane(bench.clock)
    lane._next = bench.clock.boot() + 59
    cell = bench.new_cell(ThrottledFetch(bench.fetch, lane, lambda: True))
    lane._pace = LaneRate(1 / 59, bench.clock.boot(), bench.clock.boot())
    reading = threading.Thread(target=cell.read, daemon=True)
    reading.start()
    until(lambda: cell._flight is not None and cell._flight.started is not None)
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


# Deadlines


def test_hard_33_at_the_deadline_nothing_is_given_any_more() -> None:
    """A second before it works, at it it raises: what was held is wiped, and nothing is refreshed."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(1_800, bench.clock))
    cell.read()
    cell.read()
    bench.clock.advance(1_799)
    assert cell.read().credentials.access_key_id == "ASIA1"
    assert cell.state is RefreshState.FRESH
    bench.clock.advance(1)
    with pytest.raises(DeadlinePassedError, match=r"has passed: \d{4}-") as caught:
        cell.read()
    assert (caught.value.role_arn, caught.value.hop, caught.value.retryable) == (ROLE, 1, False)
    assert (cell.state, cell.snapshot.generation, bench.calls) == (RefreshState.DEADLINE, 0, 1)
    bench.clock.advance(7_200)
    with pytest.raises(DeadlinePassedError):
        cell.read()
    assert bench.calls == 1


@pytest.mark.parametrize("step", [-3_600.0, 3_600.0])
def test_a_deadline_holds_by_either_clock(step: float) -> None:
    """Setting the wall clock back does not lengthen it."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(1_800, bench.clock))
    cell.read()
    bench.clock.step_wall(step)
    bench.clock.advance(1_800)
    with pytest.raises(DeadlinePassedError):
        cell.read()


def test_until_a_deadline_credentials_are_refreshed_as_ever() -> None:
    """Those that end before it; the last ones, which outlive it, are not."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(2 * 3_600, bench.clock))
    for _ in range(119):
        cell.read()
        bench.clock.advance(60)
        until(lambda: cell._flight is None)
    assert cell.read().credentials.access_key_id == "ASIA3"
    assert bench.calls == 3


def test_the_timer_wipes_at_the_deadline() -> None:
    """With nobody reading."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(1_800, bench.clock))
    cell.read()
    cell.read()
    bench.clock.advance(1_800)
    until(lambda: cell.snapshot.generation == 0)


@pytest.mark.parametrize("seconds", [None, 1_800.0])
def test_what_was_ended_gives_nothing_any_more(seconds: float | None) -> None:
    """Before its deadline, or without one; the first reason stays."""
    bench = Bench()
    cell = bench.new_cell(deadline=None if seconds is None else Deadline.after(seconds, bench.clock))
    cell.read()
    cell.end("it was revoked")
    cell.end("once more")
    for _ in range(2):
        with pytest.raises(DeadlinePassedError, match=r"ended at \d{4}-.* UTC: it was revoked"):
            cell.read()
    assert (cell.state, cell.snapshot.generation, bench.calls) == (RefreshState.DEADLINE, 0, 1)


# Denials


def test_an_explicit_deny_is_nothing_to_do_with_credentials_by_default() -> None:
    """It may be meant for the request alone."""
    bench = Bench()
    bench.key()
    assert not bench.cell.denied("ASIA1")
    assert (bench.key(), bench.calls) == ("ASIA1", 1)


def test_an_explicit_deny_may_make_the_role_be_assumed_anew_once_in_ten_minutes() -> None:
    """Where the policy says so: a revocation of older sessions is over then."""
    bench = Bench(reassume_on_explicit_deny=True)
    assert not bench.cell.denied("ASIA0")
    bench.key()
    assert bench.cell.denied("ASIA1")
    assert bench.key() == "ASIA2"
    assert bench.cell.denied("ASIA1")
    assert not bench.cell.denied("ASIA2")
    assert bench.calls == 2
    bench.clock.advance(600)
    assert bench.cell.denied("ASIA2")
    assert bench.key() == "ASIA3"


# A source that becomes somebody else


def test_what_is_superseded_is_gone_but_a_refresh_under_way_counts() -> None:
    """Its answer is of the new source already."""
    bench = Bench()
    with hanging_refresh(bench):
        bench.cell.supersede()
        assert bench.cell.state is RefreshState.EMPTY
    assert (bench.key(), bench.calls, bench.fetch.forgotten) == ("ASIA2", 2, ["ASIA1"])
    assert bench.events.wait_for(events.Invalidated).access_key_id == "ASIA1"


def test_where_nothing_is_held_nothing_is_superseded() -> None:
    """And nobody is told."""
    bench = Bench()
    bench.cell.supersede()
    assert (bench.events.events, bench.fetch.forgotten) == ([], [])


# Status


def test_a_cell_tells_how_it_stands() -> None:
    """Empty, refused, fresh, failing, expired."""
    bench = Bench()
    assert (bench.cell.status().state, bench.cell.status().ok) == (RefreshState.EMPTY, False)
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    with pytest.raises(AssumeRoleError):
        bench.cell.read()
    refused = bench.cell.status()
    assert (refused.state, refused.last_error, refused.next_try) == (RefreshState.REFUSED, "AccessDenied: no", 5.0)
    bench.clock.advance(6)
    assert bench.cell.status().state is RefreshState.EMPTY
    bench.fetch.error = None
    advisory(bench)
    bench.fetch.error = refusal()
    bench.key()
    bench.events.wait_for(events.RefreshFailed)
    until(lambda: bench.cell.failure)
    failing = bench.cell.status()
    assert (failing.state, failing.ok, failing.remaining) == (RefreshState.ADVISORY, True, 800)
    assert (failing.access_key_id, failing.last_error) == ("ASIA2", "InternalFailure: no")
    bench.clock.advance(900)
    assert (bench.cell.status().state, bench.cell.status().remaining) == (RefreshState.EXPIRED, 0)


# Fork, close, memory


def test_hard_22_forked_children_have_a_jitter_of_their_own() -> None:
    """Eight children of one process do not refresh together."""
    draws = iter(number / 10 for number in range(10))
    bench = Bench()
    bench.cell._draw = lambda: next(draws)
    bench.key()
    windows = set()
    for _ in range(8):
        bench.cell.after_fork()
        windows.add(bench.cell.snapshot.windows.advisory)
    assert len(windows) == 8
    assert (bench.key(), bench.calls) == ("ASIA1", 1)


def test_hard_34_ten_thousand_keys_need_few_threads() -> None:
    """At most 64 for callers and 8 in the background; none when there is nothing to do."""
    bench = Bench()
    cells = [bench.new_cell() for _ in range(10_000)]
    most = {"xsession-flight": 0, "xsession-refresh": 0}

    def count() -> None:
        names = [thread.name for thread in threading.enumerate()]
        most.update({name: max(seen, names.count(name)) for name, seen in most.items()})

    waiting = iter(cells)
    bench.fetch.before = lambda: count() if len(bench.fetch.calls) % 50 == 0 else None
    in_threads(100, lambda: [cell.read() for cell in waiting] and None)
    for cell in cells:
        cell.read()
    bench.clock.advance(3_000)
    until(lambda: all(cell.snapshot.generation == 2 for cell in cells), 60)
    assert 1 <= most["xsession-flight"] <= 64
    assert 1 <= most["xsession-refresh"] <= 8
    bench.workers.forget(set(cells))
    until(lambda: not {"xsession-flight", "xsession-refresh"} & {thread.name for thread in threading.enumerate()})


def test_an_empty_cell_is_renewed_after_a_fork() -> None:
    """A flight of the parent is not waited for."""
    bench = Bench(auto=True, patience=0.1)
    with bench.hanging():
        with pytest.raises(CredentialsTimeoutError):
            bench.cell.read()
        bench.cell._lock.acquire()
        bench.cell.after_fork()
        bench.fetch.gate.set()
        assert bench.key() == "ASIA2"


def test_a_closed_cell_gives_nothing() -> None:
    """Readers are told, what is held is gone, and the timer leaves it alone."""
    bench = Bench()
    bench.key()
    bench.key()
    bench.cell.close()
    with pytest.raises(SessionClosedError, match="the CrossAccountSession is closed"):
        bench.cell.read()
    bench.cell._refresh_when_due()
    assert bench.calls == 1


def test_a_cell_that_nobody_holds_is_gone() -> None:
    """Neither the timer nor the registry of forks keeps it alive."""
    bench = Bench()
    bench.key()
    bench.key()
    gone = weakref.ref(bench.cell)
    del bench.cell
    gc.collect()
    assert gone() is None


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
    """With nobody reading, STS is asked again when the back-off ends; at the end nobody asks any more."""
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
