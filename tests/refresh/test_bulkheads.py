from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xsession.refresh._bulkheads import ANSWER_SECONDS, earned, limit, may_take

SIZES = st.integers(1, 200)
EARNED = st.integers(0, 200)


def filled(size: int, more: list[int]) -> list[int]:
    """What lanes hold that come one after the other and give nothing back, with so much earned each."""
    held: list[int] = []
    for earned_before in more:
        mine = 0
        while may_take(size, busy=sum(held) + mine, held=mine, more=earned_before):
            mine += 1
        held.append(mine)
    return held


def test_lanes_that_hang_hold_half_of_what_is_free() -> None:
    """32 of 64, 16, 8, ..., and at last one each."""
    assert filled(64, [0] * 9) == [32, 16, 8, 4, 2, 1, 1, 0, 0]


def test_a_lane_that_answers_has_nearly_all() -> None:
    """An eighth stays for those that come when it hangs, be it from one moment to the next."""
    assert filled(64, [64, 0, 0, 64]) == [56, 4, 2, 1]


@given(size=SIZES, more=st.lists(EARNED, max_size=20))
def test_there_are_never_more_threads_than_that(size: int, more: list[int]) -> None:
    """Whatever the lanes earned."""
    assert sum(filled(size, more)) <= size


@given(size=st.integers(8, 200), more=EARNED)
def test_whoever_comes_to_one_lane_finds_a_thread(size: int, more: int) -> None:
    """However well that one did before it hung."""
    assert filled(size, [more, 0])[1] >= 1


@given(size=SIZES, others=st.integers(0, 200), more=EARNED)
def test_a_lane_may_always_hold_one(size: int, others: int, more: int) -> None:
    """It only waits for one to be free; and who earned more may hold no less."""
    assert limit(size, others=others, more=more) >= 1
    assert limit(size, others=others, more=more + 1) >= limit(size, others=others, more=more)


@given(size=SIZES, calls=st.lists(st.floats(0, 10), max_size=300))
def test_it_is_earned_call_by_call_and_lost_at_once(size: int, calls: list[float]) -> None:
    """By as many calls as ended in time since the last one that did not."""
    more, in_time = 0, 0
    for seconds in calls:
        more = earned(more, seconds=seconds, size=size)
        in_time = in_time + 1 if seconds < ANSWER_SECONDS else 0
        assert more == min(in_time, size)
