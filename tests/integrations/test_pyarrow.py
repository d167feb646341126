from __future__ import annotations

from typing import Any

from tests.integrations.conftest import Fakes
from xsession import AccountSession


def test_it_reads_through_s3fs(vegeta: AccountSession, fakes: Fakes) -> None:
    """Its own client takes credentials that end."""
    fakes.module("pyarrow")
    fakes.module(
        "pyarrow.fs", PyFileSystem=fakes.recorder("PyFileSystem"), FSSpecHandler=fakes.recorder("FSSpecHandler")
    )
    made: Any = vegeta.data.pyarrow()
    assert made == "PyFileSystem(FSSpecHandler(S3FileSystem()))"
    assert fakes.calls[0] == ("S3FileSystem", {"session": "aio of vegeta"})
