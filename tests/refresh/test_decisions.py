from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cells import ROLE, Bench, refusal
from xsession.credentials import Credentials
from xsession.errors import AssumeRoleError, MfaError
from xsession.refresh import RefreshPolicy, RefreshState
from xsession.refresh import _decisions as decisions
from xsession.refresh._failure import Failure
from xsession.refresh._snapshot import Deadline, Issued, Snapshot, as_snapshot, nothing

USABLE = (RefreshState.FRESH, RefreshState.ADVISORY, RefreshState.MANDATORY)
EMPTY_HANDED = (RefreshState.EMPTY, RefreshState.EXPIRED)

moments = st.floats(0.0, 1e6)
shares = st.floats(0.0, 1.0)
lifetimes = st.floats(2.0, 43_200.0)
spans = st.floats(-50_000.0, 50_000.0)
counts = st.integers(1, 5_000)
refusals = st.builds(refusal, st.sampled_from(["InternalFailure", "Throttling"]), retryable=st.booleans())
policies = st.builds(
    RefreshPolicy,
    advisory=st.none() | st.floats(60.0, 7_200.0),
    mandatory=st.none() | st.floats(0.1, 60.0),
    jitter=st.floats(0.1, 1.0),
)


@st.composite
def held(draw: st.DrawFn) -> Snapshot[str]:
    """A snapshot that a cell published."""
    lifetime, sent = draw(lifetimes), draw(moments)
    wall = 1e9 + draw(spans) + sent
    credentials = Credentials(
        access_key_id="ASIA1",
        secret_access_key="secret",
        issued_at=datetime.fromtimestamp(wall, UTC),
        lifetime=lifetime,
    )
    windows = draw(policies).windows(lifetime, draw(shares))
    return replace(as_snapshot(Issued(credentials, sent), "signing", lifetime, windows), generation=1)


def failure(*, retryable: bool, next_try: float, count: int = 1) -> Failure:
    """The failed tries of a cell."""
    return Failure(refusal(retryable=retryable), count, next_try)


@given(spans)
def test_what_was_never_fetched_is_empty(remaining: float) -> None:
    """Whatever the clocks and a deadline say."""
    for deadline in (None, Deadline(0.0, 0.0)):
        assert decisions.held_state(nothing(), remaining, deadline) is RefreshState.EMPTY


@given(held(), spans, spans)
def test_less_time_left_is_never_a_better_state(snapshot: Snapshot[str], one: float, other: float) -> None:
    """FRESH, ADVISORY, MANDATORY, EXPIRED, in this order, and EXPIRED at the end."""
    order = [*USABLE, RefreshState.EXPIRED]
    less, more = (order.index(decisions.held_state(snapshot, left, None)) for left in sorted((one, other)))
    assert less >= more
    assert decisions.held_state(snapshot, 0.0, None) is RefreshState.EXPIRED


@given(held(), moments, moments)
def test_what_outlives_a_deadline_is_fresh_until_then(snapshot: Snapshot[str], early: float, before: float) -> None:
    """A refresh would be of no use any more."""
    hard = snapshot.windows.hard
    ends = Deadline(snapshot.expires_boot - hard - early, snapshot.expires_wall - hard - before)
    if not snapshot.outlives(ends):
        return  # a rounding of floats
    assert decisions.held_state(snapshot, hard, ends) is RefreshState.FRESH
    armed = decisions.armed(snapshot, ends)
    assert (armed.fresh_until_boot, armed.fresh_until_wall) == (ends.boot, ends.wall)


@given(held(), st.none() | st.tuples(moments, moments))
def test_an_armed_snapshot_ends_no_later_than_it_may(snapshot: Snapshot[str], at: tuple[float, float] | None) -> None:
    """Its window, unless it outlives the deadline; never after the deadline, and never when it is over itself."""
    deadline = None if at is None else Deadline(at[0], 1e9 + at[1])
    armed = decisions.armed(snapshot, deadline)
    assert armed.armed
    assert armed.fresh_until_boot <= snapshot.expires_boot
    assert armed.fresh_until_wall <= snapshot.expires_wall
    if deadline is None:
        assert armed.fresh_until_boot == snapshot.expires_boot - snapshot.windows.advisory
    else:
        assert armed.fresh_until_boot <= deadline.boot
        assert armed.fresh_until_wall <= deadline.wall
    same = replace(armed, fresh_until_boot=snapshot.fresh_until_boot, fresh_until_wall=snapshot.fresh_until_wall)
    assert same == snapshot


def test_an_armed_snapshot_is_fresh_until_its_window() -> None:
    """Readers compare two numbers and nothing else."""
    bench = Bench(3_600)
    snapshot = decisions.armed(bench.read())
    assert snapshot.armed
    assert snapshot.fresh_until_boot == bench.clock.boot() + 2_700
    assert snapshot.windows.state(900.1) is RefreshState.FRESH


@given(st.sampled_from([*USABLE, *EMPTY_HANDED]), st.booleans(), moments, moments, st.none() | st.floats(-10.0, 10.0))
def test_what_a_reader_meets(
    state: RefreshState, retryable: bool, next_try: float, now: float, left: float | None
) -> None:
    """A deadline comes before all; a refusal is remembered where nothing usable is held; the rest is what is held."""
    met = decisions.met_state(state, failure(retryable=retryable, next_try=next_try), now, left)
    if left is not None and left <= 0:
        assert met is RefreshState.DEADLINE
    elif state in EMPTY_HANDED and not retryable and now < next_try:
        assert met is RefreshState.REFUSED
    else:
        assert met is state
    assert decisions.met_state(state, None, now, None) is state


