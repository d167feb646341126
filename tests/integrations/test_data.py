from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.integrations.conftest import Fakes
from tests.support.programs import run_python
from tools.project import PYPROJECT
from xsession import AccountSession, ConfigError
from xsession.integrations import DataLibraries, _installed

ACCESSORS = [name for name in vars(DataLibraries) if not name.startswith("_")]


def call(data: DataLibraries, accessor: str) -> Any:
    """Calls an accessor."""
    return getattr(data, accessor)(*(["connection"] if accessor == "duckdb" else []))


def test_it_lists_what_is_installed(vegeta: AccountSession, fakes: Fakes, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what is not, by account."""
    fakes.versions = {"polars": "2.1.0", "s3fs": "2026.9.0"}
    monkeypatch.setattr("xsession.integrations._data.installed", fakes.versions.get)
    shown = repr(vegeta.data)
    assert shown.startswith("<data libraries of 'vegeta': s3fs 2026.9.0, polars 2.1.0; not installed: pandas, ")
    monkeypatch.setattr("xsession.integrations._data.installed", lambda _name: "1.0")
    assert "not installed" not in repr(vegeta.data)
    monkeypatch.setattr("xsession.integrations._data.installed", lambda _name: None)
    assert "'vegeta': none; not installed: s3fs" in repr(vegeta.data)


def test_an_account_has_one(vegeta: AccountSession) -> None:
    """It is made when it is asked for."""
    assert vegeta.data is vegeta.data


@pytest.mark.parametrize("accessor", ACCESSORS)
def test_a_missing_library_names_the_extra(accessor: str, vegeta: AccountSession, fakes: Fakes) -> None:
    """Instead of an ImportError from deep inside."""
    fakes.versions.clear()
    with pytest.raises(ConfigError, match=r'is not installed; pip install "xsession\[\w+\]"') as caught:
        call(vegeta.data, accessor)
    assert caught.value.account == "vegeta"


def test_an_old_release_names_both_versions(vegeta: AccountSession, fakes: Fakes) -> None:
    """It would show as an AttributeError of its own later."""
    fakes.versions["aiobotocore"] = "2.25.1"
    with pytest.raises(
        ConfigError, match=r"aiobotocore is installed as 2\.25\.1, and must be 3\.10 or newer.*xsession\[data\]"
    ):
        vegeta.data.s3fs()


def test_the_extras_are_those_of_the_package() -> None:
    """What is asked for and what is installed are one."""
    extras = PYPROJECT["project"]["optional-dependencies"]
    for extra, needed in _installed.NEEDED.items():
        bounds = dict(line.split(">=") for line in extras[extra] if ">=" in line)
        for package, lowest in needed.items():
            assert bounds.get(package, lowest) == lowest
        assert extra in bounds
    listed = {name for line in extras["data"] for name in line.partition("[")[2].rstrip("]").split(",")}
    assert listed == _installed.NEEDED.keys()


def test_none_of_it_is_imported_before_it_is_asked_for() -> None:
    """Programs that read no data pay nothing."""
    code = """
import sys
from xsession import CrossAccountSession
CrossAccountSession({"vegeta": "arn:aws:iam::222222222222:role/R"})["vegeta"]
print(*(name for name in sys.modules if name.startswith("xsession.integrations")))
"""
    assert run_python(code).strip() == ""


def test_every_accessor_is_documented() -> None:
    """In the table of the page."""
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "data.md").read_text(encoding="utf-8")
    assert [name for name in ACCESSORS if f".{name}(" not in page] == []
