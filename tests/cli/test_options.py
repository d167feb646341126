from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, run
from tests.support.worlds import BATMAN, World
from xsession.cli._credential_process import credential_process
from xsession.policies import trust

SERIAL = f"arn:aws:iam::{BATMAN}:mfa/bruce"


@pytest.fixture
def strict(folder: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, with an account that asks for MFA; nothing says where credentials are kept."""
    role = world.vegeta.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'[accounts.strict]\nrole_arn = "{role}"\nmfa_serial = "{SERIAL}"\n')
    monkeypatch.delenv("XSESSION_STORE")
    monkeypatch.setenv("XSESSION_NO_INPUT", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    return folder


def logged_in(world: World) -> str:
    """Who gives a code once, as a program; what that says on standard error."""
    world.aws.expect_mfa_code(SERIAL, "123456")
    done = subprocess.run(
        [*COMMAND, "login", "strict", "--mfa-code", "-"],
        input="123456\n",
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    return done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="there the store needs a keyring")
def test_a_code_is_for_all_commands_where_nothing_names_a_store(
    strict: Path, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the store on the disk, until `logout`; where its key lies is said once, as our words are."""
    said = logged_in(world)
    assert said.startswith("xsession: store: this machine has no keyring")
    assert len(said.splitlines()) == 2
    assert run(monkeypatch, "env", "strict") == 0
    assert run(monkeypatch, "exec", "strict", "--", sys.executable, "-c", "") == 0
    assert credential_process(["strict"]) == 0
    capsys.readouterr()
    assert run(monkeypatch, "status", "strict", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["state"] == "stored"
    assert row["expires"].endswith("Z")
    assert world.aws.count("AssumeRole") == 1
    assert run(monkeypatch, "logout") == 0
    assert run(monkeypatch, "env", "strict") == 5
    assert run(monkeypatch, "status", "strict", "--json") == 0
    assert '"empty"' in capsys.readouterr().out
    assert list((strict / "cache").rglob("*.entry")) == []


@pytest.mark.parametrize("how", ["a variable", "the file", "not installed"])
def test_what_is_kept_nowhere_is_said(
    strict: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    """By `login`, which is there for the commands that follow; with what to do."""
    if how == "a variable":
        monkeypatch.setenv("XSESSION_STORE", "memory")
    elif how == "the file":
        file = strict / "xsession.toml"
        file.write_text(f'store = "memory"\n{file.read_text()}')
    else:
        monkeypatch.setattr("xsession.stores._place._PACKAGES", ("not-installed-anywhere",))
    assert run(monkeypatch, "login", "vegeta") == 0
    message, hint = capsys.readouterr().err.splitlines()
    assert message == "xsession: nothing is kept for other commands: the store is memory"
    assert hint.startswith("  pip install 'xsession[store]'")
    assert run(monkeypatch, "logout") == (2 if how == "not installed" else 0)
    assert list((strict / "cache").rglob("*.entry")) == []


@pytest.mark.usefixtures("strict")
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs a folder that nobody can write into")
def test_a_store_that_can_not_be_is_one_error_and_no_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As on a disk that is read-only."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    assert run(monkeypatch, "env", "vegeta") == 0
    out, err = capsys.readouterr()
    assert "export AWS_SESSION_TOKEN=" in out
    assert err.startswith("xsession: store: No such file or directory: /proc/none/xsession/store\n  ")
    assert len(err.splitlines()) == 2
