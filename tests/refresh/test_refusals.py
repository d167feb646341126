from __future__ import annotations

import pytest

from tests.support.cells import Bench, advisory, in_threads, read_nested, refusal, until
from xsession.errors import AssumeRoleError, CredentialsError, XSessionError


def test_a_refusal_at_first_costs_one_call() -> None:
    """100 callers within a second: one call, 100 errors of their own with the same cause."""
    bench = Bench()
    cause = ValueError("the answer")
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    bench.fetch.error.__cause__ = cause
    errors = in_threads(100, bench.read)
    assert {type(error) for error in errors} == {AssumeRoleError}
    assert len({id(error) for error in errors}) == 100
    assert {id(error.__cause__) for error in errors if isinstance(error, XSessionError)} == {id(cause)}
    assert bench.calls == 1


def test_a_remembered_refusal_is_forgotten_in_time() -> None:
    """Non-retryable at first; five seconds later STS is asked again."""
    bench = Bench()
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    for _ in range(3):
        with pytest.raises(AssumeRoleError):
            bench.read()
    assert bench.calls == 1
    bench.fetch.error = None
    bench.clock.advance(5.1)
    assert bench.key() == "ASIA2"


def test_any_exception_of_a_fetch_becomes_an_error_without_its_text() -> None:
    """botocore raises KeyError on garbage: readers get an error of ours that names its class, and the cell goes on."""
    bench = Bench(patience=0.5)
    bench.fetch.raises = KeyError("half of a secret")
    with pytest.raises(CredentialsError, match=r"refreshing failed: KeyError \(cells.py:\d+, in __call__\)$") as caught:
        read_nested(bench.cell)
    assert caught.value.__cause__ is caught.value.__context__ is None
    bench.fetch.raises = None
    bench.clock.advance(5)
    assert bench.key() == "ASIA2"


@pytest.mark.usefixtures("dying_threads")
def test_a_thread_that_dies_in_a_refresh_harms_nobody() -> None:
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
    """Nothing is taken whose end is not known."""
    bench = Bench()
    issued = bench.fetch.issued(1, bench.clock.wall(), 900)
    object.__setattr__(issued, missing, None)
    monkeypatch.setattr(bench.fetch, "issued", lambda *_args: issued)
    with pytest.raises(CredentialsError, match="no end"):
        read_nested(bench.cell)


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
