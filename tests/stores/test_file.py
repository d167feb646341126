from __future__ import annotations

import json
import os
import pickle
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import run_python
from tests.support.stores import SECRET, STRANGER, as_root, credentials, entries, in_child, problems, started, watched
from xsession.errors import ConfigError
from xsession.events import StoreProblem
from xsession.stores import FileStore, SharedStore
from xsession.testing import FakeClock, SharedStoreContract


class TestFileStore(SharedStoreContract):
    """It keeps what every store of several processes must."""

    @pytest.fixture(autouse=True)
    def in_a_folder_of_its_own(self, tmp_path: Path) -> None:
        """Where no other test has a store."""
        self.path = tmp_path / "store"

    def new_store(self) -> FileStore:
        """In that folder."""
        return FileStore(self.path)

    def as_another_process(self, store: SharedStore) -> FileStore:
        """What another process would make."""
        assert isinstance(store, FileStore)
        return FileStore(self.path)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store"


def test_a_real_process_finds_what_another_put(path: Path) -> None:
    """And what it puts is found here."""
    FileStore(path).put("vegeta", credentials())
    code = """
import sys
from xsession.stores import FileStore
store = FileStore(sys.argv[1])
found = store.get("vegeta")
print(found.access_key_id)
store.delete("vegeta")
store.put("joker", found)
"""
    assert run_python(code, str(path)) == "ASIA1\n"
    store = FileStore(path)
    assert store.get("vegeta") is None
    assert store.get("joker") is not None


def test_nothing_is_readable_on_the_disk(path: Path) -> None:
    """Neither a secret nor whose it is; folders are 0700, files 0600."""
    store = FileStore(path)
    store.put("key of vegeta", credentials())
    store.mark(1.0, key="another key")
    with store.refreshing("key of vegeta", 5):
        store.put_failure("key of joker", {"message": "refused"}, 60)
    store.put_principal("descriptor", "arn:aws:iam::111111111111:user/batman")
    found = list(path.rglob("*"))
    assert {item.stat().st_mode & 0o777 for item in found if item.is_file()} == {0o600}
    assert {item.stat().st_mode & 0o777 for item in (path, *found) if item.is_dir()} == {0o700}
    text = b"".join(item.name.encode() + item.read_bytes() for item in found if item.is_file())
    for word in (SECRET, "the token", "ASIA1", "vegeta", "refused", "batman", "Reader"):
        assert word.encode() not in text


def test_only_a_first_use_makes_the_folder(path: Path) -> None:
    """To make a store, to look into it, and to forget, leave no trace."""
    store = FileStore(path)
    assert (store.get("k"), store.failure("k"), store.principal("d"), store.is_marked("k", None, None, 1.0)) == (
        None,
        None,
        None,
        False,
    )
    store.delete("k")
    store.clear()
    assert not path.exists()
    store.put("k", credentials())
    assert path.is_dir()


def test_a_store_imports_only_what_it_needs(path: Path) -> None:
    """With the key in a file, neither boto3 nor keyring, and no lock where nothing is refreshed."""
    FileStore(path).put("vegeta", credentials())
    code = """
import sys
from xsession.stores import FileStore
assert FileStore(sys.argv[1]).get("vegeta") is not None
print(*sorted({"boto3", "click", "keyring", "filelock", "asyncio", "importlib.metadata"} & set(sys.modules)))
"""
    assert run_python(code, str(path)).split() == []


