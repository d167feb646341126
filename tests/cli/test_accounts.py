from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.accounts.test_selection import ORGANIZATION
from tests.support.command_line import run
from tests.support.worlds import VEGETA
from xsession.accounts import KeptOrganizations


@pytest.mark.usefixtures("folder")
def test_accounts_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With their ids and how they are reached."""
    assert run(monkeypatch, "accounts") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["account", "vegeta", "own"]
    assert lines[1].split() == ["vegeta", VEGETA, "source", "->", "Reader", f"({VEGETA})", "-", "env=prod"]
    assert lines[2].split() == ["own", "-", "profile", "default", "-", "-"]


def test_accounts_are_listed_as_json(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """For other programs, and for whoever looks for the file in which an account stands."""
    assert run(monkeypatch, "accounts", "--json") == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first == {
        "name": "vegeta",
        "account_id": VEGETA,
        "source": None,
        "chain": [f"arn:aws:iam::{VEGETA}:role/Reader"],
        "region_name": None,
        "tags": {"env": "prod"},
        "origin": f"{folder / 'xsession.toml'}:2: accounts.vegeta",
    }


def test_accounts_of_an_organization_say_what_aws_calls_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As the list on disk has them; nothing is asked of AWS, and what was never listed is said."""
    (folder / "xsession.toml").write_text(
        "[accounts.management]\naccount_id = '111111111111'\nrole_name = 'Lister'\n"
        "[organization]\naccount = 'management'\nrole_name = 'Reader'\n"
    )
    monkeypatch.setenv("XSESSION_CONFIG", str(folder / "xsession.toml"))
    assert run(monkeypatch, "accounts") == 0
    assert "the organization that management lists was not asked yet" in capsys.readouterr().err
    assert run(monkeypatch, "status") == 0
    capsys.readouterr()
    KeptOrganizations.named_by(os.environ).keep("111111111111", ORGANIZATION)
    assert run(monkeypatch, "accounts", "shop*") == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert "called by AWS" in header
    assert lines[1].split()[:5] == ["shop-eu", "000000000003", "shop", "eu", "Workloads/Prod/EU"]
    assert run(monkeypatch, "accounts", "--json", "shop-eu") == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert (document["aws_name"], document["ou_path"]) == ("shop eu", "Workloads/Prod/EU")


def test_text_from_outside_moves_no_cursor(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Control characters of a file are written out."""
    (folder / "xsession.toml").write_text('[accounts.own]\nsource = "a\\u001b[2Jb"\n')
    assert run(monkeypatch, "accounts") == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["own", "-", "profile", "a\\x1b[2Jb", "-", "-"]
