from __future__ import annotations

import pickle

from xsession._base._frozen_map import FrozenMap


def test_a_frozen_map_is_a_mapping_that_hashes() -> None:
    """It equals any mapping with the same items, and equal ones have one hash."""
    frozen = FrozenMap({"b": 1, "a": 2})
    assert frozen == {"a": 2, "b": 1}
    assert hash(frozen) == hash(FrozenMap([("a", 2), ("b", 1)]))
    assert (len(frozen), list(frozen), repr(frozen)) == (2, ["b", "a"], "{'b': 1, 'a': 2}")


def test_a_frozen_map_copies_what_it_is_made_of() -> None:
    """A later change of the original does not reach it."""
    original = {"a": 1}
    frozen = FrozenMap(original)
    original["b"] = 2
    assert dict(frozen) == {"a": 1}


def test_a_frozen_map_can_be_pickled() -> None:
    """Values that have one as a field travel to other processes."""
    assert pickle.loads(pickle.dumps(FrozenMap({"a": 1}))) == {"a": 1}