def test_what_is_known_is_not_read_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only whether the file is still the same one is looked at; a file is opened once for each content."""
    FileStore(path).put("vegeta", credentials())
    store = FileStore(path)
    assert store.get("vegeta") is not None
    with monkeypatch.context() as patched:
        patched.setattr(os, "open", None)
        patched.setattr("builtins.open", None)
        assert store.get("vegeta") is not None
    FileStore(path).put("vegeta", credentials("ASIA2"))
    found = store.get("vegeta")
    assert found is not None
    assert found.access_key_id == "ASIA2"


@pytest.mark.parametrize("size", [0, 1, 100, 200])
def test_a_damaged_entry_is_a_miss(path: Path, size: int) -> None:
    """Told once; the next refresh puts another in its place."""
    FileStore(path).put("vegeta", credentials())
    (entry,) = entries(path)
    entry.write_bytes(entry.read_bytes()[:size])
    store, events = watched(path)
    assert (store.get("vegeta"), store.get("vegeta")) == (None, None)
    assert problems(events) == ["an entry can't be used"]
    store.put("vegeta", credentials("ASIA2"))
    assert FileStore(path).get("vegeta") is not None


def test_an_entry_that_was_moved_is_a_miss(path: Path) -> None:
    """Credentials of one account are never found under the key of another."""
    store = FileStore(path)
    store.put("vegeta", credentials())
    (vegeta,) = entries(path)
    store.put("joker", credentials("ASIA2"))
    (joker,) = set(entries(path)) - {vegeta}
    shutil.copy(vegeta, joker)
    other, events = watched(path)
    assert other.get("joker") is None
    assert problems(events) == ["an entry can't be used"]
    assert other.get("vegeta") is not None


def test_an_entry_that_was_edited_is_a_miss(path: Path) -> None:
    """The account in its first line is bound to what is sealed."""
    FileStore(path).put("vegeta", credentials())
    (entry,) = entries(path)
    data = entry.read_bytes()
    assert b"222222222222" in data
    entry.write_bytes(data.replace(b"222222222222", b"333333333333"))
    store, events = watched(path)
    assert store.get("vegeta") is None
    assert problems(events) == ["an entry can't be used"]


def test_an_entry_of_a_newer_version_is_a_miss(path: Path) -> None:
    """It is left alone, and the event says that it is of another version."""
    FileStore(path).put("vegeta", credentials())
    (entry,) = entries(path)
    data = entry.read_bytes().replace(b'"format": 1', b'"format": 2')
    entry.write_bytes(data)
    store, events = watched(path)
    assert store.get("vegeta") is None
    assert "of another version" in events.of(StoreProblem)[0].message
    assert entry.read_bytes() == data


def test_an_entry_of_another_master_key_is_a_miss(path: Path, tmp_path: Path) -> None:
    """It is left alone."""
    elsewhere = tmp_path / "elsewhere"
    for folder in (path, elsewhere):
        FileStore(folder).put("vegeta", credentials())
    (mine,), (foreign,) = entries(path), entries(elsewhere)
    shutil.copy(foreign, mine)
    store, events = watched(path)
    assert store.get("vegeta") is None
    assert "another master key" in events.of(StoreProblem)[0].message
    assert mine.read_bytes() == foreign.read_bytes()


def test_an_entry_from_the_future_is_a_miss(path: Path) -> None:
    """The clock was set back: nobody knows when it really ends."""
    clock = FakeClock()
    store, events = watched(path, clock=clock)
    store.put("vegeta", credentials(at=clock.wall()))
    clock.step_wall(-7_200)
    assert store.get("vegeta") is None
    assert problems(events) == ["an entry can't be used"]
    store.put("vegeta", credentials("ASIA2", at=clock.wall()))
    assert store.get("vegeta") is not None


def test_a_clock_that_is_ahead_costs_one_refresh(path: Path) -> None:
    """What is put by that clock is found by it."""
    clock = FakeClock()
    store, _ = watched(path, clock=clock)
    store.put("vegeta", credentials(at=clock.wall()))
    clock.step_wall(7_200)
    assert store.get("vegeta") is None
    store.put("vegeta", credentials("ASIA2", at=clock.wall()))
    assert watched(path, clock=clock)[0].get("vegeta") is not None


def test_what_has_ended_is_cleared(path: Path) -> None:
    """A thousand ended entries: one write leaves the living ones alone."""
    clock = FakeClock()
    store, _ = watched(path, clock=clock)
    store.put("first", credentials(at=clock.wall()))
    (first,) = entries(path)
    for number in range(1_000):
        shutil.copy2(first, first.with_name(f"{number:040x}.entry"))
    clock.advance(3_000)
    store.put("living", credentials("ASIA2", at=clock.wall()))
    clock.advance(700)
    store.put("new", credentials("ASIA3", at=clock.wall()))
    assert len(entries(path)) == 2


def test_rejected_credentials_are_gone_for_all(path: Path) -> None:
    """Also for who has them in memory; newer ones are found."""
    mine, other = FileStore(path), FileStore(path)
    mine.put("vegeta", credentials("ASIA1"))
    assert other.get("vegeta") is not None
    mine.delete("vegeta", "ASIA1")
    assert other.get("vegeta") is None
    mine.put("vegeta", credentials("ASIA2"))
    other.delete("vegeta", "ASIA1")
    found = other.get("vegeta")
    assert found is not None
    assert found.access_key_id == "ASIA2"


@pytest.mark.parametrize(
    "kept",
    [
        credentials(lifetime=None),
        credentials(session_token=None),
        credentials(issued_at=None, expiry=None),
        credentials(lifetime=37 * 3_600.0),
    ],
    ids=["no end", "long-term keys", "no beginning", "longer than a mark"],
)
def test_what_does_not_end_lies_on_no_disk(path: Path, kept: object) -> None:
    """It stays in the memory of this process."""
    store = FileStore(path)
    store.put("key", kept)  # type: ignore[arg-type]
    assert store.get("key") == kept
    assert not path.exists()


def test_mfa_sessions_may_be_kept_out(path: Path) -> None:
    """Then they are in memory alone, and those of other processes are not used."""
    with_mfa, without = FileStore(path), FileStore(path, store_mfa=False)
    without.put("mfa-1", credentials("ASIA1"))
    assert with_mfa.get("mfa-1") is None
    assert without.get("mfa-1") is not None
    with_mfa.put("mfa-2", credentials("ASIA2"))
    assert without.get("mfa-2") is None
    without.put("role", credentials("ASIA3"))
    assert with_mfa.get("role") is not None
    without.delete("mfa-1")
    assert without.get("mfa-1") is None
    without.put_failure("mfa-1", {}, 60)
    assert without.failure("mfa-1") is None


def test_a_store_is_pickled_as_its_path(path: Path) -> None:
    """With its options, and nothing that it holds."""
    store = FileStore(path, store_mfa=False)
    store.put("vegeta", credentials())
    pickled = pickle.dumps(store)
    assert SECRET.encode() not in pickled
    copy = pickle.loads(pickled)
    assert copy.get("vegeta") is not None
    copy.put("mfa-1", credentials())
    assert store.get("mfa-1") is None
    with pytest.raises(TypeError, match="on_event="):
        pickle.dumps(FileStore(path, on_event=print))


def test_a_forked_child_uses_the_store(path: Path) -> None:
    """It finds what was put, and what it puts is found."""
    store = FileStore(path)
    store.put("vegeta", credentials())

    def use() -> None:
        assert store.get("vegeta") is not None
        store.put("joker", credentials("ASIA2"))

    assert in_child(use) == 0
    assert store.get("joker") is not None


def test_the_repr_says_where_it_is(path: Path) -> None:
    """And nothing that is in it."""
    assert repr(FileStore(path)) == f"<FileStore: {path}>"


def test_a_full_disk_fails_no_request(path: Path) -> None:
    """What can't be written stays in memory, one event says so, and half of an entry is never found."""
    FileStore(path).put("old", credentials())

    def fill() -> None:
        store, events = watched(path)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
        for number in range(3):
            store.put(f"key {number}", credentials())
            assert store.get(f"key {number}") is not None
            store.put_failure("key", {"message": "refused"}, 60)
        assert problems(events) == ["the disk can't be written to"]
        assert store.get("old") is not None

    assert in_child(fill) == 0
    assert len(entries(path)) == 1
    assert [item.name for item in path.iterdir() if item.name.startswith(".")] == []


