from __future__ import annotations

from tests.support.clocks import PassingClock
from xsession._base import RateLimit


def test_each_waits_for_its_turn() -> None:
    """The first at once, the others some time after the one before; some want to wait longer."""
    clock = PassingClock()
    limit = RateLimit(clock, 0.2)
    start = clock.boot()
    times = []
    for extra in (0.0, 0.0, 1.0, 0.0):
        limit.wait(extra)
        times.append(round(clock.boot() - start, 3))
    assert times == [0.0, 0.2, 1.4, 1.6]
    clock.advance(10)
    limit.wait()
    assert round(clock.boot() - start, 3) == 11.6
