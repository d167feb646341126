from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import executor_jobs as jobs
from tests.support.worlds import World

distributed: Any = pytest.importorskip("distributed")


@pytest.fixture
def pool(world: World) -> Iterator[Any]:
    """The executor of a cluster of two workers on this machine."""
    with (
        world.aws.applied(world.key),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor(pure=False)


def test_calls_in_dasks_workers(world: World, pool: Any) -> None:
    """All that an executor is to do."""
    jobs.check_all(world, pool, 2)


def test_a_worker_killed_in_the_middle(world: World, pool: Any, tmp_path: Path) -> None:
    """The scheduler hands its call to another one, which does not call the function again; the rest is done."""
    outcomes = jobs.check_lost_worker(world, pool, tmp_path)
    assert set(outcomes.errors) <= {"a1"} | {key for key, one in outcomes.items() if one.category == "worker_lost"}
    assert len(outcomes.results) >= jobs.ACCOUNTS - 2


def test_workers_with_another_source_refuse(world: World) -> None:
    """They are not who the session's source is."""
    with (
        world.aws.applied(world.hub.user("alfred")),
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        jobs.check_another_source(world, client.get_executor(pure=False))