@given(st.booleans(), moments, moments)
def test_a_refresh_starts_when_the_wait_after_a_failure_is_over(retryable: bool, next_try: float, now: float) -> None:
    """With a code too: it changes nothing about what STS said."""
    known = failure(retryable=retryable, next_try=next_try)
    for has_mfa_code in (False, True):
        assert decisions.may_start(known, now, has_mfa_code=has_mfa_code) is (now >= next_try)
        assert decisions.may_start(None, now, has_mfa_code=has_mfa_code)


def test_a_code_ends_the_wait_for_a_code() -> None:
    """What failed for want of one is tried at once."""
    known = Failure(MfaError("no code"), 1, 10.0)
    assert not decisions.may_start(known, 9.0)
    assert decisions.may_start(known, 9.0, has_mfa_code=True)
    assert decisions.may_start(known, 10.0)


@given(held(), policies, counts, shares, refusals)
def test_a_delay_ends_in_time(
    snapshot: Snapshot[str], policy: RefreshPolicy, count: int, draw: float, error: AssumeRoleError
) -> None:
    """While credentials are held, at the mandatory window at the latest; while callers wait, within seconds."""
    for remaining in (0.0, snapshot.windows.mandatory, snapshot.windows.advisory, snapshot.lifetime):
        state = decisions.held_state(snapshot, remaining, None)
        delay = decisions.delay_after(
            error, count, policy=policy, snapshot=snapshot, state=state, remaining=remaining, draw=draw
        )
        assert delay >= 0
        if not error.retryable:
            assert 1.0 <= delay <= 60.0
        elif state is RefreshState.EXPIRED:
            assert 0.125 <= delay <= 4.0
        elif state is RefreshState.MANDATORY:
            assert delay == snapshot.windows.mandatory / 3
        else:
            assert delay <= max(0.0, remaining - snapshot.windows.mandatory)


@given(st.floats(-1e4, 1e4), st.floats(0.0, 66.0))
def test_a_refresh_was_slept_through_when_its_time_passed_twice(left: float, limit: float) -> None:
    """One that is merely late was not."""
    assert decisions.slept_through(left, limit) is (-left > limit)
    assert not decisions.slept_through(0.0, limit)


@given(held(), held(), spans)
def test_only_usable_credentials_are_kept_before_an_older_answer(
    answer: Snapshot[str], kept: Snapshot[str], remaining: float
) -> None:
    """Where nothing usable is held, every answer is better."""
    older = decisions.is_older(answer, kept, remaining)
    if remaining > kept.windows.hard:
        assert older is (answer.expires_boot < kept.expires_boot)
    else:
        assert not older
    assert not decisions.is_older(kept, kept, remaining)
    assert not decisions.is_older(answer, nothing(), remaining)


@given(held(), spans)
def test_the_timer_tries_again_only_for_what_is_in_use(snapshot: Snapshot[str], remaining: float) -> None:
    """What was not read, and what is over, waits for a reader."""
    assert not decisions.refreshes_by_itself(snapshot, remaining)
    usable = remaining > snapshot.windows.hard
    assert decisions.refreshes_by_itself(decisions.armed(snapshot), remaining) is usable


@given(held(), moments, st.booleans())
def test_the_timer_comes_back(snapshot: Snapshot[str], next_try: float, under_way: bool) -> None:
    """When the window opens, or after a failure; not for what a reader will have to wait for."""
    armed, known = decisions.armed(snapshot), failure(retryable=True, next_try=next_try)
    for state in RefreshState:
        due = decisions.due_next(armed, state, known, under_way=under_way)
        if state is RefreshState.FRESH:
            assert due == armed.fresh_until_boot
        elif under_way or state is RefreshState.EXPIRED:
            assert due is None
        else:
            assert due == next_try
        assert state is RefreshState.FRESH or decisions.due_next(armed, state, None, under_way=under_way) is None


@pytest.mark.parametrize(("moved", "step"), [(5.0, False), (-5.0, False), (5.1, True), (-5.1, True)])
def test_a_drift_is_no_step(moved: float, step: bool) -> None:
    """Both clocks run, and a few seconds between them are no event."""
    assert decisions.is_step(moved) is step


@given(held(), moments, st.floats(-7_200.0, 7_200.0))
def test_clocks_move_apart_by_what_one_was_stepped(snapshot: Snapshot[str], passed: float, step: float) -> None:
    """However much time passed on both."""
    sent, asked = snapshot.expires_boot - snapshot.lifetime, snapshot.expires_wall - snapshot.lifetime
    assert decisions.clocks_apart(snapshot, sent + passed, asked + passed + step) == pytest.approx(step, abs=1e-3)


def test_a_denial_counts_once_in_ten_minutes() -> None:
    """However many requests are denied meanwhile."""
    assert decisions.denial_counts(float("-inf"), 0.0)
    assert not decisions.denial_counts(0.0, 599.9)
    assert decisions.denial_counts(0.0, 600.0)


def test_the_lifetime_of_what_comes_is_that_of_what_is_held() -> None:
    """An hour, STS's own default, where nothing is."""
    assert decisions.lifetime_of(nothing()) == 3_600
    assert decisions.lifetime_of(Bench(900).read()) == 900
    assert ROLE in str(failure(retryable=True, next_try=1.0).described(0.0))
