"""Libraries that take a boto3 session or client, as the page shows them; and the recipes of other data libraries."""

from __future__ import annotations

import re
import runpy
import textwrap
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from tests.support.data_jobs import CSV, DataWorld
from tests.support.worlds import VEGETA
from tools.project import ROOT
from xsession import CrossAccountSession
from xsession.testing import LocalAWS, Story

RECIPES = re.findall(r"```py\n(.*?)```", (ROOT / "docs/recipes/data.md").read_text(encoding="utf-8"), re.DOTALL)


def test_recipes_that_need_a_library_work(local_aws: LocalAWS, tmp_path: Path) -> None:
    """Those of the page that are left out where its others run."""
    pytest.importorskip("s3fs")
    story = Story.told_by(local_aws)
    with local_aws.applied(story.key), CrossAccountSession({"vegeta": story.vegeta_role}) as xs:
        assert len(RECIPES) == 2
        for recipe in RECIPES:
            (tmp_path / "recipe.py").write_text(recipe)
            runpy.run_path(str(tmp_path / "recipe.py"), {"xs": xs})


@pytest.mark.own_python
def test_the_front_page_reads_a_csv(local_aws: LocalAWS, tmp_path: Path) -> None:
    """Its example for notebooks, which is left out where its others run."""
    pytest.importorskip("polars")
    (example,) = re.findall(r"```py\n(.*?)```", (ROOT / "docs/index.md").read_text(encoding="utf-8"), re.DOTALL)
    story = Story.told_by(local_aws)
    with local_aws.applied(story.key), CrossAccountSession({"vegeta": story.vegeta_role}) as xs:
        (tmp_path / "cell.py").write_text(textwrap.dedent(example))
        frame = runpy.run_path(str(tmp_path / "cell.py"), {"xs": xs})["lf"]
        assert frame.collect()["name"].to_list() == ["goku", "vegeta"]


def test_smart_open(made: DataWorld) -> None:
    """One open file is read over three sessions while another is written, a part in each."""
    smart_open = pytest.importorskip("smart_open")
    client = made.session()["vegeta"].client("s3")
    made.vegeta.root.client("s3").put_object(Bucket="vegeta", Key="big", Body=bytes(4 << 20))
    made.aws.clear_calls()
    given, part = {"client": client, "buffer_size": 1 << 20, "min_part_size": 5 << 20}, bytes(5 << 20)
    with (
        smart_open.open("s3://vegeta/big", "rb", transport_params=given) as file,
        smart_open.open("s3://vegeta/out", "wb", transport_params=given) as out,
    ):
        for _ in made.rounds():
            assert len(file.read(1 << 20)) == 1 << 20
            out.write(part)
    made.check()
    assert sum(call.operation == "UploadPart" for call in made.s3()) == 4
    assert client.head_object(Bucket="vegeta", Key="out")["ContentLength"] == 4 * len(part)


def test_cloudpathlib(made: DataWorld, tmp_path: Path) -> None:
    """Its client keeps the session."""
    cloudpathlib = pytest.importorskip("cloudpathlib")
    client = cloudpathlib.S3Client(boto3_session=made.session()["vegeta"], local_cache_dir=tmp_path)
    path = client.CloudPath("s3://vegeta/scouter.csv")
    for _ in made.rounds():
        assert path.exists()
        assert path.stat().st_size == len(CSV)
    assert path.read_bytes() == CSV
    made.check()


