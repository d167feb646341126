from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.support.data_jobs import DataWorld
from xsession.testing import LocalAWS

IS_OWN_PYTHON = "OWN_PYTHON" in os.environ
# As it was before a test changed it, without what tells a process that it is one of pytest-xdist's.
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")} | {"OWN_PYTHON": "1"}


class TestInOwnPython(pytest.Item):
    """One test, run by another pytest.

    Polars has a thread that reads the environment ten times a second for ever. Before glibc 2.41 that crashes sooner or
    later where the environment changes meanwhile, as it does with each test.
    """

    def runtest(self) -> None:
        """Runs it; fails with what that pytest says."""
        command = [sys.executable, "-m", "pytest", "-q", self.nodeid]
        ended = subprocess.run(
            command, cwd=self.config.rootpath, env=ENVIRON, capture_output=True, text=True, timeout=300, check=False
        )
        if ended.returncode != pytest.ExitCode.OK:
            pytest.fail(ended.stdout + ended.stderr, pytrace=False)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is in this folder needs the libraries themselves; some of it a Python of its own."""
    for place, found in enumerate(items):
        item = found
        if "tests/data/" not in item.path.as_posix():
            continue
        if not IS_OWN_PYTHON and item.get_closest_marker("own_python") is not None and item.parent is not None:
            items[place] = item = TestInOwnPython.from_parent(item.parent, name=item.name)
        item.add_marker(pytest.mark.data)


@pytest.fixture
def made(local_aws: LocalAWS) -> Iterator[DataWorld]:
    """Vegeta's and Bulma's buckets, for sessions of some seconds whose source is the environment."""
    with local_aws.applied(local_aws.account("111111111111").user("bruce")):
        world = DataWorld(local_aws)
        yield world
        world.close()
