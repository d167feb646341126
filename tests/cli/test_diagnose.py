from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import run
from tests.support.worlds import HUB, World
from xsession.policies import trust


@pytest.mark.usefixtures("folder")
def test_diagnose_says_what_is_wrong(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a tree or as JSON, with an exit status; with --using, by the policies themselves."""
    assert run(monkeypatch, "diagnose", "vegeta") == 0
    assert capsys.readouterr().out.startswith("vegeta: ok\n|-- source  ok, as ")
    world.vegeta.set_trust("Reader", trust(HUB))
    admin = world.vegeta.user("admin")
    world.aws.write_profiles(
        f"[profile admin]\naws_access_key_id = {admin.access_key_id}\naws_secret_access_key = {admin.secret_access_key}"
    )
    with Path("xsession.toml").open("a") as file:
        file.write('\n[accounts.admin]\nsource = "admin"\n')
    assert run(monkeypatch, "diagnose", "vegeta") == 1
    assert "possible cause: the role's trust policy does not name" in capsys.readouterr().out
    assert run(monkeypatch, "diagnose", "vegeta", "--using", "admin", "--json") == 1
    assert json.loads(capsys.readouterr().out)["hops"][1]["causes"][0]["certain"] is True
    assert run(monkeypatch, "diagnose", "nobody") == 2
