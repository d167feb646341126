"""intake, whose catalogs are files: they name the account, and the program gives its options."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.data_jobs import DataWorld

intake = pytest.importorskip("intake")

CATALOG = """\
sources:
  levels:
    driver: csv
    args:
      urlpath: s3://vegeta/scouter.csv
      storage_options: {}
"""


def test_a_catalogs_source_is_read_by_the_account(made: DataWorld, tmp_path: Path) -> None:
    """Its options are an argument of the source; the file has no secret, and need not change."""
    path = tmp_path / "catalog.yml"
    path.write_text(CATALOG)
    options = made.session()["vegeta"].data.pandas()
    source = intake.open_catalog(str(path))["levels"].configure_new(storage_options=options)
    for _ in made.rounds():
        assert source.read()["level"].sum() == 17_001
    made.check()
