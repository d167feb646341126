from __future__ import annotations

import select
import socket
import threading
from typing import Any

import pytest

from tests.support.data_jobs import DataWorld

pd = pytest.importorskip("pandas")


def test_a_long_read_outlives_three_sessions(made: DataWorld) -> None:
    """One iterator over a file."""
    rows = b"name,level\n" + b"goku,9001\n" * 400_000
    made.vegeta.root.client("s3").put_object(Bucket="vegeta", Key="long.csv", Body=rows)
    made.aws.clear_calls()
    options = made.session()["vegeta"].data.pandas(default_block_size=1 << 20)
    total = 0
    with pd.read_csv("s3://vegeta/long.csv", storage_options=options, chunksize=100_000) as reader:
        for _ in made.rounds():
            total += len(next(reader))
    assert total == 400_000
    made.check()


def test_csv_and_parquet_are_read_and_written_by_the_account(made: DataWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file and a folder; nothing goes through a client of PyArrow's own, which would ask the instance's metadata."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED"):
        monkeypatch.delenv(name)
    metadata = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", f"http://127.0.0.1:{metadata.getsockname()[1]}")
    options = made.from_profile()["vegeta"].data.pandas()
    frame = pd.DataFrame({"name": ["goku", "vegeta"], "level": [9001, 8000]})
    frame.to_parquet("s3://vegeta/one.parquet", storage_options=options)
    frame.to_parquet("s3://vegeta/many", partition_cols=["name"], storage_options=options)
    for _ in made.rounds():
        assert pd.read_parquet("s3://vegeta/one.parquet", storage_options=options)["level"].sum() == 17_001
        assert pd.read_parquet("s3://vegeta/many", storage_options=options)["level"].sum() == 17_001
        assert len(pd.read_csv("s3://vegeta/scouter.csv", storage_options=options)) == 2
    made.check()
    assert {call.region_name for call in made.s3()} == {"eu-west-1"}
    asked, _, _ = select.select([metadata], [], [], 0)
    metadata.close()
    assert asked == []


def test_two_accounts_in_one_expression(made: DataWorld) -> None:
    """Each object is fetched by its own account's session."""
    xs = made.session()
    frames = [
        pd.read_csv(f"s3://{name}/scouter.csv", storage_options=xs[name].data.pandas()) for name in ("vegeta", "bulma")
    ]
    assert len(pd.concat(frames)) == 4
    assert {call.account_id for call in made.s3()} == {"222222222222", "444444444444"}
    assert {call.error_code for call in made.s3()} == {None}


def test_two_accounts_in_threads(made: DataWorld) -> None:
    """Neither the environment nor a shared file system carries anything over."""
    xs, errors = made.session(), list[object]()

    def read(name: str) -> None:
        for _ in range(20):
            frame = pd.read_csv(f"s3://{name}/scouter.csv", storage_options=xs[name].data.pandas())
            if len(frame) != 2:
                errors.append(name)

    threads = [threading.Thread(target=read, args=(name,)) for name in ("vegeta", "bulma") * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert {call.error_code for call in made.s3()} == {None}


def test_a_write_makes_one_request(made: DataWorld) -> None:
    """With the options of its own; no bucket is made, which the role might not be allowed to."""
    data = made.session()["vegeta"].data
    sent: list[Any] = []
    events = data.pandas()["session"].get_component("event_emitter")
    events.register("before-parameter-build.s3.PutObject", lambda params, **_: sent.append(params.get("ACL")))
    options = data.pandas(s3_additional_kwargs={"ACL": "bucket-owner-full-control"})
    pd.DataFrame({"level": [9001]}).to_csv("s3://vegeta/out.csv", storage_options=options)
    assert [call.operation for call in made.s3() if call.operation != "HeadBucket"] == ["PutObject"]
    assert sent == ["bucket-owner-full-control"]
