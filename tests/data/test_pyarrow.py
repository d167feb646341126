from __future__ import annotations

import pytest

from tests.support.data_jobs import DataWorld
from xsession import CrossAccountSession, Role, RoleChain

pa = pytest.importorskip("pyarrow")
ds = pytest.importorskip("pyarrow.dataset")


def test_a_file_system_outlives_three_sessions(made: DataWorld) -> None:
    """One dataset is scanned again and again."""
    made.parquet()
    dataset = ds.dataset("vegeta/scouter.parquet", filesystem=made.session()["vegeta"].data.pyarrow())
    for _ in made.rounds():
        assert dataset.to_table()["level"].to_pylist() == [9001, 8000]
    made.check()


def test_an_open_file_is_written_over_three_sessions(made: DataWorld) -> None:
    """One stream."""
    made.live(10.0)
    fs = made.session()["vegeta"].data.pyarrow()
    with fs.open_output_stream("vegeta/big") as stream:
        for _ in made.rounds():
            stream.write(b"x" * (60 << 20) if made.assumed() <= 1 else b"x" * (1 << 20))
    made.check()


def test_a_partitioned_dataset_over_two_hops(made: DataWorld) -> None:
    """Written and read by the last role, whose trust policy asks for an external id."""
    hub = made.aws.account("333333333333").role("Hub", trusts="111111111111")
    deep = made.vegeta.role("Deep", trusts=hub, external_id="capsule-corp")
    with CrossAccountSession({"deep": RoleChain(hub, Role(deep, external_id="capsule-corp"))}) as xs:
        fs = xs["deep"].data.pyarrow()
        table = pa.table({"part": ["a", "b"], "level": [1, 2]})
        ds.write_dataset(table, "vegeta/parts", filesystem=fs, format="parquet", partitioning=["part"])
        read = ds.dataset("vegeta/parts", filesystem=fs, partitioning=["part"])
        assert read.schema.names == ["level", "part"]
        assert sorted(read.to_table()["level"].to_pylist()) == [1, 2]
    assert {call.account_id for call in made.s3()} == {"222222222222"}
