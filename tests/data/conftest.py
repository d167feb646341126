from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.data_jobs import DataWorld
from xsession.testing import LocalAWS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is in this folder needs the libraries themselves."""
    for item in items:
        if "tests/data/" in item.path.as_posix():
            item.add_marker(pytest.mark.data)


@pytest.fixture
def made(local_aws: LocalAWS) -> Iterator[DataWorld]:
    """Vegeta's and Bulma's buckets, for sessions of some seconds whose source is the environment."""
    with local_aws.applied(local_aws.account("111111111111").user("bruce")):
        world = DataWorld(local_aws)
        yield world
        world.close()
