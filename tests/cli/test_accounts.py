from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import run
from tests.support.worlds import VEGETA


@pytest.mark.usefixtures("folder")
def test_accounts_are_listed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With their ids and how they are reached."""
    assert run(monkeypatch, "accounts") == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["account", "vegeta", "own"]
    assert lines[1].split() == ["vegeta", VEGETA, "source", "->", "Reader", f"({VEGETA})", "-", "env=prod"]
    assert lines[2].split() == ["own", "-", "profile", "default", "-", "-"]


@pytest.mark.usefixtures("folder")
def test_accounts_are_listed_as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """For other programs."""
    assert run(monkeypatch, "accounts", "--json") == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first == {
        "name": "vegeta",
        "account_id": VEGETA,
        "source": None,
        "chain": [f"arn:aws:iam::{VEGETA}:role/Reader"],
        "region_name": None,
        "tags": {"env": "prod"},
    }


def test_text_from_outside_moves_no_cursor(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Control characters of a file are written out."""
    (folder / "xsession.toml").write_text('[accounts.own]\nsource = "a\\u001b[2Jb"\n')
    assert run(monkeypatch, "accounts") == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["own", "-", "profile", "a\\x1b[2Jb", "-", "-"]
