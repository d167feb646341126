from __future__ import annotations

import importlib
import sys
from typing import Any

import pytest

from tests.integrations.conftest import Fakes
from xsession import AccountSession


class FsspecFileIO:
    """As PyIceberg's, as far as file systems go."""

    def __init__(self, properties: dict[str, Any]) -> None:
        self.properties = properties
        self._scheme_to_fs: dict[str, Any] = {"s3": None, "file": "local"}


@pytest.fixture
def iceberg(fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The integration over a stand-in."""
    for name in ("pyiceberg", "pyiceberg.io"):
        fakes.module(name)
    fakes.module("pyiceberg.io.fsspec", FsspecFileIO=FsspecFileIO)
    monkeypatch.delitem(sys.modules, "xsession.integrations._pyiceberg", raising=False)
    yield importlib.import_module("xsession.integrations._pyiceberg")
    sys.modules.pop("xsession.integrations._pyiceberg", None)


def test_its_files_are_the_accounts(vegeta: AccountSession, iceberg: Any) -> None:
    """By a FileIO that PyIceberg makes by its name."""
    properties = vegeta.data.pyiceberg()
    module, _, name = properties["py-io-impl"].rpartition(".")
    assert getattr(importlib.import_module(module), name) is iceberg.AccountFileIO
    io = iceberg.AccountFileIO(properties)
    assert io._scheme_to_fs["s3"](properties, "host") == "S3FileSystem()"
    assert io._scheme_to_fs["file"] == "local"


def test_its_catalogs_are_the_accounts(vegeta: AccountSession, iceberg: Any) -> None:
    """Glue and DynamoDB ask a botocore session, which refreshes; nothing there is a secret."""
    assert iceberg
    properties = vegeta.data.pyiceberg()
    assert properties["botocore_session"].get_credentials() is vegeta.get_credentials()
    assert properties["client.region"] == "eu-west-1"
    secret = vegeta.get_credentials().get_frozen_credentials().secret_key
    assert secret
    assert secret not in repr(properties)
