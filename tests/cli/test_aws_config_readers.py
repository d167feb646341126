"""The profiles that `aws-config` writes, in the hands of those that read them: `make test-shell` runs these."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.answering import WHO_BY_CLI
from tests.support.command_line import run
from tests.support.terminals import Terminal
from tests.support.worlds import BATMAN, VEGETA, World
from tools.project import ROOT
from xsession.policies import trust

TOOLS = ROOT / ".venvs" / "shell"
SERIAL = f"arn:aws:iam::{BATMAN}:mfa/bruce"

pytestmark = [
    pytest.mark.shell,
    pytest.mark.skipif(not (TOOLS / ".shell").exists(), reason="the tools are not installed: run make test-shell"),
]


@pytest.fixture
def environ(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Ours, with a config file of AWS's that is not there yet, a store that is empty, and the tools on the path."""
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    store = {"XSESSION_STORE": str(folder / "store"), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    return {
        **os.environ,
        **store,
        "HOME": str(folder),
        "PATH": f"{TOOLS / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }


def test_the_aws_cli_knows_the_profiles(aws_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by its name, beside those that a person wrote, with its settings."""
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


def test_ten_of_the_aws_cli_at_once_assume_the_role_once(
    world: World, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each runs us by the profile's credential_process, and nothing is stored yet."""
    assert run(monkeypatch, "aws-config", "vegeta", "--write") == 0
    command = [*WHO_BY_CLI, "--profile", "vegeta"]
    running = [
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(10)
    ]
    done = [process.communicate(timeout=300) for process in running]
    assert [out for out, _ in done] == [f"{VEGETA}\n"] * 10, done
    assert world.aws.count("AssumeRole") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are different there")
def test_the_question_for_a_code_is_on_the_aws_clis_terminal(
    world: World, folder: Path, environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes our standard output and our standard error for itself (H23)."""
    role = world.vegeta.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'[accounts.strict]\nrole_arn = "{role}"\nmfa_serial = "{SERIAL}"\n')
    world.aws.expect_mfa_code(SERIAL, "123456")
    assert run(monkeypatch, "aws-config", "strict", "--write") == 0
    with Terminal([*WHO_BY_CLI, "--profile", "strict"], environ) as terminal:
        terminal.wait_for(f"Code of the MFA device {SERIAL}".encode())
        terminal.wait_for(b": ")
        terminal.type(b"123456\n")
        terminal.wait_for(VEGETA.encode())
        assert terminal.ended() == 0


def _aws(*arguments: str) -> str:
    command = [str(TOOLS / "bin" / "aws"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stdout