def test_a_mark_reaches_others_through_a_full_disk(path: Path) -> None:
    """There is no room for what it is about, so it ends everything: rather too much than too little."""
    store = FileStore(path)
    store.put("vegeta", credentials(at=time.time() - 60))

    def mark() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        FileStore(path).mark(time.time() - 10, key="joker")

    assert in_child(mark) == 0
    assert store.get("vegeta") is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with little room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("only root mounts a disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@as_root
def test_a_really_full_disk_fails_no_request(small_disk: Path) -> None:
    """Nor does one that is read-only; all that was put is found in this process."""
    path = small_disk / "store"
    store, events = watched(path)
    store.put("first", credentials())
    (small_disk / "filler").write_bytes(b"x" * (40 * 1_024))
    for number in range(30):
        store.put(f"key {number}", credentials(session_token="t" * 2_000))
    assert all(store.get(f"key {number}") is not None for number in range(30))
    assert problems(events) == ["the disk can't be written to"]
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    other, events = watched(path)
    for _ in range(3):
        assert other.get("first") is not None
        other.put("new", credentials("ASIA2"))
        assert other.get("new") is not None
        with other.refreshing("new", 1):
            other.delete("first")
        assert other.get("first") is None
        other.clear()
    assert set(problems(events)) == {"the disk can't be written to", "locks don't work"}


@as_root
def test_a_read_only_home_fails_no_request(tmp_path: Path) -> None:
    """The store is memory then, and one event says so."""
    tmp_path.chmod(0o755)
    for folder in tmp_path.parents[:3]:
        folder.chmod(folder.stat().st_mode | 0o055)

    def use() -> None:
        store, events = watched(tmp_path / "home" / "store")
        for _ in range(3):
            store.put("vegeta", credentials())
            assert store.get("vegeta") is not None
            with store.refreshing("vegeta", 1) as held:
                assert not held
            store.mark(1.0)
        assert problems(events) == ["the folder can't be used"]

    assert in_child(use, uid=STRANGER) == 0


@as_root
def test_two_users_share_no_store(tmp_path: Path) -> None:
    """A folder of another user's is neither read nor written, by root either; with one each, both work."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        folder.chmod(0o777)

    def use() -> None:
        theirs, events = watched(tmp_path / "theirs")
        theirs.put("vegeta", credentials())
        assert problems(events) == []
        assert FileStore(tmp_path / "theirs").get("vegeta") is not None
        other, events = watched(tmp_path / "mine")
        assert other.get("vegeta") is None
        other.put("vegeta", credentials())
        assert problems(events) == ["the folder can't be used"]

    FileStore(tmp_path / "mine").put("vegeta", credentials())
    before = sorted((tmp_path / "mine").iterdir())
    assert in_child(use, uid=STRANGER) == 0
    assert sorted((tmp_path / "mine").iterdir()) == before
    root, events = watched(tmp_path / "theirs")
    root.put("joker", credentials())
    assert [event.message for event in events.of(StoreProblem)] == ["it belongs to another user"]
    assert len(entries(tmp_path / "theirs")) == 1


@as_root
def test_an_entry_of_another_user_is_a_miss(path: Path) -> None:
    """Whoever put it there; and so is a link."""
    FileStore(path).put("vegeta", credentials())
    (entry,) = entries(path)
    os.chown(entry, STRANGER, STRANGER)
    store, events = watched(path)
    assert store.get("vegeta") is None
    assert problems(events) == ["an entry can't be used"]


def test_links_are_not_followed(path: Path, tmp_path: Path) -> None:
    """Neither to an entry, nor to the folder; what they lead to stays as it is."""
    store = FileStore(path)
    store.put("vegeta", credentials())
    (entry,) = entries(path)
    target = tmp_path / "target"
    entry.rename(target)
    entry.symlink_to(target)
    before = target.read_bytes()
    other, events = watched(path)
    assert other.get("vegeta") is None
    assert problems(events) == ["an entry can't be used"]
    other.put("vegeta", credentials("ASIA2"))
    assert (target.read_bytes(), entry.is_symlink()) == (before, False)
    (tmp_path / "link").symlink_to(path)
    linked, events = watched(tmp_path / "link")
    assert linked.get("vegeta") is None
    linked.put("joker", credentials())
    assert [event.message for event in events.of(StoreProblem)] == ["it is a symbolic link"]
    assert len(entries(path)) == 1


def test_a_folder_into_which_others_look_is_not_used(path: Path) -> None:
    """The hint is the command that closes it; the mode of a folder that was there is not changed."""
    path.mkdir(mode=0o755)
    store, events = watched(path)
    store.put("vegeta", credentials())
    (event,) = events.of(StoreProblem)
    assert event.hint == f"run: chmod 700 {path}"
    assert list(path.iterdir()) == []
    assert path.stat().st_mode & 0o777 == 0o755
    path.chmod(0o700)
    store.put("vegeta", credentials())
    assert len(entries(path)) == 1


def test_clear_removes_damaged_entries_too(path: Path) -> None:
    """Of this version or another, of this key or another, and what a process left that was killed while it wrote."""
    store = FileStore(path)
    store.put("vegeta", credentials())
    (entry,) = entries(path)
    entry.write_bytes(b"")
    (path / f"{1:040x}.entry").write_bytes(b"damaged")
    (path / ".new-12").write_bytes(b"half of")
    (path / "notes.txt").write_text("the user's own")
    assert (store.path, store.is_empty) == (path, False)
    store.clear()
    assert store.is_empty
    assert sorted(item.name for item in path.iterdir()) == ["key.json", "key.lock", "notes.txt"]
    store.put("vegeta", credentials("ASIA2"))
    assert FileStore(path).get("vegeta") is not None


def test_clear_repairs_a_store_without_a_key(path: Path) -> None:
    """Where its file is damaged, the store is memory until then."""
    FileStore(path).put("vegeta", credentials())
    (path / "key.json").write_bytes(b"")
    store, events = watched(path)
    store.put("vegeta", credentials())
    assert store.get("vegeta") is not None
    assert problems(events) == ["there is no master key"]
    store.clear()
    store.put("vegeta", credentials("ASIA2"))
    assert FileStore(path).get("vegeta") is not None


def test_a_process_goes_on_where_the_folder_was_removed(path: Path) -> None:
    """As cleaners of caches do: a new key is made, and all find what is put from then on."""
    store = FileStore(path)
    store.put("vegeta", credentials())
    shutil.rmtree(path)
    assert store.get("vegeta") is None
    other = FileStore(path)
    other.put("vegeta", credentials("ASIA2"))
    found = store.get("vegeta")
    assert found is not None
    assert found.access_key_id == "ASIA2"


def test_a_hook_that_raises_fails_no_request(path: Path) -> None:
    """As with all hooks."""

    def fail(_event: object) -> None:
        raise RuntimeError

    path.mkdir(mode=0o755)
    store = FileStore(path, on_event=fail)
    store.put("vegeta", credentials())
    assert store.get("vegeta") is not None


def test_threads_may_evict_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded, whoever fills it."""
    monkeypatch.setattr("xsession.stores._file._MAX_HELD", 10)
    store = FileStore(path, store_mfa=False)

    def fill(number: int) -> None:
        for each in range(200):
            store.put(f"mfa-{number}-{each}", credentials())

    threads = [threading.Thread(target=fill, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.put("mfa-last", credentials())
    assert len(store._held) == 10


def test_a_writer_that_is_killed_leaves_no_half_entry(path: Path) -> None:
    """SIGKILL at any point of a write: others find the last whole entry, or none, and no event is sent."""
    code = """
import sys, time
from tests.support.stores import credentials
from xsession.stores import FileStore
store = FileStore(sys.argv[1])
print("started", flush=True)
while True:
    store.put("vegeta", credentials("ASIA2", session_token="t" * 4_000))
"""
    store, events = watched(path)
    store.put("vegeta", credentials("ASIA1"))
    for delay in (0.0, 0.01, 0.03):
        writer = started(code, str(path))
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        assert store.get("vegeta") is not None
        assert FileStore(path).get("vegeta") is not None
    assert problems(events) == []


def test_a_relative_path_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The store would be another one in each folder."""
    with pytest.raises(ConfigError, match="path must be an absolute path, not 'cache'"):
        FileStore("cache")
    monkeypatch.setenv("XSESSION_STORE", "cache")
    with pytest.raises(ConfigError, match="XSESSION_STORE must be an absolute path"):
        FileStore()


def test_a_mark_is_about_a_role() -> None:
    """Anything else would silently end nothing."""
    with pytest.raises(ConfigError, match="role_arn"):
        FileStore("/nowhere").mark(1.0, role_arn="Reader")


def test_an_entry_that_says_nothing_known_is_a_miss(path: Path) -> None:
    """Sealed with our key, but by a version that writes something else."""
    store, events = watched(path)
    seal = store._master_key.seal(make=True)
    assert seal is not None
    for value in ({"expiry": "never"}, ["a list"], {"access_key_id": "ASIA1"}):
        (path / seal.name("entry", "vegeta")).write_bytes(seal.seal("entry", "vegeta", value))
        assert store.get("vegeta") is None
    assert problems(events) == ["an entry can't be used"]
    (path / seal.name("failure", "vegeta")).write_bytes(json.dumps({}).encode())
    assert store.failure("vegeta") is None
    unknown: list[object] = [{"until": "then", "failure": {}}, ["soon", 1.0, {}], [time.time(), 60.0], "no"]
    for failure in unknown:
        (path / seal.name("failure", "vegeta")).write_bytes(seal.seal("failure", "vegeta", failure))
        assert store.failure("vegeta") is None
    (path / seal.name("principal", "digest")).write_bytes(seal.seal("principal", "digest", ["someone"]))
    assert store.principal("digest") is None


def test_a_clock_that_is_set_back_makes_no_hours_of_a_moment(path: Path) -> None:
    """A failure that is shared for seconds: nobody would refresh meanwhile."""
    clock = FakeClock()
    store, _events = watched(path, clock=clock)
    store.put_failure("vegeta", {"code": "AccessDenied"}, 2.0)
    assert store.failure("vegeta") is not None
    clock.step_wall(-3_600.0)
    assert store.failure("vegeta") is None
