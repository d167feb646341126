from __future__ import annotations

import pytest

from tests.support.cells import ROLE, Bench, read, until
from xsession.errors import DeadlinePassedError
from xsession.refresh import RefreshState
from xsession.refresh._snapshot import Deadline


def test_at_the_deadline_nothing_is_given_any_more() -> None:
    """A second before it works, at it it raises: what was held is wiped, and nothing is refreshed."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(1_800, bench.clock))
    read(cell)
    read(cell)
    bench.clock.advance(1_799)
    assert read(cell).credentials.access_key_id == "ASIA1"
    assert cell.state is RefreshState.FRESH
    bench.clock.advance(1)
    with pytest.raises(DeadlinePassedError, match=r"has passed: \d{4}-") as caught:
        read(cell)
    assert (caught.value.role_arn, caught.value.hop, caught.value.retryable) == (ROLE, 1, False)
    assert (cell.state, cell.snapshot.generation, bench.calls) == (RefreshState.DEADLINE, 0, 1)
    bench.clock.advance(7_200)
    with pytest.raises(DeadlinePassedError):
        read(cell)
    assert bench.calls == 1


@pytest.mark.parametrize("step", [-3_600.0, 3_600.0])
def test_a_deadline_holds_by_either_clock(step: float) -> None:
    """Setting the wall clock back does not lengthen it."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(1_800, bench.clock))
    read(cell)
    bench.clock.step_wall(step)
    bench.clock.advance(1_800)
    with pytest.raises(DeadlinePassedError):
        read(cell)


def test_until_a_deadline_credentials_are_refreshed_as_ever() -> None:
    """Those that end before it; the last ones, which outlive it, are not."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(2 * 3_600, bench.clock))
    for _ in range(119):
        read(cell)
        bench.clock.advance(60)
        until(lambda: cell._flight is None)
    assert read(cell).credentials.access_key_id == "ASIA3"
    assert bench.calls == 3


def test_the_timer_wipes_at_the_deadline() -> None:
    """Without a reader."""
    bench = Bench()
    cell = bench.new_cell(deadline=Deadline.after(1_800, bench.clock))
    read(cell)
    read(cell)
    bench.clock.advance(1_800)
    until(lambda: cell.snapshot.generation == 0)


@pytest.mark.parametrize("seconds", [None, 1_800.0])
def test_what_was_ended_gives_nothing_any_more(seconds: float | None) -> None:
    """Before its deadline, or without one; the first reason stays."""
    bench = Bench()
    cell = bench.new_cell(deadline=None if seconds is None else Deadline.after(seconds, bench.clock))
    read(cell)
    cell.end("it was revoked")
    cell.end("once more")
    for _ in range(2):
        with pytest.raises(DeadlinePassedError, match=r"ended at \d{4}-.* UTC: it was revoked"):
            read(cell)
    assert (cell.state, cell.snapshot.generation, bench.calls) == (RefreshState.DEADLINE, 0, 1)
