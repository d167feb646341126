"""Whether boxes of names cover another one: each of its combinations, a name of each side, is in one of them.

A statement of a policy is such a box: all its principals, with all its actions, on all its resources. Combinations are
far too many to be written down, in a policy that IAM takes as well, so names that are in the same boxes count as one.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

MOST_COMBINATIONS = 1_000_000
"""About half a second. Real policies need some dozens."""


class Box(NamedTuple):
    """A box of names.

    Args:
        kind: What it says of them; boxes of different kinds cover nothing of each other.
        sides: For each side its names, to how they are written.
    """

    kind: Hashable
    sides: tuple[Mapping[Hashable, str], ...]

    @property
    def key(self) -> Hashable:
        """The same for boxes that hold the same."""
        return self.kind, tuple(map(frozenset, self.sides))


class Coverage:
    """What some boxes cover.

    Args:
        boxes: All of them.
        most_combinations: How many are looked at in all; from then on, boxes are compared whole, and what several
            boxes cover together is said to be missing.
    """

    def __init__(self, boxes: Iterable[Box], *, most_combinations: int = MOST_COMBINATIONS) -> None:
        by_kind: dict[Hashable, list[Box]] = {}
        for box in boxes:
            by_kind.setdefault(box.kind, []).append(box)
        self._keys = {box.key for alike in by_kind.values() for box in alike}
        self._found_in = {kind: _found_in(alike) for kind, alike in by_kind.items()}
        self._left = most_combinations

    def missing(self, box: Box) -> tuple[list[str], ...]:
        """The names of a box, by side, that are in a combination which is not covered, as they are written."""
        if box.key in self._keys or not all(box.sides):
            return tuple([] for _ in box.sides)
        found_in = self._found_in.get(box.kind, [{} for _ in box.sides])
        # For each name a bit for each box that has it.
        bits = [[known.get(name, 0) for name in side] for known, side in zip(found_in, box.sides, strict=True)]
        shared = _shared(bits)
        alike = [[one & shared for one in side] for side in bits]
        distinct = [set(side) for side in alike]
        self._left -= math.prod(map(len, distinct))
        missing = distinct if self._left < 0 else _uncovered(distinct)
        return tuple(
            [written for written, one in zip(side.values(), ones, strict=True) if one in lacking]
            for side, ones, lacking in zip(box.sides, alike, missing, strict=True)
        )


def _found_in(boxes: Sequence[Box]) -> list[dict[Hashable, int]]:
    sides: list[dict[Hashable, int]] = [{} for _ in boxes[0].sides]
    for number, box in enumerate(boxes):
        for known, names in zip(sides, box.sides, strict=True):
            for name in names:
                known[name] = known.get(name, 0) | 1 << number
    return sides


def _shared(bits: Sequence[Sequence[int]]) -> int:
    """The boxes that have a name of each side."""
    shared = -1
    for side in bits:
        some = 0
        for one in side:
            some |= one
        shared &= some
    return shared


def _uncovered(distinct: Sequence[set[int]]) -> list[set[int]]:
    missing: list[set[int]] = [set() for _ in distinct]
    for combination in product(*distinct):
        together = -1
        for one in combination:
            together &= one
        if not together:
            for lacking, one in zip(missing, combination, strict=True):
                lacking.add(one)
    return missing
