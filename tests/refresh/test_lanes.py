from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.cells import Allowing, ImpatientClock, in_threads, until
from xsession._base._clock import Waitable
from xsession.refresh import _lanes as module
from xsession.refresh._lanes import CALM_SECONDS, Lane, LaneRate, Lanes, slowed
from xsession.refresh._this_thread import ThrottledTime, this_thread
from xsession.testing import FakeClock

RATES = st.floats(1, 1_000)
MOMENTS = st.floats(0, 1e6)


def throttle(lane: Lane, clock: FakeClock) -> None:
    """STS throttles until the lane holds calls back."""
    while not lane.busy:
        lane.throttled(clock.boot())


def busy_lane(clock: FakeClock) -> Lane:
    """A lane that holds calls back."""
    lane = Lane(clock)
    throttle(lane, clock)
    return lane


# The pace


@given(recent=st.integers(0, 5_000), now=MOMENTS)
def test_it_begins_at_half_of_the_last_second(recent: int, now: float) -> None:
    """And never below five calls a second."""
    assert slowed(None, now=now, recent=recent) == LaneRate(max(5.0, recent / 2), now, now)


@given(rate=RATES, now=MOMENTS, later=st.floats(0, 100))
def test_it_halves_each_time(rate: float, now: float, later: float) -> None:
    """But never below one call a second."""
    assert slowed(LaneRate(rate, now, now), now=now + later, recent=0).rate == max(1.0, rate / 2)


@given(rate=RATES, now=MOMENTS, calls=st.lists(st.floats(0.001, 30), min_size=1, max_size=50))
def test_it_grows_a_tenth_a_second(rate: float, now: float, calls: list[float]) -> None:
    """However many calls succeed within it; and a long silence is no success."""
    pace, moment, spoken = LaneRate(rate, now, now), now, 0.0
    for silence in calls:
        moment += silence
        pace = pace.grown(moment)
        spoken += min(silence, 1.0)
    assert pace.rate == pytest.approx(rate * 1.1**spoken, rel=1e-3)


def test_it_goes_away_after_a_minute_without() -> None:
    """Then there is no limit again."""
    clock = FakeClock()
    lane = busy_lane(clock)
    seen = []
    for seconds in (0, CALM_SECONDS - 1, 1):
        clock.advance(seconds)
        lane.answered()
        seen.append(lane.busy)
    throttle(lane, clock)
    assert [*seen, lane.busy] == [True, True, False, True]


# Lanes


def test_one_call_in_twenty_that_is_throttled_holds_nothing_back() -> None:
    """However long that goes on: it is repeated later, and the others need not wait."""
    clock = FakeClock()
    lane = Lane(clock)
    for number in range(2_000):
        if number % 20 == 0:
            lane.throttled(clock.boot())
        else:
            lane.answered()
        assert not lane.busy


def test_calls_sent_before_it_changed_say_nothing() -> None:
    """64 threads that are throttled at once slow it down once."""
    clock = FakeClock()
    lane = busy_lane(clock)
    before, pace = clock.boot(), lane._pace
    clock.advance(1)
    for _ in range(64):
        lane.throttled(before - 0.1)
    assert lane._pace is pace


def test_without_throttling_nobody_waits() -> None:
    """On a clock that stands still, ten thousand calls go through."""
    lane = Lane(FakeClock())
    for _ in range(10_000):
        lane.enter()
    assert not lane.busy


def test_calls_keep_their_distance() -> None:
    """At five a second, one each fifth of a second; the time counts as held."""
    clock = ImpatientClock()
    lane = busy_lane(clock)
    held = this_thread.throttled.seconds(clock.boot())
    moments = [lane.enter() for _ in range(11)]
    assert moments[-1] - moments[0] == pytest.approx(2.0)
    assert this_thread.throttled.seconds(clock.boot()) - held == pytest.approx(2.0)


def test_a_pace_that_ends_lets_those_that_wait_go() -> None:
    """They have no place far ahead."""
    clock = FakeClock()
    lane = busy_lane(clock)
    lane.enter()
    waiting = [threading.Thread(target=lane.enter, daemon=True) for _ in range(20)]
    for thread in waiting:
        thread.start()
    clock.advance(CALM_SECONDS)
    until(lambda: not any(thread.is_alive() for thread in waiting))


def test_a_lane_is_of_one_account_and_one_region() -> None:
    """Others are not held back."""
    clock = FakeClock()
    lanes = Lanes(clock)
    throttle(lanes.lane("111111111111", "eu-west-1"), clock)
    assert lanes.lane("111111111111", "eu-west-1").busy
    assert not lanes.lane("111111111111", "us-east-1").busy
    assert not lanes.lane("222222222222", "eu-west-1").busy


def test_a_forked_child_starts_with_nothing_held_back() -> None:
    """And with locks that no thread holds."""
    clock = FakeClock()
    lanes = Lanes(clock)
    lane = lanes.lane("111111111111", "eu-west-1")
    throttle(lane, clock)
    in_threads(1, lane._lock.acquire)
    lane.after_fork()
    lanes.after_fork()
    lane.enter()
    assert not lanes.lane("111111111111", "eu-west-1").busy


def test_what_is_held_is_seen_by_other_threads() -> None:
    """While it goes on."""
    clock, held = FakeClock(), ThrottledTime()
    with held.counting(clock):
        clock.advance(3)
        assert held.seconds(clock.boot()) == 3
    clock.advance(5)
    assert held.seconds(clock.boot()) == 3
    assert in_threads(1, lambda: this_thread.throttled) != [this_thread.throttled]


class LonelyClock(FakeClock):
    """Jumps at once: no other thread is there to set what is waited for."""

    def wait(self, _event: Waitable, timeout: float) -> bool:
        """Lets the time pass."""
        self.advance(timeout)
        return False


@pytest.mark.parametrize("rate", [4, 20, pytest.param(100, marks=pytest.mark.slow)])
def test_the_pace_follows_what_sts_allows(rate: int) -> None:
    """Throttle and success in turn over ten minutes: at most 1.5 times what STS allows, and at least half of it."""
    clock = LonelyClock()
    lane, sts = Lane(clock), Allowing(clock, rate)
    began, answered = clock.boot(), 0
    while clock.boot() - began < 600:
        sent = lane.enter()
        if sts():
            answered += 1
            lane.answered()
        else:
            lane.throttled(sent)
        clock.advance(0.001)
    assert sts.calls <= 1.5 * rate * 600
    assert answered >= 0.5 * rate * 600


def test_lanes_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that hold nothing back go; one that does is what it was."""
    monkeypatch.setattr(module, "_MAX_LANES", 3)
    clock = FakeClock()
    lanes = Lanes(clock)
    throttle(lanes.lane("111111111111", "eu-west-1"), clock)
    for number in range(10):
        lanes.lane(f"{number}", "eu-west-1")
    assert len(lanes._lanes) <= 4
    assert lanes.lane("111111111111", "eu-west-1").busy
