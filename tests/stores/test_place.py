from __future__ import annotations

import importlib.util
import os
import pwd
from pathlib import Path
from typing import Any

import pytest

from tests.support.programs import run_python
from tests.support.stores import as_root, credentials, in_child, problems, watched
from xsession.errors import ConfigError
from xsession.stores import FileStore
from xsession.stores._place import store_path


def test_a_path_in_code_comes_before_the_variable(tmp_path: Path) -> None:
    """And the variable before the user's folder for caches."""
    environ = {"XSESSION_STORE": str(tmp_path / "named")}
    assert store_path(tmp_path / "code", environ) == tmp_path / "code"
    assert store_path(None, environ) == tmp_path / "named"


@pytest.mark.parametrize("value", ["", "file", "memory"])
def test_a_variable_that_names_no_path_leaves_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    """XDG_CACHE_HOME says where that is."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert store_path(None, {"XSESSION_STORE": value}) == tmp_path / "xsession" / "store"


def test_without_xdg_it_is_below_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tilde stands for the home too."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert store_path(None, {}) == tmp_path / ".cache" / "xsession" / "store"
    assert store_path("~/mine", {}) == tmp_path / "mine"


@pytest.mark.parametrize("path", ["cache", "./cache", "../cache", "", "~nobody-of-that-name/cache", "/nul\0"])
def test_what_is_no_absolute_path_is_refused(path: str) -> None:
    """In code and in the variable; the hint says why."""
    with pytest.raises(ConfigError, match="must be an absolute path") as caught:
        store_path(path, {})
    assert caught.value.hint is not None
    if path:
        with pytest.raises(ConfigError, match="XSESSION_STORE must be an absolute path"):
            store_path(None, {"XSESSION_STORE": path})


def test_a_user_without_a_home_has_a_store_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container whose user is in no list of users: one event, no error."""

    def nobody(_uid: int) -> Any:
        msg = "getpwuid(): uid not found"
        raise KeyError(msg)

    for name in ("HOME", "XDG_CACHE_HOME", "XSESSION_STORE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    store, events = watched(None)
    for _ in range(2):
        store.put("vegeta", credentials())
        assert store.get("vegeta") is not None
        store.delete("vegeta")
        assert store.get("vegeta") is None
        store.mark(1.0)
        assert not store.is_marked("vegeta", None, None, 2.0)
        store.clear()
    assert problems(events) == ["the folder can't be used"]
    assert repr(store) == "<FileStore: None>"


@pytest.mark.parametrize("package", ["cryptography", "filelock", "keyring", "platformdirs"])
def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    """Before anything is stored."""
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == package else real(name))
    with pytest.raises(ConfigError, match=rf"needs {package}.*xsession\[store\]"):
        FileStore()


def test_without_the_extra_the_rest_works() -> None:
    """The face, the memory store and the protocol need none of its packages."""
    code = """
import sys
for name in ("cryptography", "filelock", "keyring", "platformdirs"):
    sys.modules[name] = None
import xsession.stores as stores
stores.MemoryStore(), stores.Store, stores.SharedStore, stores.FileStore
"""
    assert run_python(code) == ""


@as_root
def test_root_leaves_no_folder_in_a_users_home(tmp_path: Path) -> None:
    """As `sudo` with the user's HOME would: the user could not use it. A folder of root's is made."""
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 12_345, 12_345)
    store, events = watched(home / ".cache" / "xsession" / "store")
    store.put("vegeta", credentials())
    assert store.get("vegeta") is not None
    assert list(home.iterdir()) == []
    assert problems(events) == ["the folder can't be used"]

    def use() -> None:
        theirs, events = watched(home / ".cache" / "xsession" / "store")
        theirs.put("vegeta", credentials())
        assert problems(events) == []

    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o755)
    assert in_child(use, uid=12_345) == 0
    assert (home / ".cache" / "xsession").stat().st_mode & 0o777 == 0o700
