from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.stores import credentials, problems, watched
from xsession._base import write_private_file
from xsession.stores import FileStore
from xsession.stores import _marks as marks
from xsession.stores._marks import Mark, microseconds, role_of
from xsession.testing import FakeClock

NAMES = st.none() | st.text(max_size=20)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store"


@given(st.integers(0, 10**16), NAMES, NAMES, NAMES)
def test_a_mark_is_read_as_it_was_written(at: int, key: str | None, role: str | None, person: str | None) -> None:
    """From the name of its file and what is in it."""
    mark = Mark(at, key, role, person)
    assert Mark.read(mark.name, mark.document) == mark


@pytest.mark.parametrize("document", [b"", b"[", b"{}", b'["key"]', b"[" * 100_000], ids=range(5))
def test_a_damaged_mark_ends_everything(document: bytes) -> None:
    """Rather too much than too little; its moment is in its name."""
    mark = Mark.read(Mark(5, "key").name, document)
    assert mark is not None
    assert (mark.ends("other", None, None, 5), mark.ends("other", None, None, 6)) == (True, False)


def test_other_files_are_no_marks() -> None:
    """Such as one that is being written."""
    assert Mark.read(".new-12", b"") is None


def test_a_mark_ends_what_was_issued_in_its_microsecond() -> None:
    """And nothing after it, whether a moment is a datetime or a number."""
    at = datetime(2026, 11, 25, 12, 0, 0, 123_456, tzinfo=UTC)
    assert microseconds(at) == microseconds(at.timestamp(), up=True)
    assert microseconds(0.000_000_5, up=True) == 1
    assert microseconds(0.000_000_5) == 0
    assert microseconds(-1.0) == 0


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::222222222222:role/Reader",
        "arn:aws:iam::222222222222:role/with/a/path/Reader",
        "arn:aws:sts::222222222222:assumed-role/Reader/batman",
    ],
)
def test_a_role_and_its_sessions_are_one(arn: str) -> None:
    """Whatever its path, which the ARN of a session lacks."""
    assert role_of(arn) == "aws:222222222222:Reader"


@pytest.mark.parametrize("arn", [None, "", "Reader", "arn:aws:iam::222222222222:user/batman"])
def test_others_are_no_roles(arn: str | None) -> None:
    """Nor is anything that is no ARN."""
    assert role_of(arn) is None


def test_marks_outlive_what_they_end(path: Path) -> None:
    """An MFA session lives 36 hours; after that the mark is cleared away with the next one."""
    clock = FakeClock()
    store, _ = watched(path, clock=clock)
    issued = clock.wall()
    store.mark(clock.wall(), key="vegeta")
    clock.advance(36 * 3_600)
    store.mark(clock.wall(), key="joker")
    assert watched(path, clock=clock)[0].is_marked("vegeta", None, None, issued)
    clock.advance(3_601)
    store.mark(clock.wall(), key="robin")
    other, _ = watched(path, clock=clock)
    assert not other.is_marked("vegeta", None, None, issued)
    assert not store.is_marked("vegeta", None, None, issued)
    assert other.is_marked("joker", None, None, issued)


def test_a_clock_that_is_behind_for_a_while_takes_nothing_from_a_mark(path: Path) -> None:
    """As when a machine begins without the time: who looks then must not have revoked credentials work again."""
    clock = FakeClock()
    store, _ = watched(path, clock=clock)
    issued = clock.wall()
    clock.advance(600)
    store.mark(clock.wall(), key="vegeta")
    clock.step_wall(-clock.wall() + 1)
    for each in (watched(path, clock=clock)[0], store):
        assert each.is_marked("vegeta", None, None, issued)
    clock.step_wall(issued + 700)
    for each in (watched(path, clock=clock)[0], store):
        assert each.is_marked("vegeta", None, None, issued)
        assert each.is_marked("vegeta", None, None, issued + 600)
        assert not each.is_marked("vegeta", None, None, issued + 601)


def test_no_thread_takes_away_a_mark_that_another_makes(path: Path) -> None:
    """Where only this process has them: looks and marks of other threads come in between."""
    path.mkdir(mode=0o755)
    store, _ = watched(path)
    now = time.time()
    keys = [str(number) for number in range(120)]

    def mark(key: str) -> bool:
        store.mark(now, key=key)
        return store.is_marked(key, None, None, now)

    before, all_there = sys.getswitchinterval(), threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        # Before threads begin to change so often: to begin, each has its tracer installed.
        list(pool.map(lambda _number: all_there.wait(10), range(4)))
        sys.setswitchinterval(1e-6)
        try:
            assert all(pool.map(mark, keys))
        finally:
            sys.setswitchinterval(before)
    assert all(store.is_marked(key, None, None, now) for key in keys)


