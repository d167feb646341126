"""Runs a test on both paths: the fast one, and botocore's own."""

from __future__ import annotations

import pytest

from tests.botocore.paths import Bench, Make
from tests.worlds import World


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def make(request: pytest.FixtureRequest, world: World) -> Make:
    """Makes benches of one path."""
    return lambda **options: Bench(world, fast=request.param, **options)


@pytest.fixture
def bench(make: Make) -> Bench:
    """One of each path."""
    return make()
