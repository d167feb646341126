from __future__ import annotations

import threading

from tests.support.cells import in_threads
from xsession._base import made_once


class Owner:
    """Has one such attribute."""

    def __init__(self) -> None:
        self.made: list[object] = []
        self.barrier: threading.Barrier | None = None

    @made_once
    def thing(self) -> object:
        """What is made."""
        if self.barrier is not None:
            self.barrier.wait(10)
        self.made.append(object())
        return self.made[-1]


def test_it_is_made_when_it_is_asked_for() -> None:
    """Once for each instance, and not before."""
    one, other = Owner(), Owner()
    assert "thing" not in vars(one)
    assert one.thing is one.thing
    assert one.thing is not other.thing
    assert (len(one.made), vars(one)["thing"]) == (1, one.thing)


def test_all_threads_get_the_first_one() -> None:
    """Each may make one; there is no lock that a fork could copy."""
    owner = Owner()
    owner.barrier = threading.Barrier(8)
    things = in_threads(8, lambda: owner.thing)
    assert len(owner.made) == 8
    assert {id(thing) for thing in things} == {id(owner.thing)}


def test_the_class_has_the_attribute_itself() -> None:
    """For documentation."""
    assert isinstance(Owner.thing, made_once)
    assert Owner.thing.__doc__ == "What is made."
