from __future__ import annotations

import pickle

import pytest

from tests.support.data_jobs import CSV, DataWorld
from tests.support.programs import run_python

obstore = pytest.importorskip("obstore")
store = pytest.importorskip("obstore.store")


def test_a_store_outlives_three_sessions(made: DataWorld) -> None:
    """It lists, reads and writes all the while."""
    bucket = store.S3Store("vegeta", **made.session()["vegeta"].data.obstore())
    for number in made.rounds():
        obstore.put(bucket, f"part-{number}", b"x" * number)
        assert bytes(obstore.get(bucket, "scouter.csv").bytes()) == CSV
        assert len([item for part in obstore.list(bucket) for item in part]) == number + 2
    made.check()


def test_a_multipart_write_outlives_three_sessions(made: DataWorld) -> None:
    """One open handle."""
    bucket = store.S3Store("vegeta", **made.session()["vegeta"].data.obstore())
    part = b"x" * (5 << 20)
    with obstore.open_writer(bucket, "big", buffer_size=len(part)) as writer:
        for _ in made.rounds():
            writer.write(part)
            writer.flush()
    assert obstore.head(bucket, "big")["size"] == 4 * len(part)
    made.check()


def test_a_store_is_pickled_without_a_secret(made: DataWorld) -> None:
    """Another process lists as the account by it."""
    xs = made.session()
    bucket = store.S3Store("vegeta", **xs["vegeta"].data.obstore())
    secret = xs.get_frozen_credentials("vegeta").secret_access_key
    pickled = pickle.dumps(bucket)
    assert secret.encode() not in pickled
    code = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1])).list().collect()[0]['path'])"
    assert run_python(code, pickled.hex()) == "scouter.csv\n"
    made.check()


def test_a_store_is_pickled_where_the_environment_has_the_endpoint(
    made: DataWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in front of MinIO and other vendors' S3."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", made.aws.endpoint_url)
    bucket = store.S3Store("vegeta", **made.session()["vegeta"].data.obstore())
    assert bytes(obstore.get(pickle.loads(pickle.dumps(bucket)), "scouter.csv").bytes()) == CSV
    made.check()


def test_an_endpoint_that_is_not_the_accounts_does_not_count(made: DataWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as one that was set later; a store that obstore could not load is not pickled."""
    data = made.session()["vegeta"].data
    data.obstore()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    bucket = store.S3Store("vegeta", **data.obstore())
    assert bytes(obstore.get(bucket, "scouter.csv").bytes()) == CSV
    made.check()
    with pytest.raises(TypeError, match="is not pickled"):
        pickle.dumps(bucket)


def test_obstore_does_not_load_what_it_pickles() -> None:
    """Once it does, `AWS_ENDPOINT_URL_S3` needs no care."""
    made = store.S3Store("b", config={"aws_endpoint_url_s3": "https://example.com", "aws_region": "eu-west-1"})
    pickled = pickle.dumps(made)
    with pytest.raises(obstore.exceptions.UnknownConfigurationKeyError, match="endpoint_url_s3"):
        pickle.loads(pickled)
