from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.stores import STRANGER, as_root, in_child
from tools.project import ROOT
from xsession.cli._config_file import change
from xsession.errors import ConfigError


def more(text: str) -> str:
    """A change."""
    return f"{text}more\n"


def test_it_keeps_mode_link_and_foreign_bytes(tmp_path: Path) -> None:
    """A link into a folder of dotfiles stays one; what is no UTF-8 is not touched."""
    real, link = tmp_path / "dotfiles" / "config", tmp_path / "config"
    real.parent.mkdir()
    real.write_bytes(b"\xff\xe9\r\n")
    real.chmod(0o640)
    link.symlink_to(real)
    assert change(link, more)
    assert link.is_symlink()
    assert real.read_bytes() == b"\xff\xe9\r\nmore\n"
    assert real.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in real.parent.iterdir()) == ["config", "config.before-xsession"]


def test_the_first_backup_stays(tmp_path: Path) -> None:
    """Of before any change of ours; none is made where nothing changes."""
    file = tmp_path / "config"
    file.write_text("own\n")
    assert not change(file, lambda text: text)
    assert not (tmp_path / "config.before-xsession").exists()
    for _ in range(3):
        assert change(file, more)
    assert (tmp_path / "config.before-xsession").read_text() == "own\n"
    assert (tmp_path / "config.before-xsession").stat().st_mode & 0o777 == 0o600


def test_a_new_file_is_its_owners_alone(tmp_path: Path) -> None:
    """And so is the folder; there is nothing to keep."""
    file = tmp_path / ".aws" / "config"
    assert change(file, more)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such locks")
def test_changes_at_once_are_made_one_after_the_other(tmp_path: Path) -> None:
    """By processes, each of which reads what the one before wrote."""
    code = f"""
import sys, time
from pathlib import Path
from xsession.cli._config_file import change

def changed(text):
    time.sleep(0.05)
    return text + sys.argv[1]

change(Path({str(tmp_path / "aws" / "config")!r}), changed)
"""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    children = [subprocess.Popen([sys.executable, "-c", code, letter], env=environ) for letter in "abcdef"]
    assert [child.wait(30) for child in children] == [0] * 6
    assert sorted((tmp_path / "aws" / "config").read_text()) == [*"abcdef"]


def test_a_process_that_was_stopped_while_it_changes_a_file_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    """It may never go on; what it has done so far is not known, so nothing is changed beside it."""
    fcntl = pytest.importorskip("fcntl")
    descriptor = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match=r"another process has been changing files in .* for 0\.05 s"):
            change(tmp_path / "config", more, patience=0.05)
    finally:
        os.close(descriptor)
    assert not list(tmp_path.iterdir())


@as_root
def test_a_folder_to_write_into_and_not_to_read_is_no_obstacle(tmp_path: Path) -> None:
    """Nothing can be locked there, and nothing needs to be read but the file."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055)
    home = tmp_path / "aws"
    home.mkdir()
    home.chmod(0o300)
    os.chown(home, STRANGER, STRANGER)
    assert in_child(lambda: change(home / "config", more), uid=STRANGER) == 0
    assert (home / "config").read_text() == "more\n"


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="there are no owners")
def test_another_users_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written: to exchange it would take it away from them."""
    file = tmp_path / "config"
    file.write_text("theirs\n")
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    with pytest.raises(ConfigError, match="belongs to another user"):
        change(file, more)
    assert [path.name for path in tmp_path.iterdir()] == ["config"]
    assert file.read_text() == "theirs\n"


def test_a_file_system_without_modes_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is whole all the same."""
    file = tmp_path / "config"
    file.write_text("own\n")

    def refused(*_args: object, **_options: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refused)
    assert change(file, more)
    assert file.read_text() == "own\nmore\n"


@pytest.mark.parametrize("fails", [1, 2], ids=["the backup", "the file"])
def test_what_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: int) -> None:
    """A full disk, for one; nothing of ours is left beside it but the backup, which is whole: it stays for ever."""
    file = tmp_path / "config"
    file.write_text("own\n")
    calls = itertools.count(1)

    def full(_descriptor: int) -> None:
        if next(calls) == fails:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        change(file, more)
    assert file.read_text() == "own\n"
    beside = {path.name for path in tmp_path.iterdir()} - {"config"}
    assert beside == (set() if fails == 1 else {"config.before-xsession"})
    assert change(file, more)
    assert (tmp_path / "config.before-xsession").read_text() == "own\n"


def test_only_files_are_changed(tmp_path: Path) -> None:
    """No folder, and no device."""
    with pytest.raises(ConfigError, match="no regular file"):
        change(tmp_path, more)
