from __future__ import annotations

import pytest

from xsession._aws._condition_values import COMPARISONS, is_met_by_no_value, number_of, time_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1767225600", 1_767_225_600.0),
        ("2026-01-01T00:00:00Z", 1_767_225_600.0),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600.0),
        ("2026-01-01", 1_767_225_600.0),
        ("yesterday", None),
    ],
)
def test_times_are_iso_8601_or_seconds(text: str, seconds: float | None) -> None:
    """Without a zone it is UTC."""
    assert time_of(text) == seconds


@pytest.mark.parametrize(
    ("operator", "told"),
    [
        ("StringEquals", True),
        ("DateLessThanIfExists", True),
        ("StringNotEquals", False),
        ("NotIpAddressIfExists", False),
        ("Null", False),
    ],
)
def test_what_an_operator_without_values_means(operator: str, told: bool) -> None:
    """Those that look for sameness or order are met by nothing; of the others, AWS does not say."""
    assert is_met_by_no_value(operator) is told


def test_what_is_no_number_is_none() -> None:
    """The code that compares decides what that means."""
    assert (number_of("1.5"), number_of("many")) == (1.5, None)


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("Equals", [False, True, False]),
        ("LessThan", [True, False, False]),
        ("LessThanEquals", [True, True, False]),
        ("GreaterThan", [False, False, True]),
        ("GreaterThanEquals", [False, True, True]),
    ],
)
def test_each_comparison_is_what_its_name_says(name: str, holds: list[bool]) -> None:
    """Of less, the same and more with two."""
    assert [COMPARISONS[name](value, 2) for value in (1, 2, 3)] == holds
