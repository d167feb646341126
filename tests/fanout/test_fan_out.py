from __future__ import annotations

import threading

import pytest

from tests.support.at_once import AtOnce
from xsession import Outcome, Outcomes
from xsession.fanout import fan_out


def halve(number: int) -> int:
    """Fails for odd numbers."""
    if number % 2:
        msg = f"{number} is odd"
        raise ValueError(msg)
    return number // 2


OUTCOMES = fan_out(halve, {"four": 4, "five": 5, "six": 6}, max_workers=2)


def test_each_account_has_a_result_or_an_error() -> None:
    """One account's failure is its own."""
    assert OUTCOMES.results == {"four": 2, "six": 3}
    assert {name: str(error) for name, error in OUTCOMES.errors.items()} == {"five": "5 is odd"}
    assert not OUTCOMES.ok
    assert repr(OUTCOMES) == "<Outcomes: 2 ok, 1 failed>"


def test_outcomes_are_a_mapping_in_the_order_of_the_accounts() -> None:
    """By name."""
    assert list(OUTCOMES) == ["four", "five", "six"]
    assert len(OUTCOMES) == 3
    assert OUTCOMES["four"].value == 2
    assert OUTCOMES["four"].ok
    assert OUTCOMES["five"].value is None
    assert OUTCOMES["five"].seconds >= 0


def test_outcomes_say_in_words_which_failed_and_why() -> None:
    """Those that failed in the same way together: their errors differ in numbers, or in what is the account's own."""
    items = {"four": 4, **{f"odd{number}": number for number in range(1, 24, 2)}}
    names = ", ".join(f"odd{number}" for number in range(1, 20, 2))
    assert str(fan_out(halve, items, max_workers=4)) == (
        f"12 of 13 accounts failed:\n  {names} and 2 more: ValueError: 1 is odd"
    )
    assert str(fan_out(halve, {"four": 4}, max_workers=1)) == "1 of 1 accounts ok"


def test_progress_is_told_of_each_in_the_callers_thread() -> None:
    """As soon as it is known: the slow one comes last, wherever it stands."""
    release, seen = threading.Event(), []

    def work(item: int) -> int:
        if item == 0:
            assert release.wait(10)
        return item

    def progress(outcome: Outcome[int]) -> None:
        seen.append((outcome.account, threading.current_thread()))
        if outcome.account == "quick":
            release.set()

    assert list(fan_out(work, {"slow": 0, "quick": 1}, max_workers=2, progress=progress)) == ["slow", "quick"]
    assert seen == [("quick", threading.main_thread()), ("slow", threading.main_thread())]


def test_a_progress_that_raises_ends_the_rest() -> None:
    """As Ctrl-C does: what has not begun does not begin."""
    begun: list[int] = []

    def work(item: int) -> None:
        begun.append(item)
        threading.Event().wait(0.002)

    def stop(_outcome: Outcome[None]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fan_out(work, {str(number): number for number in range(1_000)}, max_workers=1, progress=stop)
    assert len(begun) < 1_000


def test_errors_can_be_raised_together() -> None:
    """As a group that holds each."""
    with pytest.raises(ExceptionGroup, match=r"1 of 3 accounts failed:\n  five: ValueError: 5 is odd") as caught:
        OUTCOMES.raise_for_errors()
    assert [str(error) for error in caught.value.exceptions] == ["5 is odd"]


def test_without_errors_nothing_is_raised() -> None:
    """Nor is anything wrong with no accounts at all."""
    fan_out(halve, {"four": 4}, max_workers=1).raise_for_errors()
    nothing: Outcomes[int] = fan_out(halve, {}, max_workers=4)
    assert nothing.ok
    nothing.raise_for_errors()


def test_none_is_a_result() -> None:
    """A function that returns nothing has not failed."""
    assert fan_out(lambda _item: None, {"a": 1}, max_workers=1).results == {"a": None}


def test_no_more_threads_than_asked_for() -> None:
    """Where AWS has limits, few callers at a time are what is wanted."""
    at_once = AtOnce()

    def work(_item: int) -> None:
        with at_once:
            threading.Event().wait(0.002)

    assert fan_out(work, {str(number): number for number in range(30)}, max_workers=3).ok
    assert at_once.most <= 3
