from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from xsession.fanout._expected import Expected

# Of each account its regions; None: it does not say them.
SAID = st.lists(st.none() | st.integers(0, 40), min_size=1, max_size=30)


def told(expected: Expected, said: list[int | None]) -> None:
    """Some accounts have said their regions, or not."""
    for regions in said:
        if regions is None:
            expected.not_found()
        else:
            expected.found(regions)


@given(SAID)
def test_once_all_have_said_their_regions_the_number_is_exact(said: list[int | None]) -> None:
    """An account without any has an outcome too."""
    expected = Expected(len(said), len(said))
    told(expected, said)
    assert expected.total == expected.estimate == sum(max(1, regions or 1) for regions in said)


@given(SAID, st.integers(0, 30))
def test_the_others_are_taken_to_have_as_many_on_average(said: list[int | None], unasked: int) -> None:
    """So a share of all is never one of the first account alone."""
    expected = Expected(len(said) + unasked, len(said) + unasked)
    assert expected.estimate == expected.total
    told(expected, said)
    found = [max(1, regions) for regions in said if regions is not None]
    average = sum(found) / len(found) if found else 1
    assert expected.total - 1 < expected.estimate <= expected.total + unasked * (average - 1) + 1e-6
    assert expected.estimate > expected.total + unasked * (average - 1) - 1


@given(st.integers(1, 100))
def test_where_nobody_is_asked_it_is_known_from_the_beginning(total: int) -> None:
    """It stays so."""
    assert Expected(total).estimate == Expected(total).total == total


@given(st.lists(st.sampled_from([KeyError("a1"), KeyError("a2"), KeyError("b"), ValueError("b")]), max_size=20))
def test_failures_are_counted_by_what_they_have_in_common(errors: list[Exception]) -> None:
    """Numbers alone make no difference."""
    expected, counted = Expected(20), Counter[str]()
    for error in errors:
        kind = repr(error).replace("2", "1")
        counted[kind] += 1
        assert expected.failed(error) == counted[kind]
