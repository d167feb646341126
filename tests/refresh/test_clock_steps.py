from __future__ import annotations

import pytest

from tests.support.cells import Bench, advisory
from xsession import events


@pytest.mark.parametrize("step", [-7_200, 7_200, -3_600, 3_600])
def test_a_wall_clock_that_steps_never_shows_dead_credentials(step: float) -> None:
    """Two hours back or ahead: at most one call more, and nothing that is dead by the other clock."""
    bench = Bench()
    bench.key()
    bench.key()
    bench.clock.step_wall(step)
    for _ in range(60):
        snapshot = bench.read()
        assert snapshot.expires_boot > bench.clock.boot()
        bench.settle()
        bench.clock.advance(30)
    assert bench.calls <= 2


def test_a_step_is_an_event() -> None:
    """Each is told once, when a reader next looks at more than the two deadlines."""
    bench = Bench()
    advisory(bench)
    bench.clock.step_wall(-600)
    with bench.hanging():
        for _ in range(3):
            bench.key()
        assert [event.seconds for event in bench.events.of(events.ClockStepped)] == [-600]
        bench.clock.step_wall(30)
        bench.key()
        assert [event.seconds for event in bench.events.of(events.ClockStepped)] == [-600, 30]
    bench.settle()


def test_after_three_hours_of_suspend_nothing_dead_is_served() -> None:
    """Both clocks went on: the reader waits for new ones."""
    bench = Bench()
    bench.key()
    bench.clock.advance(3 * 3_600)
    assert bench.key() == "ASIA2"
