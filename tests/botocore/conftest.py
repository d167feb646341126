"""Runs a test on both paths: the fast one, and botocore's own. The accounts are made once for each file."""

from __future__ import annotations

from collections.abc import Iterator

import boto3
import pytest

from tests.support.client_paths import Bench, Make, MakeCore
from tests.support.worlds import BUCKET, World
from xsession._botocore._core import ClientCore
from xsession.testing import LocalAWS


class ReusedWorld(World):
    """Accounts that tests share, whose bucket is made when it is asked for."""

    def bucket(self) -> str:
        """Vegeta's bucket with one object, and no others."""
        objects = {"scouter.csv": b"name,level\ngoku,9001\n"}
        s3 = self.vegeta.root.resource("s3")
        if BUCKET not in [bucket.name for bucket in s3.buckets.all()]:
            return self.vegeta.bucket(BUCKET, objects)
        for item in s3.Bucket(BUCKET).objects.all():
            if item.key not in objects:
                item.delete()
        return BUCKET


@pytest.fixture(scope="module")
def one_world() -> Iterator[ReusedWorld]:
    """The accounts of all tests in a file."""
    with LocalAWS() as aws:
        yield ReusedWorld(aws)


@pytest.fixture
def world(one_world: ReusedWorld) -> Iterator[World]:
    """The same accounts, without the sessions, events, calls and faults of the test before."""
    one_world.events.clear()
    one_world.aws.clear_calls()
    yield one_world
    one_world.aws.recover()
    one_world.aws.set_lifetime(None)
    one_world.close()


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def fast(request: pytest.FixtureRequest) -> bool:
    """Which path: a test that asks for it, or for what is made with it, runs once on each."""
    return bool(request.param)


@pytest.fixture
def make(fast: bool, world: World) -> Make:  # a fixture
    """Makes benches of one path."""
    return lambda **options: Bench(world, fast=fast, **options)


@pytest.fixture
def bench(make: Make) -> Bench:
    """One of each path."""
    return make()


@pytest.fixture
def core(fast: bool) -> MakeCore:  # a fixture
    """Makes cores of one path for tests that send nothing."""
    return lambda source=None, config=None: ClientCore(source or boto3.Session(), config, fast=fast)
