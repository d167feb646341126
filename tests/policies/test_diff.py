from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.policies._diff import unified


def applied(old: list[str], diff: str) -> list[str]:
    """The lines that a unified diff makes of others."""
    new: list[str] = []
    at = 0
    for line in diff.splitlines()[2:]:
        hunk = re.match(r"@@ -(\d+)(?:,(\d+))? ", line)
        if hunk:
            start = int(hunk[1]) - (hunk[2] != "0")
            new += old[at:start]
            at = start
        elif line[0] == "+":
            new.append(line[1:])
        else:
            assert old[at] == line[1:]
            new += [] if line[0] == "-" else [line[1:]]
            at += 1
    return new + old[at:]


def lines(items: list[int]) -> list[str]:
    """A list in JSON, as a diff has it."""
    return json.dumps(items, indent=2).splitlines()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=30), st.lists(st.integers(0, 9), min_size=1, max_size=30))
def test_a_diff_makes_the_one_of_the_other(old: list[int], new: list[int]) -> None:
    """Line by line."""
    assert applied(lines(old), unified("a", json.dumps(old), "b", json.dumps(new))) == lines(new)


@pytest.mark.parametrize("edges", [0, 1, 10])
def test_where_much_differs_it_is_one_block(edges: int) -> None:
    """difflib would take minutes: every second line is another one."""
    both = list(range(edges))
    old = [*both, *range(1_000, 21_001), *both]
    new = [*both, *(number + 50_000 * (number % 2 == 0) for number in range(1_000, 21_001)), *both]
    diff = unified("a", json.dumps(old), "b", json.dumps(new))
    assert applied(lines(old), diff) == lines(new)
    assert diff.startswith("--- a\n+++ b\n@@ -")
    assert (diff.count("\n@@ "), diff.count("\n ")) == (1, 2 * min(edges + 1, 3))
