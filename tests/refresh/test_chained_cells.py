from __future__ import annotations

import random
import threading
from functools import partial
from typing import Any

import pytest

from tests.support.cells import ROLE, Bench, ScriptedFetch, in_threads, read, read_nested, refusal
from xsession.errors import AssumeRoleError


def chain_of(bench: Bench, hops: int) -> list[Any]:
    """Cells of a chain; each hop's fetch reads the hop before it."""
    cells: list[Any] = [bench.cell]
    for hop in range(2, hops + 1):
        fetch = ScriptedFetch(bench.clock, bench.fetch.lifetime)
        fetch.before = partial(read_nested, cells[-1])
        cells.append(bench.new_cell(fetch, hop=hop))
    return cells


def test_a_chain_is_fetched_in_one_thread() -> None:
    """The hops before are nested in the last one's flight, and cost one call each."""
    bench = Bench()
    threads = []
    bench.fetch.before = lambda: threads.append(threading.current_thread().name)
    *_, last = chain_of(bench, 4)
    before = last._fetch.before

    def noting() -> None:
        threads.append(threading.current_thread().name)
        before()

    last._fetch.before = noting
    assert read(last).credentials.access_key_id == "ASIA1"
    assert (bench.calls, len(threads), set(threads)) == (1, 2, {"xsession-flight"})


def test_a_flight_of_the_hop_before_is_joined() -> None:
    """Two accounts behind one hub: the hub is assumed once."""
    bench = Bench()
    accounts = [chain_of(bench, 2)[1] for _ in range(20)]
    cells = iter(accounts)
    snapshots = in_threads(20, lambda: read(next(cells)))
    assert not [snapshot for snapshot in snapshots if isinstance(snapshot, Exception)]
    assert bench.calls == 1


def test_a_failure_of_the_hop_before_is_the_reason() -> None:
    """Its error reaches the reader with its own hop; the last hop's readers do the waiting."""
    bench = Bench()
    bench.fetch.error = refusal("AccessDenied", retryable=False)
    _, last = chain_of(bench, 2)
    with pytest.raises(AssumeRoleError, match=f"hop 1, {ROLE}: AccessDenied"):
        read(last)


def test_chains_whose_hops_end_in_flight_do_not_lock_up() -> None:
    """Chains of up to five hops over shared parents, all of which end at once, from 32 threads."""
    bench = Bench(60)
    trees = [chain_of(bench, hops) for hops in (1, 2, 3, 4, 5) for _ in range(8)]
    lasts = [cells[-1] for cells in trees]
    for turn in range(5):
        order = random.Random(turn)
        results = in_threads(32, lambda: [read(order.choice(lasts)) for _ in range(6)])  # noqa: B023 # used up in this turn
        assert not [result for result in results if isinstance(result, Exception)]
        bench.clock.advance(61)
