from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.worlds import VEGETA, World


@pytest.fixture(autouse=True)
def _nothing_kept(clean_aws_environment: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 # comes first
    """Keep nothing on the disk, where a test does not say so."""
    monkeypatch.setenv("XSESSION_STORE", "memory")


@pytest.fixture
def folder(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with an xsession.toml that is named, and an environment whose credentials are Batman's."""
    (tmp_path / "xsession.toml").write_text(
        f"""
        [accounts.vegeta]
        account_id = "{VEGETA}"
        role_name = "Reader"
        tags = {{ env = "prod" }}
        [accounts.own]
        source = "default"
        """
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XSESSION_CONFIG", "xsession.toml")
    with world.aws.applied(world.key):
        yield tmp_path
