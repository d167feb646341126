from __future__ import annotations

from xsession._base._close_matches import did_you_mean


def test_the_names_that_look_alike_are_a_hint() -> None:
    """One, or as many as are asked for, the most alike first."""
    assert did_you_mean("vegetta", ["batman", "vegeta"]) == "did you mean vegeta?"
    assert did_you_mean("hub", ["hub1", "hub2", "x"], most=3) == "did you mean hub2 or hub1?"


def test_where_nothing_looks_alike_there_is_another_hint_or_none() -> None:
    """Whatever the caller has."""
    assert did_you_mean("goku", ["vegeta"], "known are vegeta") == "known are vegeta"
    assert did_you_mean("goku", []) is None
