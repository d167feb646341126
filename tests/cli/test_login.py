from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, run
from tests.support.stores import as_root
from tests.support.terminals import Terminal
from tests.support.worlds import BATMAN, VEGETA, World
from xsession import Credentials
from xsession.cli._login import login_command
from xsession.policies import trust
from xsession.stores import FileStore

pytestmark = pytest.mark.usefixtures("folder")

SERIAL = f"arn:aws:iam::{BATMAN}:mfa/bruce"


def test_it_says_who_we_are_and_until_when(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line."""
    assert run(monkeypatch, "login", "vegeta") == 0
    assert capsys.readouterr().out.startswith(f"vegeta: arn:aws:sts::{VEGETA}:assumed-role/Reader/")
    assert run(monkeypatch, "login", "vegeta", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"account", "arn", "access_key_id", "expires"}
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["expires"])
    assert run(monkeypatch, "login", "nobody") == 2


def test_it_asks_for_a_code(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Or says that nobody is there."""
    role = world.vegeta.role("Strict", trusts=trust(BATMAN, mfa_required=True))
    with Path("xsession.toml").open("a") as file:
        file.write(f'[accounts.strict]\nrole_arn = "{role}"\nmfa_serial = "{SERIAL}"\n')
    monkeypatch.setenv("XSESSION_NO_INPUT", "1")
    assert run(monkeypatch, "login", "strict") == 5
    assert "XSESSION_NO_INPUT says that nobody is asked" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hint", "command"),
    [
        ("run: aws sso login --profile my team's", ["aws", "sso", "login", "--profile", "my team's"]),
        ("run: aws sso login", ["aws", "sso", "login"]),
        ("run: aws login --profile vegeta", ["aws", "login", "--profile", "vegeta"]),
        ("run: pip install 'botocore[crt]'", None),
        ("run: aws s3 rm", None),
        ("correct the profile", None),
        (None, None),
    ],
)
def test_the_login_that_an_error_names_is_known(hint: str | None, command: list[str] | None) -> None:
    """And nothing else is run."""
    assert login_command(hint) == command


SSO = """
[accounts.sso]
source = "team"
"""
PROFILE = """
[profile team]
sso_session = team
sso_account_id = 222222222222
sso_role_name = Reader
region = eu-west-1
[sso-session team]
sso_region = eu-west-1
sso_start_url = https://team.awsapps.com/start
"""


@pytest.fixture
def ended_login(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An account whose login has ended, and an AWS CLI that writes down how it was called."""
    with Path("xsession.toml").open("a") as file:
        file.write(SSO)
    Path("config").write_text(PROFILE)
    monkeypatch.setenv("AWS_CONFIG_FILE", "config")
    monkeypatch.setenv("HOME", str(tmp_path))
    tools = tmp_path / "tools"
    tools.mkdir()
    aws = tools / "aws"
    aws.write_text(f'#!/bin/sh\nprintf "%s|" "$@" >>{tmp_path}/called\necho "go to your browser"\nexit 1\n')
    aws.chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="terminals are different there")
def test_a_login_of_the_aws_cli_is_run_at_a_terminal(ended_login: Path) -> None:
    """What failed is said where it fails."""
    with Terminal([*COMMAND, "login", "sso"], os.environ) as terminal:
        terminal.wait_for(b"running aws sso login --profile team")
        terminal.wait_for(b"go to your browser")
        assert terminal.ended() == 5
    assert (ended_login / "called").read_text() == "sso|login|--profile|team|"


def test_without_a_person_a_login_is_only_named(
    ended_login: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It opens no browser."""
    monkeypatch.setenv("XSESSION_NO_INPUT", "1")
    assert run(monkeypatch, "login", "sso") == 5
    assert "  run: aws sso login --profile team\n" in capsys.readouterr().err
    assert not (ended_login / "called").exists()


@pytest.mark.filterwarnings("ignore::xsession.errors.KeyFileWarning")
def test_logout_removes_what_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Damaged entries too; what was issued before is not kept again. Files of AWS's stay as they are."""
    monkeypatch.setenv("XSESSION_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    aws_file = tmp_path / "credentials"
    aws_file.write_text("[default]\n")
    aws_file.chmod(0o400)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(aws_file))
    held = FileStore(on_event=lambda _event: None)
    now = datetime.now(UTC)
    held.put(
        "key",
        Credentials(
            access_key_id="ASIA1",
            secret_access_key="hush",
            session_token="hush",
            issued_at=now,
            lifetime=3_600.0,
            expiry=now + timedelta(hours=1),
        ),
    )
    assert FileStore().get("key") is not None
    for path in [path for path in (tmp_path / "store").rglob("*") if path.is_file()]:
        path.with_name(f"{path.name}x").write_bytes(b"")
    assert run(monkeypatch, "logout") == 0
    assert run(monkeypatch, "logout") == 0
    assert FileStore().get("key") is None
    assert (aws_file.read_text(), aws_file.stat().st_mode & 0o777) == ("[default]\n", 0o400)


@pytest.mark.filterwarnings("ignore::xsession.errors.KeyFileWarning")
def test_logout_finds_the_folder_that_a_file_names(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Beside the user's own; and needs no file that is right."""
    monkeypatch.delenv("XSESSION_STORE")
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = Path("xsession.toml")
    file.write_text(f'store = "{tmp_path / "named"}"\n{file.read_text()}')
    assert run(monkeypatch, "env", "vegeta") == 0
    before = {path.name for path in (tmp_path / "named").rglob("*") if path.is_file()}
    assert run(monkeypatch, "logout") == 0
    after = {path.name for path in (tmp_path / "named").rglob("*") if path.is_file()}
    assert before - after
    file.write_text("[")
    assert run(monkeypatch, "logout") == 0


@as_root
@pytest.mark.filterwarnings("ignore::xsession.errors.KeyFileWarning")
def test_logout_says_what_it_could_not_remove(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody should think that nothing is left."""
    store = folder / "store"
    store.mkdir(mode=0o700)
    monkeypatch.setenv("XSESSION_STORE", str(store))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", str(store)], check=True)
    try:
        assert run(monkeypatch, "env", "vegeta") == 0
        subprocess.run(["mount", "-o", "remount,ro", str(store)], check=True)
        capsys.readouterr()
        assert run(monkeypatch, "logout", "--json") == 1
        out, err = capsys.readouterr()
        assert json.loads(out) == [{"path": str(store), "removed": False}]
        assert "xsession: store: Read-only file system" in err
        assert err.endswith(f"xsession: not everything could be removed from {store}\n")
        subprocess.run(["mount", "-o", "remount,rw", str(store)], check=True)
        assert run(monkeypatch, "logout", "--json") == 0
        assert json.loads(capsys.readouterr().out) == [{"path": str(store), "removed": True}]
    finally:
        subprocess.run(["umount", str(store)], check=True)
