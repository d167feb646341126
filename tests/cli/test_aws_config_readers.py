"""The profiles that `aws-config` writes, in the hands of those that read them: `make test-shell` runs these."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import run
from tools.project import ROOT

pytestmark = pytest.mark.shell

TOOLS = ROOT / ".venvs" / "shell"


def test_the_aws_cli_knows_the_profiles(aws_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its name, beside those that a person wrote, with its settings."""
    if not (TOOLS / ".shell").exists():
        pytest.skip("the tools are not installed: run make test-shell")
    config = aws_folder / "config"
    config.write_text("# mine\n[profile own]\nregion = eu-west-1\n")
    accounts = "".join(
        f'[accounts.{name}]\nrole_arn = "arn:aws:iam::222222222222:role/R"\nregion_name = "eu-west-3"\n'
        for name in ("vegeta", "Company-production-")
    )
    (tmp_path / "x y.toml").write_text(accounts)
    assert run(monkeypatch, "--config", str(tmp_path / "x y.toml"), "aws-config", "--write") == 0
    regions = {"own": "eu-west-1", "vegeta": "eu-west-3", "Company-production-": "eu-west-3"}
    assert {name: _aws("configure", "get", "region", "--profile", name).strip() for name in regions} == regions


def _aws(*arguments: str) -> str:
    command = [str(TOOLS / "bin" / "aws"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout
