from __future__ import annotations

import json

import pytest

from tests.support.command_line import run
from tests.support.worlds import VEGETA, World


@pytest.mark.usefixtures("folder")
def test_each_hop_has_a_row_and_nobody_is_asked(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of all accounts, or of those that are named."""
    assert run(monkeypatch, "status") == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split() == ["account", "hop", "role", "state", "expires", "last", "error"]
    assert row.split()[:3] == ["vegeta", "1", f"arn:aws:iam::{VEGETA}:role/Reader"]
    assert run(monkeypatch, "status", "vegeta", "--json") == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert document["account"] == "vegeta"
    assert document["expires"] is None
    assert run(monkeypatch, "status", "own", "--json") == 0
    assert json.loads(capsys.readouterr().out) == []
    assert world.aws.calls == []
