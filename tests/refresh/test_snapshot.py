from __future__ import annotations

from tests.support.cells import Bench
from xsession.refresh import RefreshState
from xsession.refresh._snapshot import armed, nothing
from xsession.testing import FakeClock


def test_nothing_has_nothing_left() -> None:
    """An empty snapshot is never fresh by any clock."""
    empty = nothing()
    assert not empty.armed
    assert empty.remaining(FakeClock()) < 0


def test_what_remains_is_what_either_clock_says_first() -> None:
    """A wall clock set forward or back does not lengthen a life."""
    bench = Bench(3_600)
    snapshot = bench.cell.read()
    assert snapshot.remaining(bench.clock) == 3_600
    bench.clock.step_wall(100)
    assert snapshot.remaining(bench.clock) == 3_500
    bench.clock.step_wall(-1_000)
    assert snapshot.remaining(bench.clock) == 3_600


def test_an_armed_snapshot_is_fresh_until_its_window() -> None:
    """Readers compare two numbers and nothing else."""
    bench = Bench(3_600)
    snapshot = armed(bench.cell.read())
    assert snapshot.armed
    assert snapshot.fresh_until_boot == bench.clock.boot() + 2_700
    assert snapshot.windows.state(900.1) is RefreshState.FRESH
