"""SageMaker's SDK, as the page shows it: in an environment of its own, beside awswrangler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient

from tests.support.data_jobs import CSV, DataWorld
from tests.support.worlds import VEGETA

session_helper = pytest.importorskip("sagemaker.core.helper.session_helper")

pytestmark = pytest.mark.filterwarnings("ignore:::sagemaker")


def test_every_client_is_the_accounts_and_outlives_three_sessions(made: DataWorld, tmp_path: Path) -> None:
    """Data goes up and comes down, and the service is asked, all by one session of SageMaker's."""
    account = made.session()["vegeta"]
    sagemaker = session_helper.Session(boto_session=account, default_bucket="vegeta")
    (tmp_path / "train.csv").write_bytes(CSV)
    for _ in made.rounds():
        uploaded = sagemaker.upload_data(str(tmp_path / "train.csv"), bucket="vegeta", key_prefix="input")
        assert uploaded == "s3://vegeta/input/train.csv"
        assert sagemaker.read_s3_file("vegeta", "input/train.csv").encode() == CSV
        assert sagemaker.list_s3_files("vegeta", "input") == ["input/train.csv"]
        assert sagemaker.sagemaker_client.list_training_jobs()["TrainingJobSummaries"] == []
    made.check()
    assert {call.account_id for call in made.aws.calls if call.service == "sagemaker"} == {VEGETA}
    clients: list[Any] = [client for client in vars(sagemaker).values() if isinstance(client, BaseClient)]
    assert len(clients) > 3
    assert {client._request_signer._credentials for client in clients} == {account.get_credentials()}
