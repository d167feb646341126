from __future__ import annotations

import os
import pickle

import pytest

from tests.support.data_jobs import DataWorld

distributed = pytest.importorskip("distributed")
dd = pytest.importorskip("dask.dataframe")


@pytest.mark.filterwarnings("default")
def test_workers_read_as_the_account(made: DataWorld) -> None:
    """By its name; neither the graph nor anything else that is sent to them holds a secret."""
    made.aws.set_lifetime(None)
    xs = made.session()
    keys = xs.get_frozen_credentials("vegeta")
    frame = dd.read_csv("s3://vegeta/scouter.csv", storage_options=xs["vegeta"].data.pandas())
    # As it is written down, and as it is sent.
    sent = pickle.dumps(frame) + pickle.dumps(frame.optimize().__dask_graph__())
    for secret in (keys.secret_access_key, str(keys.session_token), os.environ["AWS_SECRET_ACCESS_KEY"]):
        assert secret.encode() not in sent
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        for _ in range(3):
            assert len(frame.compute()) == 2
    made.check(most=3)


@pytest.mark.filterwarnings("default")
def test_a_job_outlives_three_sessions(made: DataWorld) -> None:
    """The workers refresh by themselves."""
    frame = dd.read_csv("s3://vegeta/scouter.csv", storage_options=made.session()["vegeta"].data.pandas())
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster),
    ):
        for _ in made.rounds():
            assert len(frame.compute()) == 2
    made.check(most=20)
