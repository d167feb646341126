from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.data_jobs import DataWorld
from xsession import ConfigError, CrossAccountSession, Role, RoleChain

duckdb = pytest.importorskip("duckdb")


def test_a_connection_outlives_three_sessions(made: DataWorld) -> None:
    """It reads and writes all the while, and needs no extension."""
    made.parquet()
    connection = made.session()["vegeta"].data.duckdb(duckdb.connect())
    for number in made.rounds():
        query = "select sum(level) from read_parquet('s3://vegeta/scouter*.parquet')"
        assert connection.sql(query).fetchall() == [(17_001,)]
        connection.sql(f"copy (select 1 as n) to 's3://vegeta/out-{number}.parquet' (format parquet)")
    made.check()


def test_two_hops_and_an_external_id(made: DataWorld) -> None:
    """Which its own secrets can't do."""
    made.parquet("a/b/scouter.parquet")
    hub = made.aws.account("333333333333").role("Hub", trusts="111111111111")
    deep = made.vegeta.role("Deep", trusts=hub, external_id="capsule-corp")
    with CrossAccountSession({"deep": RoleChain(hub, Role(deep, external_id="capsule-corp"))}) as xs:
        connection = xs["deep"].data.duckdb(duckdb.connect())
        assert len(connection.sql("select * from read_parquet('s3://vegeta/*/*/*.parquet')").fetchall()) == 2


def test_nothing_secret_lies_on_the_disk(made: DataWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the database nor in DuckDB's own folder, and no secret of DuckDB's is there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    address = made.parquet()
    xs = made.session()
    connection = xs["vegeta"].data.duckdb(duckdb.connect(str(tmp_path / "levels.duckdb")))
    connection.read_parquet(address).create("levels")
    assert connection.sql("select * from duckdb_secrets()").fetchall() == []
    connection.close()
    keys = xs.get_frozen_credentials("vegeta")
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"goku" in written
    for secret in (keys.access_key_id, keys.secret_access_key, keys.session_token):
        assert str(secret).encode() not in written


def test_one_connection_has_one_account(made: DataWorld) -> None:
    """A second one is an error before any SQL; on a connection of its own it is right."""
    xs = made.session()
    connection = xs["vegeta"].data.duckdb(duckdb.connect())
    with pytest.raises(ConfigError, match="s3 already"):
        xs["bulma"].data.duckdb(connection)
    other = xs["bulma"].data.duckdb(duckdb.connect())
    assert len(other.sql("select * from read_csv('s3://bulma/scouter.csv')").fetchall()) == 2
    made.check("bulma")
