from __future__ import annotations

from tests.support.cells import Bench
from xsession.refresh._snapshot import nothing
from xsession.testing import FakeClock


def test_nothing_has_nothing_left() -> None:
    """An empty snapshot is never fresh by any clock."""
    empty = nothing()
    assert not empty.armed
    assert empty.remaining(FakeClock()) < 0


def test_what_remains_is_what_either_clock_says_first() -> None:
    """A wall clock set forward or back does not lengthen a life."""
    bench = Bench(3_600)
    snapshot = bench.read()
    assert snapshot.remaining(bench.clock) == 3_600
    bench.clock.step_wall(100)
    assert snapshot.remaining(bench.clock) == 3_500
    bench.clock.step_wall(-1_000)
    assert snapshot.remaining(bench.clock) == 3_600
