from __future__ import annotations

import threading

import pytest

from tests.support.cells import Bench, read_nested, refusal, until
from xsession.credentials import Credentials
from xsession.errors import AssumeRoleError, MfaError
from xsession.refresh import Reader
from xsession.refresh._flight import Flight, Look

CODE = "123456"


def test_the_refresh_that_a_caller_begins_carries_its_code() -> None:
    """That one alone: the next one, of another caller, has none."""
    bench = Bench()
    assert Reader(bench.cell, mfa_code=CODE).read().generation == 1
    bench.cell.invalidate()
    bench.read()
    assert bench.fetch.mfa_codes == [CODE, None]


def test_a_reader_that_tries_again_still_has_its_code() -> None:
    """STS failed before it looked at it."""
    bench = Bench(auto=True)
    failures = iter([refusal(), None])

    def fail_once() -> None:
        bench.fetch.error = next(failures)

    bench.fetch.before = fail_once
    Reader(bench.cell, mfa_code=CODE).read()
    assert bench.fetch.mfa_codes == [CODE, CODE]


def test_a_remembered_want_of_a_code_is_no_reason_to_wait() -> None:
    """The refresh that failed for it had none; here is one."""
    bench = Bench()
    bench.fetch.error = MfaError("no code")
    with pytest.raises(MfaError):
        read_nested(bench.cell)
    bench.fetch.error = None
    assert Reader(bench.cell, mfa_code=CODE).read().generation == 1
    assert bench.fetch.mfa_codes == [None, CODE]


def test_a_refresh_under_way_without_the_code_is_followed_by_one_that_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refresh of a later hop began it; it fails for want of a code, while the caller that has one waits."""
    bench = Bench()
    bench.fetch.error = MfaError("no code")

    def fail_without_code() -> None:
        if bench.fetch.mfa_codes[-1] == CODE:
            bench.fetch.error = None

    bench.fetch.before = fail_without_code
    joined, look = threading.Event(), bench.cell.look

    def noting(code: str | None = None) -> Look[Credentials]:
        found = look(code)
        joined.set()
        return found

    reading = threading.Thread(target=Reader(bench.cell, mfa_code=CODE).read, daemon=True)
    with bench.hanging():
        flight = look().began
        assert flight is not None
        bench.cell.launch(flight)
        until(lambda: bench.calls)
        monkeypatch.setattr(bench.cell, "look", noting)
        reading.start()
        assert joined.wait(10)
    reading.join(10)
    assert bench.cell.snapshot.generation == 1
    assert bench.fetch.mfa_codes == [None, CODE]


def test_a_flight_forgets_its_code_when_it_gives_it_away() -> None:
    """And when it ends without having done so."""
    codes: list[str | None] = []
    flight = Flight(lambda flight: codes.append(flight.take_mfa_code()), background=False, mfa_code=CODE)
    flight.run()
    assert (codes, flight.take_mfa_code(), flight.has_mfa_code) == ([CODE], None, True)
    idle = Flight(lambda _flight: None, background=False, mfa_code=CODE)
    idle.run()
    assert idle.take_mfa_code() is None


@pytest.mark.parametrize("raised", [refusal("AccessDenied", retryable=False), KeyError("Credentials")])
def test_a_remembered_failure_keeps_no_frames(raised: Exception) -> None:
    """They would keep the code, and what the request was signed with."""
    bench = Bench()
    if isinstance(raised, AssumeRoleError):
        bench.fetch.error = raised
    else:
        bench.fetch.raises = raised
        bench.cell.policy = type(bench.cell.policy)(patience=0.01)
    with pytest.raises(Exception):  # noqa: B017,PT011 # which one, other tests say
        Reader(bench.cell, nested=True, mfa_code=CODE).read()
    failure = bench.cell.failure
    assert failure is not None
    assert failure.error.__traceback__ is None
    assert failure.error.__cause__ is None or failure.error.__cause__.__traceback__ is None
