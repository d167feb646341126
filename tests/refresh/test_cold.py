from __future__ import annotations

import threading

import pytest

from tests.support.cells import Bench, in_threads, refusal, until
from xsession.errors import AssumeRoleError, CredentialsTimeoutError


def test_a_cold_reader_waits_through_failures() -> None:
    """Initial failure, then success: a quarter of a second later, while the reader waits."""
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


def test_a_reader_that_sts_keeps_waiting_gets_a_timeout() -> None:
    """30 s, then an error that says that the refresh goes on; the next reader finds its answer."""
    bench = Bench(auto=True, patience=10)
    with bench.hanging(), pytest.raises(CredentialsTimeoutError, match=r"no credentials within 10 s"):
        bench.read()
    until(lambda: bench.cell.snapshot.generation)
    assert bench.calls == 1


def test_a_cold_storm_costs_one_call() -> None:
    """50 threads: one call, one object."""
    bench = Bench()
    bench.fetch.before = lambda: until(lambda: threading.active_count() > 40, 1)
    snapshots = in_threads(50, lambda: bench.read().credentials)
    assert len({id(credentials) for credentials in snapshots}) == 1
    assert bench.calls == 1


def test_a_cold_storm_that_fails_costs_one_call() -> None:
    """50 threads: one call, 50 errors."""
    bench = Bench()
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    errors = in_threads(50, bench.read)
    assert all(isinstance(error, AssumeRoleError) for error in errors)
    assert bench.calls == 1


def test_a_reader_that_leaves_does_not_end_the_flight() -> None:
    """One with a patience of 0.1 s leaves; the next finds what came."""
    bench = Bench(auto=True, patience=0.1)
    with bench.hanging(), pytest.raises(CredentialsTimeoutError):
        bench.read()
    until(lambda: bench.cell.snapshot.generation)
    assert (bench.key(), bench.calls) == ("ASIA1", 1)


def test_an_interrupt_in_a_waiter_poisons_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C reaches the caller alone; the refresh goes on for the others."""
    bench = Bench()

    def interrupted(*_arguments: object) -> bool:
        raise KeyboardInterrupt

    with bench.hanging(), monkeypatch.context() as patched:
        patched.setattr(bench.clock, "wait", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bench.read()
    assert (bench.key(), bench.calls) == ("ASIA1", 1)


def test_an_interrupt_before_the_flight_ran_poisons_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flight that its reader could not start is started by the next one, at once."""
    bench = Bench()

    def interrupted(*_arguments: object, **_options: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(bench.workers, "submit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            bench.read()
    assert (bench.key(), bench.calls) == ("ASIA1", 1)
