"""awswrangler, as the page shows it: in an environment of its own, since it pins PyArrow."""

from __future__ import annotations

import pytest

from tests.support.data_jobs import CSV, DataWorld
from tests.support.worlds import VEGETA

wr = pytest.importorskip("awswrangler")
pd = pytest.importorskip("pandas")

# It uses what the newest pandas calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:::awswrangler")


FRAME = pd.DataFrame({"name": ["goku", "vegeta"] * 4, "part": list("abcdefgh"), "level": range(8)})


def test_datasets_written_by_threads_outlive_three_sessions(made: DataWorld) -> None:
    """One session all the while, which is not taken apart into strings."""
    session = made.session()["vegeta"]
    for number in made.rounds():
        written = wr.s3.to_parquet(
            FRAME,
            f"s3://vegeta/round-{number}/",
            dataset=True,
            partition_cols=["part"],
            use_threads=8,
            boto3_session=session,
        )
        assert len(written["paths"]) == 8
        read = wr.s3.read_parquet(f"s3://vegeta/round-{number}/", dataset=True, use_threads=8, boto3_session=session)
        assert read["level"].sum() == 28
    made.check()


def test_objects_described_by_threads(made: DataWorld) -> None:
    """Several at once."""
    session = made.session()["vegeta"]
    keys = [f"s3://vegeta/{number}" for number in range(3)]
    for key in keys:
        wr.s3.to_csv(FRAME, key, boto3_session=session)
    described = wr.s3.describe_objects(keys, use_threads=True, boto3_session=session)
    assert sorted(described) == keys
    made.check()


def test_queries_are_started_awaited_and_read_by_the_account(made: DataWorld) -> None:
    """All requests of Athena, and those of S3 for the results, over three sessions."""
    session, owner = made.session()["vegeta"], made.vegeta.root.client("s3")
    for _ in made.rounds():
        query = wr.athena.start_query_execution("select 1", s3_output="s3://vegeta/athena/", boto3_session=session)
        assert wr.athena.wait_query(query, boto3_session=session)["Status"]["State"] == "SUCCEEDED"
        # Athena itself would write them.
        owner.put_object(Bucket="vegeta", Key=f"athena/{query}.csv", Body=CSV)
        result = wr.athena.get_query_results(query, boto3_session=session)
        assert result["level"].astype(int).sum() == 17_001
    reads = [call for call in made.aws.calls if call.service == "athena" or call.operation == "GetObject"]
    assert {call.account_id for call in reads} == {VEGETA}
    assert {call.error_code for call in reads} == {None}
    assert {call.operation for call in reads} >= {"StartQueryExecution", "GetQueryExecution", "GetObject"}
