from __future__ import annotations

import pickle
import time

import pytest

from tests.support.data_jobs import DataWorld
from xsession.integrations._polars import PolarsCredentials

pl = pytest.importorskip("polars")
pytestmark = pytest.mark.own_python


def test_a_lazy_frame_outlives_three_sessions(made: DataWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same one is collected again and again, and asks for credentials when some have ended."""
    address, asked, call = made.parquet(), [], PolarsCredentials.__call__

    def counted(provider: PolarsCredentials) -> tuple[dict[str, str], int]:
        asked.append(provider)
        return call(provider)

    monkeypatch.setattr(PolarsCredentials, "__call__", counted)
    frame = pl.scan_parquet(address, **made.session()["vegeta"].data.polars())
    for _ in made.rounds():
        for _ in range(3):
            assert frame.collect()["level"].to_list() == [9001, 8000]
    made.check()
    # What is told to end early is asked for once more.
    assert len(asked) <= 2 * 4


def test_the_same_address_as_another_account(made: DataWorld) -> None:
    """Polars keeps stores by address; neither account's keys serve the other."""
    xs = made.session()
    address = made.parquet()
    assert len(pl.read_parquet(address, **xs["vegeta"].data.polars())) == 2
    with pytest.raises(OSError, match=r"403|AccessDenied|Forbidden"):
        pl.read_parquet(address, **xs["bulma"].data.polars())


def test_after_invalidate_the_new_key_signs(made: DataWorld) -> None:
    """Polars asks again for each set of arguments."""
    xs = made.session()
    address = made.parquet()
    made.aws.set_lifetime(None)
    for expected in (1, 2):
        pl.read_parquet(address, **xs["vegeta"].data.polars())
        assert len({call.access_key_id for call in made.s3()}) == expected
        xs.invalidate("vegeta")


def test_a_partitioned_write_is_signed_by_the_account(made: DataWorld) -> None:
    """Every part, at the account's endpoint."""
    arguments = made.session()["vegeta"].data.polars()
    made.aws.clear_calls()
    frame = pl.DataFrame({"part": ["a", "b", "c"], "level": [1, 2, 3]})
    frame.lazy().sink_parquet(pl.PartitionBy("s3://vegeta/parts/", key="part"), mkdir=True, **arguments)
    made.check()
    assert sum(call.operation == "PutObject" for call in made.s3()) == 3


def test_the_environments_keys_are_not_used(made: DataWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a broken profile's."""
    xs = made.from_profile()
    address = made.parquet()
    key = made.bulma.user("bulma")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key.secret_access_key)
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    pl.read_parquet(address, **xs["vegeta"].data.polars())
    made.check()


def test_csv_and_many_scans_at_once(made: DataWorld) -> None:
    """One AssumeRole for all of them."""
    data = made.session()["vegeta"].data
    frames = [pl.scan_csv("s3://vegeta/scouter.csv", **data.polars()) for _ in range(20)]
    assert {len(frame) for frame in pl.collect_all(frames)} == {2}
    made.check(most=2)


def test_the_provider_travels_without_a_secret(made: DataWorld) -> None:
    """By the account's name; where polars runs elsewhere it asks there."""
    provider = made.session()["vegeta"].data.polars()["credential_provider"]
    keys, expiry = provider()
    pickled = pickle.dumps(provider)
    assert not [value for value in keys.values() if value.encode() in pickled]
    assert time.time() < expiry + 1
    assert pickle.loads(pickled)()[0].keys() == keys.keys()
