from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import executor_jobs as jobs
from tests.support.worlds import World

loky: Any = pytest.importorskip("loky")


@pytest.fixture
def pool(world: World) -> Iterator[Any]:
    """Two processes."""
    with world.aws.applied(world.key):
        made = loky.ProcessPoolExecutor(2)
        list(made.map(abs, range(4)))
        yield made
        made.shutdown(kill_workers=True)


def test_calls_in_lokys_processes(world: World, pool: Any) -> None:
    """All that an executor is to do."""
    jobs.check_all(world, pool, 2)


def test_a_lost_worker_is_an_outcome(world: World, pool: Any, tmp_path: Path) -> None:
    """Such a pool is broken then."""
    jobs.check_lost_worker(world, pool, tmp_path)
