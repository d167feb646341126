from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from tests.support.cells import Bench, advisory, refusal, until
from xsession import events
from xsession.errors import AssumeRoleError, SessionClosedError
from xsession.refresh import RefreshState


def test_a_cell_tells_how_it_stands() -> None:
    """Empty, refused, fresh, failing, expired."""
    bench = Bench()
    assert (bench.cell.status().state, bench.cell.status().ok) == (RefreshState.EMPTY, False)
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    with pytest.raises(AssumeRoleError):
        bench.read()
    refused = bench.cell.status()
    assert (refused.state, refused.last_error, refused.next_try) == (RefreshState.REFUSED, "AccessDenied: no", 5.0)
    bench.clock.advance(6)
    assert bench.cell.status().state is RefreshState.EMPTY
    bench.fetch.error = None
    advisory(bench)
    bench.fetch.error = refusal()
    bench.key()
    bench.events.wait_for(events.RefreshFailed)
    until(lambda: bench.cell.failure)
    failing = bench.cell.status()
    assert (failing.state, failing.ok, failing.remaining) == (RefreshState.ADVISORY, True, 800)
    assert (failing.access_key_id, failing.last_error) == ("ASIA2", "InternalFailure: no")
    bench.clock.advance(900)
    assert (bench.cell.status().state, bench.cell.status().remaining) == (RefreshState.EXPIRED, 0)


def test_a_closed_cell_gives_nothing() -> None:
    """Readers are told, what is held is gone, and the timer leaves it alone."""
    bench = Bench()
    bench.key()
    bench.key()
    bench.cell.close()
    with pytest.raises(SessionClosedError, match="the CrossAccountSession is closed"):
        bench.read()
    bench.cell._refresh_when_due()
    assert bench.calls == 1


def test_a_cell_that_nobody_holds_is_gone() -> None:
    """Neither the timer nor the registry of forks keeps it alive."""
    bench = Bench()
    bench.key()
    bench.key()
    gone = weakref.ref(bench.cell)
    del bench.cell
    gc.collect()
    assert gone() is None


@pytest.mark.usefixtures("dying_threads")
@pytest.mark.parametrize("kind", [asyncio.CancelledError, SystemExit, KeyboardInterrupt])
def test_what_a_hook_raises_breaks_no_flight(kind: type[BaseException]) -> None:
    """However it gets past the other hooks: the refresh has failed, nobody spins, and the next one works."""
    bench, raised = Bench(auto=True), list[events.Event]()

    def emit(event: events.Event) -> None:
        if isinstance(event, events.RefreshStarted) and not raised:
            raised.append(event)
            raise kind

    bench.cell.reports._emit = emit
    assert (bench.key(), bench.cell._flight) == ("ASIA1", None)


def test_a_failure_is_forgotten_by_its_kind() -> None:
    """What caused it is gone; one of another kind counts on."""
    bench = Bench()
    bench.fetch.error = refusal(retryable=False)
    with pytest.raises(AssumeRoleError):
        bench.read()
    bench.cell.forgive(SessionClosedError)
    assert bench.cell.failure is not None
    bench.cell.forgive(AssumeRoleError)
    assert bench.cell.failure is None
