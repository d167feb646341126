"""`aio()` where aiobotocore is not installed, is too old, or is a small stand-in. The real one: `make test-async`."""

from __future__ import annotations

import asyncio
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.support.worlds import World
from xsession import ConfigError

OURS = "xsession.integrations._aiobotocore_session"

# As much of it as is built upon: what makes clients is the real one's business.
PARTS = {
    "__init__": "",
    "config": "from botocore.config import Config as AioConfig\n",
    "credentials": "from botocore.credentials import Credentials as AioCredentials\n",
    "session": """
from botocore.session import Session

class AioSession(Session):
    def create_client(self, *args, **kwargs):
        return self._create_client(*args, **kwargs)

    async def _create_client(self, service_name, region_name=None, aws_access_key_id=None, config=None):
        client = Session().create_client(service_name, region_name=region_name or self.get_config_variable("region"))
        client._request_signer._credentials = await self.get_credentials()
        return client
""",
}


@pytest.fixture
def stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the path with something that is called aiobotocore."""
    folder = tmp_path / "site"
    (folder / "aiobotocore").mkdir(parents=True)
    for name, text in PARTS.items():
        (folder / "aiobotocore" / f"{name}.py").write_text(text)
    install(folder, "3.10.0")
    monkeypatch.syspath_prepend(folder)
    for name in (*(f"aiobotocore.{part}" for part in PARTS), "aiobotocore", OURS):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
        del sys.modules[name]
    return folder


def install(folder: Path, version: str) -> None:
    """Has pip's records say that this version is there."""
    for old in folder.glob("aiobotocore-*.dist-info"):
        (old / "METADATA").unlink()
        old.rmdir()
    record = folder / f"aiobotocore-{version}.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: aiobotocore\nVersion: {version}\n")


def test_without_it_the_error_names_the_extra(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """And everything else works."""

    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr("xsession.integrations._aiobotocore.version", missing)
    with pytest.raises(ConfigError, match="not installed") as caught:
        world.session()["vegeta"].aio()
    assert caught.value.hint == 'pip install "xsession[aio]"'


@pytest.mark.parametrize("version", ["2.10.1", "1.4"])
def test_one_that_is_too_old_is_told(world: World, stand_in: Path, version: str) -> None:
    """With the installed version and the one that is needed."""
    install(stand_in, version)
    with pytest.raises(ConfigError, match=rf"2\.11 or later, and {version} is installed"):
        world.session()["vegeta"].aio()


def test_its_clients_await_the_accounts_credentials(world: World, stand_in: Path) -> None:
    """The same that threads get, for one AssumeRole."""
    assert stand_in.is_dir()
    xs = world.session()

    async def main() -> str:
        client: Any = await xs["vegeta"].aio().create_client("s3")
        assert client.meta.region_name == "eu-west-1"
        return str((await client._request_signer._credentials.get_frozen_credentials()).access_key)

    assert asyncio.run(main()) == xs.get_frozen_credentials("vegeta").access_key_id
    assert world.aws.count("AssumeRole") == 1


def test_it_takes_no_keys_and_prints_as_itself(world: World, stand_in: Path) -> None:
    """It is one object for each account, by which libraries cache."""
    assert stand_in.is_dir()
    xs = world.session()
    aio = xs["vegeta"].aio()
    assert aio is xs["vegeta"].aio()
    with pytest.raises(ConfigError, match="aws_access_key_id"):
        aio.create_client("s3", aws_access_key_id="AKIA")
    with pytest.raises(ConfigError, match="aws_access_key_id"):
        aio.set_credentials("AKIA", "a secret")
    assert repr(aio) == repr(xs.session("vegeta").aio()) == aio.__dask_tokenize__()
    assert repr(aio) != repr(xs.session("vegeta", duration_seconds=900).aio())
