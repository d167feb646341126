from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.data_jobs import BULMA, DataWorld
from tests.support.worlds import VEGETA
from xsession import CrossAccountSession

pytest.importorskip("pyiceberg")
pa = pytest.importorskip("pyarrow")

TABLE = {"name": ["goku", "vegeta"], "level": [9001, 8000]}


def catalog(made: DataWorld, tmp_path: Path, xs: CrossAccountSession | None = None) -> Any:
    """A catalog in a local database, whose warehouse is Vegeta's bucket."""
    from pyiceberg.catalog import load_catalog  # noqa: PLC0415 # these tests alone have it

    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": "s3://vegeta/warehouse"}
    return load_catalog("capsule", **properties, **(xs or made.session())["vegeta"].data.pyiceberg())


def test_a_table_outlives_three_sessions(made: DataWorld, tmp_path: Path) -> None:
    """Data, manifests and metadata are written and read by the account."""
    opened = catalog(made, tmp_path)
    opened.create_namespace("dragon")
    table = opened.create_table("dragon.levels", pa.table(TABLE).schema)
    for number in made.rounds():
        table.append(pa.table(TABLE))
        assert len(table.scan().to_arrow()) == 2 * number + 2
    made.check()


def test_a_transaction_outlives_three_sessions(made: DataWorld, tmp_path: Path) -> None:
    """What was written in all of them is committed in the last one: https://github.com/apache/iceberg-python/issues/3506."""
    opened = catalog(made, tmp_path)
    opened.create_namespace("dragon")
    table = opened.create_table("dragon.levels", pa.table(TABLE).schema)
    with table.transaction() as transaction:
        for _ in made.rounds():
            transaction.append(pa.table(TABLE))
    assert len(table.scan().to_arrow()) == 8
    made.check()


def scanned(made: DataWorld, opened: Any) -> dict[str, set[tuple[str | None, str]]]:
    """By service, the accounts and keys of the requests that one scan of a new table made."""
    opened.create_namespace("dragon")
    table = opened.create_table("dragon.levels", pa.table(TABLE).schema, location="s3://vegeta/warehouse/levels")
    table.append(pa.table(TABLE))
    made.aws.clear_calls()
    assert len(opened.load_table("dragon.levels").scan().to_arrow()) == 2
    calls = [call for call in made.aws.calls if call.service != "sts"]
    return {
        one: {(call.account_id, call.access_key_id) for call in calls if call.service == one} for one in ("glue", "s3")
    }


def test_a_catalogs_glue_and_its_files_are_one_accounts(made: DataWorld) -> None:
    """Requests of both carry one role session: https://github.com/datahub-project/datahub/pull/16397."""
    from pyiceberg.catalog.glue import GlueCatalog  # noqa: PLC0415 # as above

    made.aws.set_lifetime(None)
    session = made.session()["vegeta"]
    seen = scanned(made, GlueCatalog("capsule", **session.data.pyiceberg()))
    key = session.get_credentials().get_frozen_credentials().access_key
    assert seen == {"glue": {(VEGETA, key)}, "s3": {(VEGETA, key)}}


def test_the_glue_of_one_account_lists_files_of_another(made: DataWorld) -> None:
    """The catalog is given a client; what it opens is read by the account of the properties."""
    from pyiceberg.catalog.glue import GlueCatalog  # noqa: PLC0415 # as above

    made.aws.set_lifetime(None)
    xs = made.session()
    glue: Any = xs["bulma"].client("glue")
    seen = scanned(made, GlueCatalog("capsule", client=glue, **xs["vegeta"].data.pyiceberg()))
    assert {service: {account for account, _ in calls} for service, calls in seen.items()} == {
        "glue": {BULMA},
        "s3": {VEGETA},
    }


@pytest.mark.own_python
def test_polars_reads_a_table_by_its_file_io(made: DataWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reader of the page; polars' own one would take the keys of the environment."""
    pl = pytest.importorskip("polars")
    opened = catalog(made, tmp_path, made.from_profile())
    opened.create_namespace("dragon")
    table = opened.create_table("dragon.levels", pa.table(TABLE).schema)
    table.append(pa.table(TABLE))
    key = made.bulma.user("bulma")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", key.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", key.secret_access_key)
    frame = pl.scan_iceberg(table, reader_override="pyiceberg")
    for _ in made.rounds():
        assert frame.collect()["level"].sum() == 17_001
    made.check()
