from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.stores import problems, watched
from xsession.events import StoreProblem
from xsession.stores._folder import StoreFolder
from xsession.stores._reports import StoreReports
from xsession.testing import EventCapture


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store"


def opened(path: Path) -> tuple[StoreFolder, EventCapture]:
    """The folder of a store, and what is told of it."""
    store, events = watched(path)
    return store._folder, events


def test_what_is_no_folder_is_not_used(path: Path) -> None:
    """And it is left alone."""
    path.write_text("mine")
    folder, events = opened(path)
    assert not folder.is_usable(make=True)
    assert folder.write(f"{1:040x}.entry", b"data", 1.0) is None
    assert folder.read(f"{1:040x}.entry") is None
    assert folder.remove(f"{1:040x}.entry")
    folder.remove_all()
    assert path.read_text() == "mine"
    assert "the folder can't be used" in problems(events)


def test_a_path_below_a_file_is_not_used(path: Path) -> None:
    """It can't be made."""
    path.write_text("mine")
    folder, events = opened(path / "below")
    assert not folder.is_usable(make=True)
    assert problems(events) == ["the folder can't be used"]


def test_a_name_that_is_too_long_is_not_used(tmp_path: Path) -> None:
    """Nor is anything else that the system refuses to look at."""
    folder, events = opened(tmp_path / ("a" * 300))
    assert not folder.is_usable()
    assert problems(events) == ["the folder can't be used"]


def test_a_folder_that_another_process_makes_meanwhile_is_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both came at once."""
    real = Path.mkdir

    def slower(self: Path, **options: Any) -> None:
        if self == path:
            real(self, mode=0o700)
        real(self, **options)

    monkeypatch.setattr(Path, "mkdir", slower)
    folder, events = opened(path)
    assert folder.is_usable(make=True)
    assert problems(events) == []


def test_cleaning_leaves_what_is_being_written(path: Path) -> None:
    """And what others put there; what a killed process left goes after ten minutes, an old lock after three days."""
    folder, _ = opened(path)
    assert folder.is_usable(make=True)
    now = folder._wall()
    for name, age in {
        ".new-young": 60,
        ".new-old": 700,
        f"{1:040x}.lock": 86_400,
        f"{2:040x}.lock": 4 * 86_400,
        f"{3:040x}.entry": 1,
        f"{4:040x}.entry": -60,
        "other.entry": 1_000,
        "key.json": 1_000,
    }.items():
        (path / name).touch()
        os.utime(path / name, (now - age,) * 2)
    folder.write(f"{5:040x}.entry", b"", now + 60)
    left = {item.name for item in path.iterdir()}
    assert left == {
        ".new-young",
        f"{1:040x}.lock",
        f"{4:040x}.entry",
        f"{5:040x}.entry",
        "other.entry",
        "key.json",
    }


def test_a_user_without_a_home_has_no_folder() -> None:
    """Nothing is read, written or removed."""
    events = EventCapture()
    folder = StoreFolder(None, StoreReports(events, lambda: 1.0), wall=lambda: 1.0, os_name="posix")
    assert (folder.read("a"), folder.write("a", b"", 1.0), folder.signature("a")) == (None, None, None)
    assert folder.remove("a")
    folder.remove_all()
    assert folder.is_empty
    assert problems(events) == ["the folder can't be used"]


def test_a_folder_that_cannot_be_made_is_not_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a read-only disk."""

    def refuse(*_args: object, **_options: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    folder, events = opened(path)
    assert not folder.is_usable(make=True)
    assert problems(events) == ["the folder can't be used"]
    assert events.of(StoreProblem)[0].message == "Read-only file system"


def test_what_is_no_file_is_a_miss(path: Path) -> None:
    """A folder, or a FIFO, which would hold up whoever reads it."""
    folder, events = opened(path)
    assert folder.is_usable(make=True)
    os.mkfifo(path / f"{1:040x}.entry")
    (path / f"{2:040x}.entry").mkdir()
    assert folder.read(f"{1:040x}.entry") is None
    assert folder.read(f"{2:040x}.entry") is None
    assert not folder.remove(f"{2:040x}.entry")
    assert set(problems(events)) == {"an entry can't be used", "the disk can't be written to"}
