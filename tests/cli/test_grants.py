from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, run
from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession.audit import AuditLog
from xsession.policies import allow


@pytest.fixture
def admin(folder: Path, world: World) -> str:
    """The name of an account by which revocations are written."""
    role = world.vegeta.role("Admin", trusts=BATMAN, permissions=allow("iam:*"))
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'\n[accounts.admin]\nrole_arn = "{role}"\n')
    return "admin"


def in_variables(text: str) -> dict[str, str]:
    """What a shell makes of lines that it is to evaluate."""
    script = f"{text}\nenv -0"
    shown = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={}).stdout
    return dict(line.partition("=")[::2] for line in shown.split("\0") if line)


@pytest.mark.usefixtures("folder")
def test_a_grant_is_handed_over_by_standard_output(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Lines for a shell and nothing else; to whom, until when and how it ends early is said beside them."""
    log = tmp_path / "audit.jsonl"
    status = run(monkeypatch, "grant", "vegeta", "--to", "jane", "--duration", "1h30m", "--log", str(log))
    out, err = capsys.readouterr()
    assert status == 0
    variables = in_variables(out)
    assert variables["AWS_CREDENTIAL_EXPIRATION"].endswith("Z")
    (identifier,) = re.findall(r"grant (\S+) of vegeta to jane, until 20", err)
    assert f"xsession revoke vegeta --grant {identifier} --using" in err
    assert variables["AWS_SECRET_ACCESS_KEY"] not in err
    client = world.aws.session().client(
        "sts",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=variables["AWS_SESSION_TOKEN"],
    )
    assert who(client) == VEGETA
    assert [record.fields["to"] for record in AuditLog(log) if record.event == "Granted"] == ["jane"]


@pytest.mark.usefixtures("folder")
def test_a_grant_is_narrowed_by_a_file(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A policy as IAM has it; one that is none is refused before the network."""
    file = tmp_path / "policy.json"
    file.write_text(allow("s3:GetObject").to_json())
    arguments = ["grant", "vegeta", "--to", "jane", "--duration", "2h", "--policy", str(file)]
    assert run(monkeypatch, *arguments, "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert document.keys() == {"id", "account", "to", "deadline", "environ"}
    file.write_text("{}")
    assert run(monkeypatch, *arguments) == 2
    file.unlink()
    assert run(monkeypatch, *arguments) == 1
    assert capsys.readouterr().out == ""


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("duration", ["", "2 hours", "h", "-1h"])
def test_a_duration_that_is_none_is_a_wrong_usage(
    duration: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In two lines."""
    assert run(monkeypatch, "grant", "vegeta", "--to", "jane", f"--duration={duration}") == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "is no length of time such as" in first
    assert second == "  see xsession grant --help"


def test_a_grant_is_revoked_from_another_process(
    admin: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its id; and everybody's sessions only where that is said."""
    assert run(monkeypatch, "grant", "vegeta", "--to", "jane", "--duration", "2h", "--json") == 0
    identifier = json.loads(capsys.readouterr().out)["id"]
    done = subprocess.run(
        [*COMMAND, "revoke", "vegeta", "--grant", identifier, "--using", admin],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    expected = f"vegeta: XSessionRevoke-{identifier} on arn:aws:iam::{VEGETA}:role/Reader is in force\n"
    assert done.stdout == expected
    assert run(monkeypatch, "revoke", "vegeta", "--using", admin) == 2
    assert "say whose: --grant ID, --who NAME, or --everybody" in capsys.readouterr().err
    assert run(monkeypatch, "revoke", "vegeta", "--using", admin, "--everybody", "--json") == 0
    assert json.loads(capsys.readouterr().out)["confirmed"] is True


def test_a_revocation_that_iam_refuses_says_so(
    folder: Path, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the status for what AWS refuses."""
    role = world.vegeta.role("Weak", trusts=BATMAN, permissions=allow("s3:*"))
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'\n[accounts.weak]\nrole_arn = "{role}"\n')
    assert run(monkeypatch, "revoke", "vegeta", "--using", "weak", "--everybody") == 6
    assert "iam:GetRole" in capsys.readouterr().err
    assert run(monkeypatch, "revoke", "vegeta", "--using", "weak", "--everybody", "--before", "yesterday") == 2
