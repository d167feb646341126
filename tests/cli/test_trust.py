from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.command_line import run


def test_a_found_file_is_trusted(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the command that the error names; what it names is shown, and a changed file is asked for again."""
    monkeypatch.delenv("XSESSION_CONFIG")
    file = folder / "xsession.toml"
    assert run(monkeypatch, "accounts") == 2
    assert f"run: xsession trust {file}; in CI, name it in XSESSION_CONFIG" in capsys.readouterr().err
    assert run(monkeypatch, "trust") == 0
    assert capsys.readouterr().out == f"{file}: trusted\n  accounts.own.source = default\n"
    assert run(monkeypatch, "trust", "--list") == 0
    assert capsys.readouterr().out == f"{file}\n"
    assert run(monkeypatch, "trust", "--json") == 0
    assert json.loads(capsys.readouterr().out) == [{"path": str(file), "values": {"accounts.own.source": "default"}}]
    assert run(monkeypatch, "accounts") == 0
    file.write_text(file.read_text().replace('"default"', '"a\\u001b[2Jb"'))
    assert run(monkeypatch, "accounts") == 2
    assert "has changed since it was trusted: accounts.own.source has another value" in capsys.readouterr().err
    assert run(monkeypatch, "trust", "xsession.toml") == 0
    assert capsys.readouterr().out.endswith("  accounts.own.source = a\\x1b[2Jb\n")
    assert run(monkeypatch, "trust", "--remove", "xsession.toml") == 0
    assert run(monkeypatch, "trust", "--remove", "xsession.toml") == 0
    assert capsys.readouterr().out == "xsession.toml: not trusted any more\nxsession.toml: was not trusted\n"
    assert run(monkeypatch, "accounts") == 2


def test_what_can_not_be_trusted_is_said(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that is not there, or no path to remove; a file that needs no trust is no error."""
    assert run(monkeypatch, "trust", "--remove") == 2
    assert run(monkeypatch, "trust", "missing.toml") == 2
    assert run(monkeypatch, "trust", "--list") == 0
    (folder / "xsession.toml").write_text("")
    assert run(monkeypatch, "trust") == 0
    assert capsys.readouterr().out == f"{folder / 'xsession.toml'}: needs no trust\n"
    (folder / "xsession.toml").unlink()
    assert run(monkeypatch, "trust") == 2
    assert "there is no file to trust" in capsys.readouterr().err
