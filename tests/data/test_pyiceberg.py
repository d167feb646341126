from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.data_jobs import DataWorld

pytest.importorskip("pyiceberg")
pa = pytest.importorskip("pyarrow")

TABLE = {"name": ["goku", "vegeta"], "level": [9001, 8000]}


def catalog(made: DataWorld, tmp_path: Path) -> Any:
    """A catalog in a local database, whose warehouse is Vegeta's bucket."""
    from pyiceberg.catalog import load_catalog  # noqa: PLC0415 # these tests alone have it

    properties = {"type": "sql", "uri": f"sqlite:///{tmp_path}/catalog.db", "warehouse": "s3://vegeta/warehouse"}
    return load_catalog("capsule", **properties, **made.session()["vegeta"].data.pyiceberg())


def test_a_table_outlives_three_sessions(made: DataWorld, tmp_path: Path) -> None:
    """Data, manifests and metadata are written and read by the account."""
    opened = catalog(made, tmp_path)
    opened.create_namespace("dragon")
    table = opened.create_table("dragon.levels", pa.table(TABLE).schema)
    for number in made.rounds():
        table.append(pa.table(TABLE))
        assert len(table.scan().to_arrow()) == 2 * number + 2
    made.check()


def test_a_catalogs_glue_and_its_files_are_one_accounts(made: DataWorld) -> None:
    """Both ask the same credentials."""
    from pyiceberg.catalog.glue import GlueCatalog  # noqa: PLC0415 # as above

    session = made.session()["vegeta"]
    opened = GlueCatalog("capsule", **session.data.pyiceberg())
    assert opened.glue._request_signer._credentials is session.get_credentials()
    assert opened.glue.meta.region_name == "eu-west-1"