def test_django_storages(made: DataWorld) -> None:
    """A subclass gives the account's session; threads share one AssumeRole for each lifetime."""
    django = pytest.importorskip("django.conf")
    storages = pytest.importorskip("storages.backends.s3")
    if not django.settings.configured:
        django.settings.configure()
    session = made.session()["vegeta"]

    class AccountStorage(storages.S3Storage):  # type: ignore[misc, name-defined]  # it has no types
        def _create_session(self) -> Any:
            return session

    storage = AccountStorage(bucket_name="vegeta", region_name="eu-west-1")
    errors = list[object]()

    def read() -> None:
        with storage.open("scouter.csv") as file:
            if file.read() != CSV:
                errors.append("other bytes")

    for _ in made.rounds():
        threads = [threading.Thread(target=read) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []
    made.check()


class AthenaWorld:
    """Queries of Vegeta's, over several sessions.

    Args:
        made: Where.
    """

    def __init__(self, made: DataWorld) -> None:
        self._made = made
        self._owner = made.vegeta.root.client("s3")
        self.session = made.session()["vegeta"]
        self.session.events.register("after-call.athena.StartQueryExecution", self._write)

    def rounds(self) -> Iterator[int]:
        """As of the world; then looks that all requests, of Athena and for its results, were the account's."""
        yield from self._made.rounds()
        asked = [call for call in self._made.aws.calls if call.service in {"athena", "s3"}]
        reads = [call for call in asked if call.operation != "PutObject"]  # which is the owner's
        assert {(call.account_id, call.error_code, str(call.access_key_id)[:4]) for call in reads} == {
            (VEGETA, None, "ASIA")
        }
        assert self._made.assumed() > 3

    def _write(self, parsed: Mapping[str, str], **_arguments: object) -> None:
        # As Athena does; the local one leaves it out.
        self._owner.put_object(Bucket="vegeta", Key=f"athena/{parsed['QueryExecutionId']}.csv", Body=CSV)


@pytest.fixture
def athena(made: DataWorld) -> Iterator[AthenaWorld]:
    """Where PyAthena is; what it puts in the place of s3fs in the whole process is taken away again."""
    pytest.importorskip("pyathena")
    registry = pytest.importorskip("fsspec.registry")._registry
    before = dict(registry)
    yield AthenaWorld(made)
    registry.clear()
    registry.update(before)


STAGING = {"s3_staging_dir": "s3://vegeta/athena/", "region_name": "eu-west-1"}


def test_pyathena_reads_its_results_into_pandas(athena: AthenaWorld) -> None:
    """By a file system of its own, which asks the connection's session; one connection over three of ours."""
    pyathena = pytest.importorskip("pyathena")
    cursors = pytest.importorskip("pyathena.pandas.cursor")
    connection = pyathena.connect(session=athena.session, cursor_class=cursors.PandasCursor, **STAGING)
    for _ in athena.rounds():
        assert connection.cursor().execute("select *").as_pandas()["level"].sum() == 17_001


def test_pyathena_reads_its_results_into_arrow(athena: AthenaWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """By PyArrow's file system: one for each query, with the keys of that moment, and always of AWS's own endpoint."""
    pyathena = pytest.importorskip("pyathena")
    cursors = pytest.importorskip("pyathena.arrow.cursor")
    fs = pytest.importorskip("pyarrow.fs")
    server = urlsplit(athena.session.client("s3").meta.endpoint_url)
    here = partial(fs.S3FileSystem, endpoint_override=server.netloc, scheme=server.scheme)
    monkeypatch.setattr(fs, "S3FileSystem", here)
    connection = pyathena.connect(session=athena.session, cursor_class=cursors.ArrowCursor, **STAGING)
    for _ in athena.rounds():
        table = connection.cursor().execute("select *").as_arrow()
        assert sum(table.column("level").to_pylist()) == 17_001


def test_pyathena_in_sqlalchemy(athena: AthenaWorld) -> None:
    """An engine and its pool last longer than sessions; its address has no secret."""
    sqlalchemy = pytest.importorskip("sqlalchemy")
    address = f"awsathena+rest://@athena.eu-west-1.amazonaws.com:443/default?{urlencode(STAGING)}"
    options = {"connect_args": {"session": athena.session}, "pool_size": 1, "pool_recycle": 5}
    engine = sqlalchemy.create_engine(address, **options)
    for _ in athena.rounds():
        with engine.connect() as connection:
            assert connection.execute(sqlalchemy.text("select 1")).fetchall() == []
    engine.dispose()
    keys = athena.session.get_credentials().get_frozen_credentials()
    shown = engine.url.render_as_string(hide_password=False) + repr(engine)
    assert not any(secret in shown for secret in keys)
