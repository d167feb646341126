from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import executor_jobs as jobs
from tests.support.worlds import World
from tools.project import ROOT
from xsession import ConfigError
from xsession.integrations import RayExecutor

ray: Any = pytest.importorskip("ray")


@pytest.fixture
def pool(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[RayExecutor]:
    """Two workers on this machine."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with world.aws.applied(world.key):
        os.environ["PYTHONPATH"] = str(ROOT)
        ray.init(num_cpus=2, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False)
        try:
            yield RayExecutor()
        finally:
            ray.shutdown()


def test_calls_in_rays_workers(world: World, pool: RayExecutor) -> None:
    """All that an executor is to do."""
    assert pool.num_workers == 2
    jobs.check_all(world, pool, 4)


def test_a_worker_that_dies_is_not_called_again(world: World, pool: RayExecutor, tmp_path: Path) -> None:
    """And the others go on."""
    outcomes = jobs.check_lost_worker(world, pool, tmp_path)
    assert len(outcomes.results) == jobs.ACCOUNTS - 1


def test_after_its_shutdown_ray_goes_on(pool: RayExecutor) -> None:
    """It takes no more calls."""
    assert pool.submit(abs, -1).result() == 1
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        pool.submit(abs, -1)
    assert ray.is_initialized()


def test_each_call_is_made_once(pool: RayExecutor) -> None:
    """So nobody may ask Ray to make it again."""
    assert pool.num_workers == 2
    with pytest.raises(ConfigError, match="max_retries"):
        RayExecutor(max_retries=3)


def test_without_a_cluster_it_says_so() -> None:
    """It does not start one by itself."""
    with pytest.raises(ConfigError, match=r"ray\.init"):
        RayExecutor()
