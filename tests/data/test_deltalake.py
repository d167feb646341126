from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.data_jobs import DataWorld
from xsession import CrossAccountSession
from xsession.errors import FrozenCredentialsWarning

deltalake = pytest.importorskip("deltalake")
pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")


@pytest.fixture
def xs(made: DataWorld, monkeypatch: pytest.MonkeyPatch) -> CrossAccountSession:
    """A session whose source is a profile, where the environment has no keys."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    return made.from_profile()


TABLE = {"name": ["goku", "vegeta"], "level": [9001, 8000]}


def written(made: DataWorld, options: Any, account: str = "vegeta") -> str:
    """A table in an account's bucket; returns its address."""
    address = f"s3://{account}/levels"
    deltalake.write_deltalake(address, pa.table(TABLE), storage_options=options)
    assert made.assumed(account)
    return address


def test_a_table_outlives_three_sessions(made: DataWorld, xs: CrossAccountSession) -> None:
    """One open table is read and written all the while."""
    options = xs["vegeta"].data.deltalake()
    address = written(made, options)
    table = deltalake.DeltaTable(address, storage_options=options)
    for number in made.rounds():
        assert table.to_pyarrow_table().num_rows == 2 * number + 2
        deltalake.write_deltalake(table, pa.table(TABLE), mode="append")
        table.update_incremental()
    made.check()


def test_a_source_that_deltalake_knows_nothing_of(
    made: DataWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile's program; deltalake opens none of AWS's files, which would never end here.

    https://github.com/delta-io/delta-rs/issues/3944
    """
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    made.aws.set_lifetime(None)
    key = made.batman.user("alfred")
    printed = {"Version": 1, "AccessKeyId": key.access_key_id, "SecretAccessKey": key.secret_access_key}
    (tmp_path / "keys.json").write_text(json.dumps(printed))
    made.aws.write_profiles(
        f"[profile program]\ncredential_process = cat {tmp_path}/keys.json\n"
        f"endpoint_url = {made.aws.endpoint_url}\nregion = eu-west-1\n"
    )
    options = made.session(profile_name="program")["vegeta"].data.deltalake()
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        os.mkfifo(tmp_path / name)
        monkeypatch.setenv(name, str(tmp_path / name))
    address = written(made, options)
    assert deltalake.DeltaTable(address, storage_options=options).to_pyarrow_table().num_rows == 2
    made.check()


def test_two_accounts_in_two_threads(made: DataWorld, xs: CrossAccountSession) -> None:
    """Each table is read by its own account, and the environment stays as it is."""
    errors, before = list[BaseException](), dict(os.environ)
    made.aws.set_lifetime(None)
    addresses = {name: written(made, xs[name].data.deltalake(), name) for name in ("vegeta", "bulma")}

    def read(name: str) -> None:
        try:
            for _ in range(25):
                table = deltalake.DeltaTable(addresses[name], storage_options=xs[name].data.deltalake())
                assert table.to_pyarrow_table().num_rows == 2
        except BaseException as error:  # noqa: BLE001 # asserted below
            errors.append(error)

    threads = [threading.Thread(target=read, args=(name,)) for name in addresses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert dict(os.environ) == before
    assert [call for call in made.s3() if call.status == 403] == []
    assert (made.assumed("vegeta"), made.assumed("bulma")) == (1, 1)


def test_from_one_account_into_another(made: DataWorld, xs: CrossAccountSession) -> None:
    """In one process."""
    source = deltalake.DeltaTable(
        written(made, xs["vegeta"].data.deltalake()), storage_options=xs["vegeta"].data.deltalake()
    )
    target = xs["bulma"].data.deltalake()
    deltalake.write_deltalake("s3://bulma/copy", source.to_pyarrow_table(), storage_options=target)
    assert deltalake.DeltaTable("s3://bulma/copy", storage_options=target).to_pyarrow_table().num_rows == 2
    assert [call for call in made.s3() if call.status == 403] == []
    assert {call.account_id for call in made.s3()} == {"222222222222", "444444444444"}


@pytest.mark.own_python
def test_polars_reads_a_table_with_these_options(made: DataWorld, xs: CrossAccountSession) -> None:
    """Which outlives the sessions too."""
    options = xs["vegeta"].data.deltalake()
    frame = pl.scan_delta(written(made, options), storage_options=options, credential_provider=None)
    for _ in made.rounds():
        assert frame.collect()["level"].sum() == 17_001
    made.check()


@pytest.mark.own_python
def test_polars_reads_a_table_by_its_own_provider(made: DataWorld, xs: CrossAccountSession) -> None:
    """Which it asks once for the table's log, and again and again for its files."""
    frame = pl.scan_delta(written(made, xs["vegeta"].data.deltalake()), **xs["vegeta"].data.polars())
    for _ in made.rounds():
        assert frame.collect()["level"].sum() == 17_001
    made.check()


def test_with_keys_in_the_environment_it_reads_as_the_account(made: DataWorld) -> None:
    """Though with keys that end, of which it warns."""
    with pytest.warns(FrozenCredentialsWarning, match="AWS_ACCESS_KEY_ID"):
        options = made.session()["vegeta"].data.deltalake()
    made.aws.clear_calls()
    deltalake.write_deltalake("s3://vegeta/levels", pa.table(TABLE), storage_options=options)
    assert {call.account_id for call in made.s3()} == {"222222222222"}


@pytest.mark.parametrize(
    "variables",
    [
        {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/of-the-task"},
        {"ACCESS_KEY_ID": "AKIAOFSOMEBODY", "SECRET_ACCESS_KEY": "s"},
        {"aws_access_key_id": "AKIAOFSOMEBODY", "aws_secret_access_key": "s"},
    ],
)
def test_whatever_comes_before_an_endpoint_is_seen(
    variables: dict[str, str], made: DataWorld, xs: CrossAccountSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The role of a task on ECS, and keys under all the names that deltalake takes."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.warns(FrozenCredentialsWarning, match=next(iter(variables))):
        options = xs["vegeta"].data.deltalake()
    made.aws.clear_calls()
    deltalake.write_deltalake("s3://vegeta/levels", pa.table(TABLE), storage_options=options)
    assert {call.account_id for call in made.s3()} == {"222222222222"}
