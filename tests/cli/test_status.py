from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from keyring.backends import fail

from tests.support.command_line import run
from tests.support.worlds import VEGETA, World


@pytest.mark.usefixtures("folder")
def test_each_hop_has_a_row_and_nobody_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all accounts, or of those that are named."""
    assert run(monkeypatch, "status") == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["account", "hop", "role", "state", "expires"]
    assert row.split()[:3] == ["vegeta", "1", f"arn:aws:iam::{VEGETA}:role/Reader"]
    assert run(monkeypatch, "status", "vegeta", "--json") == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert document["account"] == "vegeta"
    assert document["expires"] is None
    assert run(monkeypatch, "status", "own", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert world.aws.calls == []


def test_each_hop_that_is_stored_says_so(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The hub's too: who asks for another account behind it need not assume it."""
    hub, last = (role.role_arn for role in world.chain.roles)
    (folder / "xsession.toml").write_text(
        f'[accounts.deep]\nchain = ["{hub}", "{last}"]\n[accounts.hub]\nrole_arn = "{hub}"\n'
    )
    monkeypatch.setenv("XSESSION_STORE", str(folder / "store"))
    monkeypatch.setattr("keyring.get_keyring", fail.Keyring)
    assert run(monkeypatch, "whoami", "hub") == 0
    capsys.readouterr()
    assert run(monkeypatch, "status", "deep", "--json") == 0
    assert [(row["hop"], row["state"]) for row in json.loads(capsys.readouterr().out)] == [
        (1, "stored"),
        (2, "empty"),
    ]
    assert run(monkeypatch, "whoami", "deep") == 0
    capsys.readouterr()
    assert run(monkeypatch, "status", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["state"] for row in rows] == ["stored"] * 3
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["expires"]) for row in rows)
