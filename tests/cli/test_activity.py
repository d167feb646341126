from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.support.command_line import COMMAND, run
from tests.support.worlds import BATMAN, World
from xsession.policies import allow


@pytest.fixture
def reader(folder: Path, world: World) -> str:
    """The name of an account that may read its trail, in which something was done."""
    role = world.vegeta.role("Auditor", trusts=BATMAN, permissions=allow("cloudtrail:LookupEvents", "ec2:*", "iam:*"))
    with (folder / "xsession.toml").open("a") as file:
        file.write(f'\n[accounts.auditor]\nrole_arn = "{role}"\nrole_session_name = "jane"\n')
    session = world.session({"auditor": role}, role_session_name="jane")
    session.get_client("ec2", "auditor").describe_instances()
    return "auditor"


def test_what_was_done_has_a_line_each(
    reader: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who, what and where; and what CloudTrail does not show, beside it."""
    assert run(monkeypatch, "activity", reader, "--since", "1h", "--who", "jane") == 0
    out, err = capsys.readouterr()
    (line,) = [line for line in out.splitlines() if "DescribeInstances" in line]
    assert line.split("  ")[2:] == ["jane", "ec2:DescribeInstances"]
    assert "not shown: CloudTrail's event history has no data events" in err


def test_programs_read_json_line_by_line(
    reader: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """So that they need not wait for the end."""
    assert run(monkeypatch, "activity", reader, "--json", "--using", reader) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (done,) = [each for each in found if each["action"] == "DescribeInstances"]
    assert (done["who"], done["role"], done["service"], done["account"]) == ("jane", "Auditor", "ec2", reader)


def test_a_reader_that_has_seen_enough_is_no_error(reader: str) -> None:
    """With output that is not held back."""
    pipe, environ = subprocess.PIPE, {**os.environ, "PYTHONUNBUFFERED": "1"}
    command = [*COMMAND, "activity", reader, "--json"]
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, env=environ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        running.stdout.close()
        assert running.stderr.read() == ""
    assert running.returncode == 141


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("since", ["yesterday", "2026-11-25", "99d"])
def test_a_time_that_can_not_be_asked_for_is_a_wrong_usage(since: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No time, one without its zone, or one that CloudTrail does not go back to."""
    assert run(monkeypatch, "activity", "vegeta", "--since", since) == 2
