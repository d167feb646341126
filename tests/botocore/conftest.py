"""Runs a test on both paths: the fast one, and botocore's own."""

from __future__ import annotations

import boto3
import pytest

from tests.botocore.paths import Bench, Make, MakeCore
from tests.worlds import World
from xsession._botocore.core import ClientCore


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
