"""A reader that takes what is held, and never waits."""

from __future__ import annotations

import pytest

from tests.support.cells import Bench, advisory, until
from xsession.errors import SessionClosedError
from xsession.refresh._policy import RefreshState
from xsession.refresh._reader import Reader


def held(bench: Bench) -> str | None:
    """The key id that is held."""
    snapshot = Reader(bench.cell).held()
    return None if snapshot is None else snapshot.credentials.access_key_id


def test_nothing_is_held_at_first() -> None:
    """STS is asked meanwhile, once."""
    bench = Bench()
    with bench.hanging():
        assert (held(bench), held(bench)) == (None, None)
        until(lambda: bench.calls == 1)
    bench.settle()
    assert (held(bench), bench.calls) == ("ASIA1", 1)


def test_what_is_fresh_is_held_without_a_call() -> None:
    """And the refresh to come is planned, as by any reader."""
    bench = Bench()
    bench.read()
    assert (held(bench), bench.calls) == ("ASIA1", 1)
    bench.to_remaining(800)
    until(lambda: bench.calls == 2)


@pytest.mark.parametrize(
    ("remaining", "state"),
    [(800.0, RefreshState.ADVISORY), (30.0, RefreshState.MANDATORY), (5.1, RefreshState.MANDATORY)],
)
def test_what_is_about_to_end_is_held_while_it_is_replaced(remaining: float, state: RefreshState) -> None:
    """Also where other readers would wait for a moment."""
    bench = Bench()
    advisory(bench, remaining)
    with bench.hanging():
        assert bench.cell.state is state
        assert (held(bench), held(bench)) == ("ASIA1", "ASIA1")
        until(lambda: bench.calls == 2)
    bench.settle()
    assert (held(bench), bench.calls) == ("ASIA2", 2)


def test_what_has_ended_is_not_held() -> None:
    """Dead credentials sign nothing."""
    bench = Bench()
    advisory(bench, 4.9)
    with bench.hanging():
        assert held(bench) is None


def test_a_closed_cell_says_so() -> None:
    """There will be none any more."""
    bench = Bench()
    bench.cell.close()
    with pytest.raises(SessionClosedError):
        held(bench)


def test_a_signal_handler_takes_nothing() -> None:
    """It came in the middle of what another look would need."""
    bench = Bench()
    bench.read()
    with bench.cell._lock:
        assert held(bench) is None
