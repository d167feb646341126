from __future__ import annotations

import pytest

from tests.support.cells import Bench
from xsession.errors import CredentialsTimeoutError


def test_forked_children_have_a_jitter_of_their_own() -> None:
    """Eight children of one process do not refresh together."""
    draws = iter(number / 10 for number in range(10))
    bench = Bench()
    bench.cell._draw = lambda: next(draws)
    bench.key()
    windows = set()
    for _ in range(8):
        bench.cell.after_fork()
        windows.add(bench.cell.snapshot.windows.advisory)
    assert len(windows) == 8
    assert (bench.key(), bench.calls) == ("ASIA1", 1)


def test_an_empty_cell_is_renewed_after_a_fork() -> None:
    """A flight of the parent is not waited for."""
    bench = Bench(auto=True, patience=0.1)
    with bench.hanging():
        with pytest.raises(CredentialsTimeoutError):
            bench.read()
        bench.cell._lock.acquire()
        bench.cell.after_fork()
        bench.fetch.gate.set()
        assert bench.key() == "ASIA2"
