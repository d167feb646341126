from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.errors import ConfigError
from xsession.refresh import RefreshPolicy, RefreshState
from xsession.refresh._policy import Windows

lifetimes = st.floats(1.0, 43_200.0)
draws = st.floats(0.0, 1.0)
policies = st.builds(
    RefreshPolicy,
    mandatory=st.one_of(st.none(), st.floats(0.1, 60.0)),
    advisory=st.one_of(st.none(), st.floats(60.0, 43_200.0)),
    jitter=st.floats(0.01, 1.0),
)


@given(policies, lifetimes, draws)
def test_windows_are_in_order_and_fit_the_lifetime(policy: RefreshPolicy, lifetime: float, draw: float) -> None:
    """Whatever the policy and the lifetime: 0 < hard < mandatory <= advisory <= 0.4 of the lifetime."""
    windows = policy.windows(lifetime, draw)
    assert 0 < windows.hard < windows.mandatory <= windows.advisory <= 0.4 * lifetime * (1 + 1e-9)


@pytest.mark.parametrize(
    ("lifetime", "expected"),
    [
        (900, Windows(300, 60, 5)),
        (1_200, Windows(300, 60, 5)),
        (1_230, Windows(492, 60, 5)),
        (3_600, Windows(900, 60, 5)),
        (5_400, Windows(2_160, 60, 5)),
        (43_200, Windows(3_600, 60, 5)),
        (60, Windows(24, 6, 1.5)),
        (10, Windows(4, 1, 0.25)),
    ],
)
def test_windows_follow_the_lifetime(lifetime: float, expected: Windows) -> None:
    """The table of the documentation, from sessions of seconds to those of twelve hours."""
    assert RefreshPolicy().windows(lifetime, 1.0) == expected


def test_windows_of_ones_own_choice() -> None:
    """A policy's own numbers take the table's place, as far as the lifetime has room for them."""
    assert RefreshPolicy(advisory=600, mandatory=120).windows(3_600, 1.0) == Windows(600, 120, 5)
    assert RefreshPolicy(advisory=600, mandatory=600).windows(900, 1.0) == Windows(360, 360, 5)


def test_jitter_moves_the_advisory_window_alone() -> None:
    """Between three quarters and all of it, so that many processes do not refresh together."""
    assert RefreshPolicy().windows(3_600, 0.0) == Windows(675, 60, 5)
    assert RefreshPolicy(jitter=1.0).windows(3_600, 0.0) == Windows(900, 60, 5)


@pytest.mark.parametrize(
    ("remaining", "state"),
    [
        (901, RefreshState.FRESH),
        (900, RefreshState.ADVISORY),
        (60.1, RefreshState.ADVISORY),
        (60, RefreshState.MANDATORY),
        (5.1, RefreshState.MANDATORY),
        (5, RefreshState.EXPIRED),
        (-10, RefreshState.EXPIRED),
    ],
)
def test_the_state_follows_what_remains(remaining: float, state: RefreshState) -> None:
    """At a border the stricter state holds."""
    assert Windows(900, 60, 5).state(remaining) is state


@given(st.integers(1, 10_000), draws, lifetimes, st.booleans())
def test_delays_are_bounded(failures: int, draw: float, lifetime: float, throttled: bool) -> None:
    """However long an outage lasts, the next try is never far; and never at once."""
    policy = RefreshPolicy()
    assert 0 < policy.backoff(lifetime, failures, draw, throttled=throttled) <= 300
    assert 0.125 <= policy.retry_delay(failures, draw) <= 4
    assert 1 <= policy.refusal_memory(failures, draw) <= 60


def test_delays_double() -> None:
    """Half an hour's credentials: five seconds, ten, twenty; throttled: fifteen, thirty."""
    policy = RefreshPolicy()
    assert [policy.backoff(3_600, count, 1.0, throttled=False) for count in (1, 2, 3)] == [5, 10, 20]
    assert [policy.backoff(3_600, count, 1.0, throttled=True) for count in (1, 2)] == [15, 30]
    assert [policy.retry_delay(count, 1.0) for count in (1, 2, 5, 6)] == [0.25, 0.5, 4, 4]
    assert [policy.refusal_memory(count, 0.0) for count in (1, 2, 9)] == [1, 2, 60]


def test_a_reader_in_the_mandatory_window_is_not_kept_long() -> None:
    """Five seconds, one after a failure, and never into the hard end."""
    policy = RefreshPolicy()
    assert policy.mandatory_patience(60, 5, failed=False) == 5
    assert policy.mandatory_patience(60, 5, failed=True) == 1
    assert policy.mandatory_patience(7, 5, failed=False) == 2
    assert policy.mandatory_patience(4, 5, failed=False) == 0


def test_the_limit_of_a_refresh_fits_the_window() -> None:
    """22 seconds a hop, less where the window has no room for it, and a second at least."""
    policy = RefreshPolicy()
    assert policy.flight_limit(3_600, 3) == 66
    assert policy.flight_limit(60, 1) == 8
    assert policy.flight_limit(2, 2) == 2


@pytest.mark.parametrize(("lifetime", "expected"), [(43_200, 5.0), (900, 5.0), (60, 2.7), (10, 0.4), (1, 0.3)])
def test_the_limit_of_a_try_leaves_time_for_three(lifetime: float, expected: float) -> None:
    """Five seconds for whatever AWS issues; short-lived sessions of tests have less."""
    assert RefreshPolicy().try_limit(lifetime) == expected
    assert RefreshPolicy(advisory=0.5).try_limit(lifetime) == expected


@pytest.mark.parametrize(
    "values",
    [
        {"advisory": 0},
        {"advisory": -1},
        {"advisory": 43_201},
        {"advisory": "300"},
        {"advisory": True},
        {"mandatory": math.nan},
        {"jitter": 0.0},
        {"jitter": 1.1},
        {"patience": 0},
        {"patience": math.inf},
        {"advisory": 60, "mandatory": 61},
        {"reassume_on_explicit_deny": 1},
    ],
)
def test_values_out_of_their_range_are_refused(values: dict[str, Any]) -> None:
    """The message names the value and the range."""
    with pytest.raises(ConfigError, match=min(values)):
        RefreshPolicy(**values)
