from __future__ import annotations

from collections.abc import Hashable
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.policies._coverage import Box, Coverage

sides = st.tuples(*[st.dictionaries(st.integers(0, 4), st.just(""), max_size=4)] * 3)
boxes = st.lists(st.builds(Box, st.sampled_from("ab"), sides), max_size=5)


def written(box: Box) -> Box:
    """A box whose names are written as what they are."""
    return Box(box.kind, tuple({name: str(name) for name in side} for side in box.sides))


@given(boxes, st.builds(Box, st.sampled_from("ab"), sides))
def test_what_is_missing_is_what_no_combination_covers(others: list[Box], box: Box) -> None:
    """As told by writing down all combinations."""
    box = written(box)
    covered = {one for other in others if other.kind == box.kind for one in product(*other.sides)}
    missing = [one for one in product(*box.sides) if one not in covered]
    wanted = tuple(
        [str(name) for name in side if name in {one[at] for one in missing}] for at, side in enumerate(box.sides)
    )
    assert Coverage(others).missing(box) == wanted


def names(*some: int) -> dict[Hashable, str]:
    """A side of a box."""
    return {name: str(name) for name in some}


def told_apart(count: int) -> list[Box]:
    """Boxes that together hold names in ways that tell each from every other."""
    halves = [[name for name in range(count) if name >> bit & 1] for bit in range(count.bit_length())]
    return [Box("a", (names(*half),) * 3) for half in halves]


@pytest.mark.parametrize(("count", "said"), [(64, False), (400, True)])
def test_beyond_a_million_combinations_boxes_are_compared_whole(count: int, said: bool) -> None:
    """What several cover together is said to be missing then; what is there as it is never is."""
    every = names(*range(count))
    whole = Box("a", (every,) * 3)
    rows = [Box("a", (names(name), every, every)) for name in range(count)]
    together = Coverage([*rows, *told_apart(count)])
    assert any(together.missing(whole)) is said
    assert not any(together.missing(rows[-1]))


def test_a_side_without_names_holds_nothing() -> None:
    """And covers nothing."""
    empty = Box("a", ({}, {1: "x"}))
    assert Coverage([]).missing(empty) == ([], [])
    assert Coverage([empty]).missing(Box("a", ({2: "y"}, {1: "x"}))) == (["y"], ["x"])
