"""Our equivalents of the scenarios that AWS publishes for its SDKs' refresh.

https://github.com/smithy-lang/smithy-rs, aws/rust-runtime/aws-runtime/test-data/credential-refresh-tests.json
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from tests.support.cells import Bench, refusal, until
from xsession.errors import XSessionError
from xsession.refresh import RefreshState

TRANSIENT = refusal("InternalFailure")
REFUSED = refusal("AccessDenied", retryable=False)
STALE = "stale"

ADVISORY, MANDATORY, EXPIRED, FRESH, EMPTY = 800, 50, -1, 1_800, None


@dataclass(frozen=True)
class Case:
    """One scenario.

    Args:
        name: What it is about.
        remaining: Seconds left of what is held when a caller comes; None: nothing is held.
        sts: What STS does then: an error, "stale" for an answer that ends sooner, or None for a good answer.
        serves: The number of the answer whose credentials the caller gets; 0: it gets an error.
        then: The number that a caller gets when the refresh is over.
        calls: How often STS was asked by then.
    """

    name: str
    remaining: float | None
    sts: XSessionError | str | None
    serves: int
    then: int
    calls: int


@pytest.mark.parametrize(
    "case",
    [
        Case("valid: no call", FRESH, None, serves=1, then=1, calls=1),
        Case("advisory, ok: the old ones now, the new ones then", ADVISORY, None, serves=1, then=2, calls=2),
        Case("advisory, fail: the old ones stay", ADVISORY, TRANSIENT, serves=1, then=1, calls=2),
        Case("advisory, stale answer: the old ones stay", ADVISORY, STALE, serves=1, then=1, calls=2),
        Case("advisory, non-recoverable: the old ones stay", ADVISORY, REFUSED, serves=1, then=1, calls=2),
        Case("mandatory, ok: the new ones", MANDATORY, None, serves=2, then=2, calls=2),
        Case("mandatory, fail: the old ones", MANDATORY, TRANSIENT, serves=1, then=1, calls=2),
        Case("mandatory, stale answer: the old ones", MANDATORY, STALE, serves=1, then=1, calls=2),
        Case("mandatory, non-recoverable: the old ones", MANDATORY, REFUSED, serves=1, then=1, calls=2),
        Case("expired, ok: the new ones", EXPIRED, None, serves=2, then=2, calls=2),
        Case("expired, non-recoverable: an error, at once, and from memory", EXPIRED, REFUSED, 0, then=0, calls=2),
        Case("initial, ok", EMPTY, None, serves=1, then=1, calls=1),
        Case("initial, non-recoverable: an error, at once, and from memory", EMPTY, REFUSED, 0, then=0, calls=1),
    ],
    ids=lambda case: case.name,
)
def test_a_caller_gets(case: Case) -> None:
    """What the scenario says, then and when the refresh is over."""
    bench = Bench()
    if case.remaining is not None:
        bench.read()
        bench.workers.forget({bench.cell})
        bench.to_remaining(case.remaining)
    if case.sts == STALE:
        bench.fetch.lifetime = 10
    elif isinstance(case.sts, XSessionError):
        bench.fetch.error = case.sts
    assert served(bench) == case.serves
    bench.settle()
    assert served(bench) == case.then
    bench.settle()
    assert bench.calls == case.calls


def served(bench: Bench) -> int:
    """The number of the answer that a caller gets; 0: an error."""
    try:
        return int(bench.key().removeprefix("ASIA"))
    except XSessionError:
        return 0


def test_expired_and_fail_is_an_error_with_the_cause() -> None:
    """Where AWS's SDKs serve dead credentials, we raise."""
    bench = Bench(auto=True)
    bench.read()
    bench.to_remaining(EXPIRED)
    bench.fetch.error = TRANSIENT
    assert served(bench) == 0


def test_initial_fail_then_ok() -> None:
    """The caller waits through it."""
    bench = Bench(auto=True)
    answers = iter([TRANSIENT, None])

    def next_answer() -> None:
        bench.fetch.error = next(answers)

    bench.fetch.before = next_answer
    assert (served(bench), bench.calls) == (2, 2)


@pytest.mark.parametrize(
    ("lifetime", "window", "policy"),
    [
        (600, 240, {}),
        (1_230, 492, {}),
        (6 * 3_600, 3_600, {}),
        (3_600, 600, {"advisory": 600.0}),
        (3_600, 900, {"mandatory": 300.0}),
    ],
    ids=["10 min", "20.5 min", "6 h", "custom window", "custom mandatory window"],
)
def test_the_window_follows_the_lifetime(lifetime: float, window: float, policy: dict[str, Any]) -> None:
    """Before it there is no call; in it, one refresh runs in the background; a success computes it again."""
    bench = Bench(lifetime, **policy)
    for generation in (1, 2):
        bench.read()
        bench.workers.forget({bench.cell})
        bench.to_remaining(window + 1)
        assert (served(bench), bench.cell.state) == (generation, RefreshState.FRESH)
        bench.workers.forget({bench.cell})
        bench.to_remaining(window - 1)
        with bench.hanging():
            assert (served(bench), bench.cell.state) == (generation, RefreshState.ADVISORY)
        until(lambda expected=generation + 1: bench.cell.snapshot.generation == expected)  # type: ignore[misc]  # its default is an int
    assert bench.calls == 3


@pytest.mark.parametrize("remaining", [ADVISORY, MANDATORY])
def test_a_back_off_is_kept_and_ends_at_the_mandatory_window_at_the_latest(remaining: float) -> None:
    """No contact before it ends."""
    bench = Bench()
    bench.read()
    bench.workers.forget({bench.cell})
    bench.to_remaining(remaining)
    bench.fetch.error = TRANSIENT
    served(bench)
    until(lambda: bench.cell.failure)
    failure = bench.cell.failure
    assert failure is not None
    delay = failure.next_try - bench.clock.boot()
    bench.clock.advance(delay - 0.1)
    served(bench)
    bench.settle()
    assert bench.calls == 2
    bench.fetch.error = None
    bench.clock.advance(0.2)
    served(bench)
    bench.settle()
    assert (served(bench), bench.calls) == (3, 3)


@pytest.mark.parametrize(("key_id", "then"), [("ASIA1", 2), ("ASIA0", 1)], ids=["match", "stale key"])
def test_invalidate(key_id: str, then: int) -> None:
    """Only what was rejected is thrown away."""
    bench = Bench()
    bench.read()
    bench.cell.invalidate(key_id)
    assert (served(bench), bench.calls) == (then, then)


def test_invalidate_and_fail() -> None:
    """Nothing is held any more: the caller gets the error."""
    bench = Bench()
    bench.read()
    bench.fetch.error = REFUSED
    bench.cell.invalidate("ASIA1")
    assert (served(bench), bench.calls) == (0, 2)


def test_invalidate_during_a_back_off() -> None:
    """It ends it."""
    bench = Bench()
    bench.read()
    bench.workers.forget({bench.cell})
    bench.to_remaining(ADVISORY)
    bench.fetch.error = TRANSIENT
    served(bench)
    until(lambda: bench.cell.failure)
    bench.fetch.error = None
    bench.cell.invalidate("ASIA1")
    assert (served(bench), bench.calls) == (3, 3)
