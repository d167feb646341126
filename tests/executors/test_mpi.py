from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import executor_jobs as jobs
from tests.support.worlds import World

futures: Any = pytest.importorskip("mpi4py.futures")

WORKERS = 2
# Open MPI refuses root, and more processes than there are cores, unless it is told.
ALLOWED = {
    **{f"{who}_ALLOW_RUN_AS_ROOT{more}": "1" for who in ("OMPI", "PRTE") for more in ("", "_CONFIRM")},
    "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe",
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
}


@pytest.fixture
def pool(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two processes that MPI has started."""
    for name, value in ALLOWED.items():
        monkeypatch.setenv(name, value)
    with world.aws.applied(world.key), futures.MPIPoolExecutor(WORKERS, env=dict(os.environ)) as made:
        list(made.map(abs, range(4)))
        yield made


def test_calls_in_mpis_processes(world: World, pool: Any) -> None:
    """All that an executor is to do. A worker that dies takes the whole job along, by MPI itself."""
    jobs.check_all(world, pool, WORKERS)