def test_a_newer_mark_replaces_the_older_ones_of_the_same(path: Path) -> None:
    """A program that invalidates every minute leaves no thousands; an older one replaces nothing."""
    store = FileStore(path)
    now = time.time()
    for number in (1, 2, 9, 3):
        store.mark(now + number, key="vegeta")
        store.mark(now + number, key="joker")
    assert len(list((path / "marks").iterdir())) == 4
    assert FileStore(path).is_marked("vegeta", None, None, now + 9)


def test_a_mark_that_comes_within_the_same_tick_is_seen(path: Path) -> None:
    """Clocks of disks are coarse: the folder may have the same time after it as before."""
    mine, other = FileStore(path), FileStore(path)
    mine.mark(1.0, key="vegeta")
    found = (path / "marks").stat()
    assert other.is_marked("vegeta", None, None, 1.0)
    mine.mark(1.0, key="joker")
    os.utime(path / "marks", ns=(found.st_atime_ns, found.st_mtime_ns))
    assert other.is_marked("joker", None, None, 1.0)


def test_marks_are_read_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look at the time of their folder is all that a refresh pays, once they have settled."""
    FileStore(path).mark(1.0, key="vegeta")
    os.utime(path / "marks", (time.time() - 10,) * 2)
    store = FileStore(path)
    assert store.is_marked("vegeta", None, None, 1.0)
    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", None)
        assert store.is_marked("vegeta", None, None, 1.0)
    FileStore(path).mark(2.0, key="vegeta")
    assert store.is_marked("vegeta", None, None, 2.0)


def test_marks_work_without_a_master_key(path: Path) -> None:
    """What a person revokes is over, whether or not the keyring is unlocked."""
    store = FileStore(path)
    store.put("vegeta", credentials(at=time.time() - 60))
    (path / "key.json").write_bytes(b"damaged")
    blind, _ = watched(path)
    blind.mark(time.time() - 10, key="vegeta")
    assert store.get("vegeta") is None


def test_marks_without_a_folder_hold_in_this_process(path: Path) -> None:
    """Where it can't be used."""
    path.mkdir(mode=0o755)
    store, _ = watched(path)
    store.put("vegeta", credentials(at=time.time() - 60))
    store.mark(time.time(), key="vegeta")
    assert store.get("vegeta") is None


def test_a_mark_without_room_for_its_content_ends_everything(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is not even room for its name, it holds in this process; one event says so."""
    mine, events = watched(path)

    def without_room(place: Path, data: bytes, **options: Any) -> os.stat_result:
        if data or room == 0:
            raise OSError(28, "No space left on device")
        return write_private_file(place, data, **options)

    monkeypatch.setattr(marks, "write_private_file", without_room)
    room = 0
    for seen in (False, True):
        mine.mark(5.0, key="vegeta")
        assert mine.is_marked("vegeta", None, None, 5.0)
        assert FileStore(path).is_marked("joker", None, None, 5.0) is seen
        room = 1
    assert problems(events) == ["the disk can't be written to"]


def test_marks_are_not_written_through_a_link(path: Path, tmp_path: Path) -> None:
    """Nobody would read them there."""
    store, events = watched(path)
    store.put("vegeta", credentials())
    (path / "marks").symlink_to(tmp_path)
    store.mark(5.0, key="vegeta")
    assert problems(events) == ["the disk can't be written to"]
    assert not list(tmp_path.glob("*.mark"))


def test_marks_that_a_stranger_put_are_none(path: Path) -> None:
    """A link to a folder elsewhere is not followed."""
    store = FileStore(path)
    store.mark(1.0, key="vegeta")
    (path / "marks" / "notes.txt").touch()
    assert FileStore(path).is_marked("vegeta", None, None, 1.0)
    (path / "marks").rename(path / "elsewhere")
    (path / "marks").symlink_to(path / "elsewhere")
    assert not FileStore(path).is_marked("vegeta", None, None, 1.0)


def test_a_process_with_too_many_files_open_misses_no_mark(path: Path) -> None:
    """It reads none just then: nothing that was issued before counts, and later it knows what is ended."""
    old = time.time() - 10
    FileStore(path).mark(old, key="one")
    os.utime(path / "marks", (old, old))
    store = FileStore(path)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        assert store.is_marked("two", None, None, old - 1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert store.is_marked("one", None, None, old - 1)
    assert not store.is_marked("two", None, None, old - 1)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, lambda mark: mark.symlink_to("elsewhere")])
def test_a_mark_that_cannot_be_read_ends_everything(path: Path, make: Callable[[Path], object]) -> None:
    """As a damaged one does; nobody waits for one that is no file."""
    store = FileStore(path)
    store.mark(5.0, key="vegeta")
    (mark,) = (path / "marks").iterdir()
    mark.unlink()
    make(mark)
    assert FileStore(path).is_marked("joker", None, None, 5.0)
