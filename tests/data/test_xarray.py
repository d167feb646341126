"""xarray, zarr and what else opens addresses by fsspec."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from tests.support.data_jobs import CSV, DataWorld

xr = pytest.importorskip("xarray")
np = pytest.importorskip("numpy")
fsspec = pytest.importorskip("fsspec")


def test_a_store_outlives_three_sessions(made: DataWorld) -> None:
    """Written at once; what is lazy is read chunk by chunk, in one open data set."""
    options = made.session()["vegeta"].data.pandas()
    xr.Dataset({"level": ("round", np.arange(4))}).chunk({"round": 1}).to_zarr(
        "s3://vegeta/levels.zarr", storage_options=options, consolidated=False
    )
    opened = xr.open_zarr("s3://vegeta/levels.zarr", storage_options=options, consolidated=False)
    for number in made.rounds():
        assert int(opened["level"][number]) == number
    made.check()


def test_an_address_in_an_address_is_read_by_the_account(made: DataWorld, tmp_path: Path) -> None:
    """A zip in the bucket, with the options of "s3" by that name."""
    folder = tmp_path / "k.zarr"
    xr.Dataset({"level": ("name", np.array([9001, 8000]))}).to_zarr(folder, consolidated=False)
    zipped = io.BytesIO()
    with zipfile.ZipFile(zipped, "w") as archive:
        for path in folder.rglob("*"):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    made.vegeta.root.client("s3").put_object(Bucket="vegeta", Key="k.zip", Body=zipped.getvalue())
    made.aws.clear_calls()
    options = {"s3": made.session()["vegeta"].data.pandas()}
    opened = xr.open_zarr("zip::s3://vegeta/k.zip", storage_options=options, consolidated=False)
    assert opened["level"].sum() == 17_001
    made.check()


def test_a_cached_file_is_read_by_the_account(made: DataWorld, tmp_path: Path) -> None:
    """Likewise, and from the disk the second time."""
    options = {"s3": made.session()["vegeta"].data.pandas(), "filecache": {"cache_storage": str(tmp_path)}}
    for _ in range(2):
        with fsspec.open("filecache::s3://vegeta/scouter.csv", **options) as file:
            assert file.read() == CSV
    assert sum(call.operation == "GetObject" for call in made.s3()) == 1
    made.check()
