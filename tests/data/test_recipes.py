"""Libraries that take a boto3 session or client, as the page shows them; and the recipes of other data libraries."""

from __future__ import annotations

import re
import runpy
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.data_jobs import CSV, DataWorld
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


def test_smart_open(made: DataWorld) -> None:
    """One open file is read over three sessions; a write in parts works too."""
    smart_open = pytest.importorskip("smart_open")
    client = made.session()["vegeta"].client("s3")
    made.vegeta.root.client("s3").put_object(Bucket="vegeta", Key="big", Body=bytes(4 << 20))
    made.aws.clear_calls()
    given = {"client": client, "buffer_size": 1 << 20}
    with smart_open.open("s3://vegeta/big", "rb", transport_params=given) as file:
        for _ in made.rounds():
            assert len(file.read(1 << 20)) == 1 << 20
    with smart_open.open("s3://vegeta/out", "wb", transport_params={"client": client}) as file:
        file.write(CSV)
    made.check()


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


def test_pyathena(made: DataWorld) -> None:
    """Its client asks the account's credentials at each request, and its address in SQLAlchemy names no secret."""
    pyathena = pytest.importorskip("pyathena")
    session = made.session()["vegeta"]
    connection = pyathena.connect(session=session, s3_staging_dir="s3://vegeta/athena/", region_name="eu-west-1")
    assert connection.client._request_signer._credentials is session.get_credentials()
