"""Where an event loop runs already, as in each cell of a notebook."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.data_jobs import CSV, DataWorld

pytest.importorskip("s3fs")
obstore = pytest.importorskip("obstore")


def test_libraries_are_used_from_inside_a_running_loop(made: DataWorld) -> None:
    """Calls that wait, and those that are awaited, by turns; nothing patches asyncio, and one AssumeRole serves all."""
    vegeta = made.session()["vegeta"]
    made.live(60.0)

    async def cell() -> None:
        assert vegeta.data.s3fs().ls("vegeta") == ["vegeta/scouter.csv"]
        store = obstore.store.S3Store("vegeta", **vegeta.data.obstore())
        assert bytes(obstore.get(store, "scouter.csv").bytes()) == CSV
        assert bytes(await (await obstore.get_async(store, "scouter.csv")).bytes_async()) == CSV
        async with vegeta.aio().create_client("s3") as s3:
            listed = await s3.list_objects_v2(Bucket="vegeta")
        assert [entry["Key"] for entry in listed["Contents"]] == ["scouter.csv"]

    for _ in range(2):
        asyncio.run(cell())
    made.check(most=1)
