from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import run
from tests.support.worlds import BATMAN, HUB, VEGETA, World
from xsession.policies import trust
from xsession.testing import Fault


@pytest.mark.usefixtures("folder")
def test_whoami_says_who_we_are(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """In an account; and without a name, as the source."""
    assert run(monkeypatch, "whoami", "vegeta") == 0
    assert capsys.readouterr().out.startswith(f"arn:aws:sts::{VEGETA}:assumed-role/Reader/")
    assert run(monkeypatch, "whoami") == 0
    assert capsys.readouterr().out == f"arn:aws:iam::{BATMAN}:user/bruce\n"


def test_whoami_of_the_source_needs_no_file(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """But a file that is named must be there."""
    (folder / "xsession.toml").unlink()
    assert run(monkeypatch, "whoami") == 0
    assert run(monkeypatch, "--config", "missing.toml", "whoami") == 2
    assert "missing.toml" in capsys.readouterr().err


@pytest.mark.usefixtures("folder")
def test_verify_fails_where_an_account_can_not_be_reached(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each account has its line; the exit status says whether all are fine."""
    assert run(monkeypatch, "verify", "vegeta") == 0
    capsys.readouterr()
    world.vegeta.set_trust(
        "Reader",
        {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
        },
    )
    assert run(monkeypatch, "verify", "vegeta") == 4
    first, count, words = capsys.readouterr().out.splitlines()
    assert (first, count) == ("vegeta: failed: AccessDenied", "1 of 1 accounts failed:")
    assert words.startswith("  vegeta: account 'vegeta', hop 1")


@pytest.mark.usefixtures("folder")
def test_verify_prints_json(world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """For other programs: each account with who we are there, or its error."""
    assert run(monkeypatch, "verify", "--json") == 3
    vegeta, own = json.loads(capsys.readouterr().out)
    arn = vegeta.pop("arn")
    assert vegeta == {"name": "vegeta", "ok": True, "account_id": VEGETA, "notes": [], "error": None}
    assert arn.startswith(f"arn:aws:sts::{VEGETA}:assumed-role/Reader/")
    assert (own["ok"], own["arn"], own["error"]["type"]) == (False, None, "SourceCredentialsError")
    assert own["error"]["hop"] == 0
    world.vegeta.set_trust("Reader", trust(HUB))
    assert run(monkeypatch, "verify", "--json", "vegeta") == 4
    (vegeta,) = json.loads(capsys.readouterr().out)
    assert vegeta["error"]["code"] == "AccessDenied"
    assert vegeta["error"]["role_arn"] == f"arn:aws:iam::{VEGETA}:role/Reader"


def test_verify_fails_where_there_is_nothing_to_verify(
    folder: Path, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file without accounts is no proof that all is well; what could not be used is named."""
    (folder / "xsession.toml").write_text("[accounts]\n")
    assert run(monkeypatch, "--config", "xsession.toml", "verify") == 2
    assert "there is nothing to verify" in capsys.readouterr().err
    assert run(monkeypatch, "--config", "xsession.toml", "verify", "--json") == 2
    assert capsys.readouterr().out == ""
    world.aws.write_profiles("[profile bad]\nrole_arn = x\nsource_profile = default")
    assert run(monkeypatch, "verify") == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("xsession: bad is not checked: ")
    assert lines[-2].startswith("xsession: there is nothing to verify")


def test_verify_says_at_once_what_it_knows(folder: Path, world: World) -> None:
    """Before an account that takes long: here one whose region hangs until the first line was read."""
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'[accounts.slow]\nrole_arn = "{world.chain.roles[0].role_arn}"\n')
    world.aws.fail(Fault(kind="hang", role_arn=world.chain.roles[0].role_arn))
    command = [sys.executable, "-m", "xsession", "verify", "vegeta", "slow"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith(f"vegeta: arn:aws:sts::{VEGETA}:")
        world.aws.recover()
        world.aws.release()
        assert running.stdout.readline().startswith("slow: arn:aws:sts::")
    assert running.returncode == 0


@pytest.mark.usefixtures("folder")
def test_verify_names_options_that_have_no_effect(
    world: World, aws_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under the line of the account whose profile has them, whether it can be reached or not."""
    key = world.key
    (aws_folder / "config").write_text(
        f"[profile team]\naws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
        "external_id = agreed\n"
    )
    assert run(monkeypatch, "verify", "team", "vegeta") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    (place,) = [place for place, line in enumerate(lines) if line.startswith("team: ")]
    assert lines[place + 1] == "  external_id: no effect, since profile 'team' assumes no role"
