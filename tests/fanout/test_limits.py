from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from xsession.fanout._limits import Limits


def test_no_more_than_so_many_accounts() -> None:
    """In those that are under way, more calls are made."""
    limits = Limits(10, 0, 2)
    for account in ("a", "b", "b"):
        assert limits.refusal(account) is None
        limits.began(account)
    assert limits.refusal("c") == "accounts"
    assert limits.refusal("a") is None
    limits.ended("a")
    assert limits.refusal("c") is None


def test_one_throttled_account_slows_down_no_other() -> None:
    """Half as many calls in it, and none the fewer elsewhere."""
    limits = Limits(100, 0, None)
    for _ in range(8):
        limits.began("slow")
    limits.ended("slow", "account")
    assert limits.refusal("slow") == "account"
    assert limits.refusal("other") is None
    for _ in range(5):
        limits.ended("slow")
    assert limits.refusal("slow") is None


def test_sts_that_throttles_slows_down_all() -> None:
    """Its limit is the source's. What goes well afterwards lets more in again, little by little."""
    limits = Limits(8, 8, None)
    for _ in range(8):
        limits.began("a")
    limits.ended("a", "all")
    assert limits.refusal("b") == "all"
    for _ in range(7):
        limits.ended("a")
    allowed = 0
    while limits.refusal("b") is None:
        limits.began("b")
        allowed += 1
    assert 4 <= allowed < 8
    for _ in range(1_000):
        limits.ended("b")
        limits.began("b")
    while limits.refusal("b") is None:
        limits.began("b")
    assert limits.under_way == 16


@given(st.integers(1, 64), st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from([None, "all", "account"]))))
def test_something_may_always_go_on(workers: int, story: list[tuple[str, object]]) -> None:
    """However often AWS throttles, one call at a time is made."""
    limits = Limits(workers, workers, 2)
    for account, throttled in story:
        if limits.refusal(account) is None:
            limits.began(account)
            assert limits.under_way <= 2 * workers
            limits.ended(account, throttled)  # type: ignore[arg-type]  # as drawn
    assert limits.under_way == 0
    assert limits.refusal("a") is None
