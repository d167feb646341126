from __future__ import annotations

import pytest

from xsession._base import shortened


@pytest.mark.parametrize(
    ("names", "words"), [("", ""), ("a", "a"), ("ab", "a, b"), ("abc", "a, b and 1 more"), ("abcde", "a, b and 3 more")]
)
def test_so_many_names_are_written_out(names: str, words: str) -> None:
    """And the others are counted."""
    assert shortened([*names], 2) == words
