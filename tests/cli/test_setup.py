from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import run
from tests.support.worlds import BATMAN, VEGETA, World
from xsession.policies import allow

ROLE = f"""
[roles.BatmanReadsBucket]
description = "Batman reads power levels"
trust = {{ principals = ["{BATMAN}"], external_id = "agreed" }}
permissions = {{ s3_read = {{ bucket = "vegeta-power-levels" }} }}
"""


@pytest.fixture
def admin(folder: Path, world: World) -> str:
    """The name of an account that may set roles up, beside a file that describes one."""
    (folder / "role.toml").write_text(ROLE)
    role = world.vegeta.role("Admin", trusts=BATMAN, permissions=allow("iam:*"))
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'\n[accounts.admin]\nrole_arn = "{role}"\n')
    return "admin"


def test_a_role_is_planned_made_and_removed(
    admin: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The status of a plan says whether anything differs; applied twice, the second time changes nothing."""
    arguments = ["role.toml", "--using", admin]
    assert run(monkeypatch, "setup", "plan", *arguments) == 7
    out = capsys.readouterr().out
    assert out.startswith("role BatmanReadsBucket: 1 difference(s)\n  there is no role BatmanReadsBucket\n")
    assert "agreed" not in out
    assert run(monkeypatch, "setup", "apply", *arguments) == 0
    arn = f"arn:aws:iam::{VEGETA}:role/BatmanReadsBucket"
    assert capsys.readouterr().out.splitlines()[0] == f"{arn}: 1 change(s)"
    assert run(monkeypatch, "setup", "plan", *arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "role": "BatmanReadsBucket",
        "role_arn": arn,
        "differences": [],
        "notes": [],
        "diff": "",
    }
    assert run(monkeypatch, "setup", "apply", *arguments, "--json") == 0
    assert json.loads(capsys.readouterr().out)["differences"] == []
    assert run(monkeypatch, "setup", "remove", *arguments) == 2
    assert "say --yes" in capsys.readouterr().err
    assert run(monkeypatch, "setup", "remove", *arguments, "--yes") == 0
    assert run(monkeypatch, "setup", "remove", *arguments, "--yes", "--json") == 0
    assert run(monkeypatch, "setup", "plan", *arguments) == 7


@pytest.mark.usefixtures("admin")
def test_templates_need_no_credentials(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """CloudFormation's, Terraform's, and the caller's side."""
    assert run(monkeypatch, "setup", "export", "role.toml") == 0
    assert "AWS::IAM::Role" in capsys.readouterr().out
    assert run(monkeypatch, "setup", "export", "role.toml", "--format", "terraform") == 0
    assert "aws_iam_role" in json.loads(capsys.readouterr().out)["resource"]
    caller = ["setup", "export", "role.toml", "--format", "caller-policy"]
    assert run(monkeypatch, *caller) == 2
    capsys.readouterr()
    assert run(monkeypatch, *caller, "--account-id", VEGETA) == 0
    assert "sts:AssumeRole" in capsys.readouterr().out
    assert world.aws.calls == []


@pytest.mark.usefixtures("folder")
def test_who_may_not_is_told_so(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """With the status for what AWS refuses; a file that is missing has another one."""
    (tmp_path / "role.toml").write_text(ROLE)
    role = world.vegeta.role("Weak", trusts=BATMAN, permissions=allow("s3:*"))
    with (tmp_path / "xsession.toml").open("a") as file:
        file.write(f'\n[accounts.weak]\nrole_arn = "{role}"\n')
    assert run(monkeypatch, "setup", "plan", "role.toml", "--using", "weak") == 6
    assert "iam:GetRole" in capsys.readouterr().err
    assert run(monkeypatch, "setup", "plan", "missing.toml", "--using", "vegeta") == 2
