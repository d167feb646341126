from __future__ import annotations

import os
import threading

import pytest

from tests.support.forks import exit_code_of_child
from xsession.testing import FakeClock


def test_it_stands_still_until_it_is_advanced(fake_clock: FakeClock) -> None:
    """Both readings move together; the wall clock may be set alone."""
    boot, wall = fake_clock.boot(), fake_clock.wall()
    assert (fake_clock.boot(), fake_clock.wall()) == (boot, wall)
    fake_clock.advance(5)
    fake_clock.step_wall(-100)
    assert (fake_clock.boot() - boot, fake_clock.wall() - wall) == (5, -95)


def test_waiting_ends_with_the_event_or_by_its_own_time() -> None:
    """Never by the machine's."""
    clock, event = FakeClock(0.0), threading.Event()
    threading.Timer(0.02, clock.advance, [60]).start()
    assert not clock.wait(event, 60)
    event.set()
    assert clock.wait(event, 60)
    assert clock.wall() == 60


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # a thread is the point
def test_a_forked_child_can_use_it() -> None:
    """Whatever a thread of the parent was doing with it."""
    clock = FakeClock(0)
    assert exit_code_of_child(lambda: clock.advance(1), clock._moved) == 0
