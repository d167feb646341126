from __future__ import annotations

import json
import os
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from keyring.backends import chainer, null

from tests.support.cells import until
from tests.support.keyrings import (
    ForgetfulKeyring,
    HangingKeyring,
    LockedKeyring,
    MemoryKeyring,
    ReadOnlyKeyring,
)
from tests.support.programs import run_python
from tests.support.stores import STRANGER, as_root, credentials, entries, in_child, problems, watched
from xsession._base import write_private_file
from xsession.errors import KeyFileWarning
from xsession.events import Event, StoreProblem
from xsession.stores import FileStore
from xsession.stores import _keyring as keyrings
from xsession.stores import _master_key as master_key
from xsession.stores._folder import StoreFolder
from xsession.stores._keyring import KeyringError, find_keyring, in_time

Use = Callable[[type[MemoryKeyring]], None]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a store may be."""
    return tmp_path / "store"


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Use:
    """Makes a keyring that of this machine."""
    MemoryKeyring.reset()

    def choose(kind: type[MemoryKeyring]) -> None:
        monkeypatch.setattr("keyring.get_keyring", kind)

    return choose


def said(path: Path) -> dict[str, Any]:
    """What the folder says of its key."""
    found: dict[str, Any] = json.loads((path / "key.json").read_text())
    return found


def test_the_key_lies_in_the_keyring(path: Path, use: Use) -> None:
    """One short string of ASCII, whatever the number of accounts; nothing of it is in the folder."""
    use(MemoryKeyring)
    store, events = watched(path)
    for number in range(10):
        store.put(f"key {number}", credentials(session_token="t" * 2_000))
    ((name, secret),) = MemoryKeyring.kept.items()
    assert secret.isascii()
    assert len(secret) <= 100
    assert name == ("xsession", said(path)["key_id"])
    assert MemoryKeyring.writes == 1
    assert events.events == []
    assert secret.encode() not in b"".join(item.read_bytes() for item in path.iterdir())


@pytest.mark.parametrize("was_damaged", [False, True])
def test_a_key_that_is_made_while_this_process_looks_for_one_is_used(
    path: Path, use: Use, monkeypatch: pytest.MonkeyPatch, was_damaged: bool
) -> None:
    """By another process, right after the look; that one was damaged then is said, and does not stay so."""
    use(MemoryKeyring)
    path.mkdir(mode=0o700)
    if was_damaged:
        write_private_file(path / "key.json", b"{}")
    read = StoreFolder.read

    def look(folder: StoreFolder, name: str, **options: Any) -> Any:
        found = read(folder, name, **options)
        with monkeypatch.context() as undone:
            undone.setattr(StoreFolder, "read", read)
            (path / "key.json").unlink(missing_ok=True)
            FileStore(path).put("joker", credentials())
        monkeypatch.setattr(StoreFolder, "read", read)
        return found

    monkeypatch.setattr(StoreFolder, "read", look)
    store, events = watched(path)
    store.put("vegeta", credentials())
    assert problems(events) == (["there is no master key"] if was_damaged else [])
    store.put("vegeta", credentials())
    assert FileStore(path).get("vegeta") is not None


def test_a_process_reads_the_keyring_once(path: Path, use: Use) -> None:
    """For ten accounts, and writes nothing."""
    use(MemoryKeyring)
    FileStore(path).put("key 0", credentials())
    MemoryKeyring.reads = MemoryKeyring.writes = 0
    store = FileStore(path)
    for number in range(10):
        store.get(f"key {number}")
        store.put(f"key {number}", credentials())
        with store.refreshing(f"key {number}", 5):
            pass
    assert (MemoryKeyring.reads, MemoryKeyring.writes) == (1, 0)


def test_threads_that_come_at_once_read_it_once(path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """The others wait for the first one."""
    use(MemoryKeyring)
    FileStore(path).put("vegeta", credentials())
    MemoryKeyring.reads = 0
    real = MemoryKeyring.get_password

    def slow(self: MemoryKeyring, service: str, username: str) -> str | None:
        time.sleep(0.2)
        return real(self, service, username)

    monkeypatch.setattr(MemoryKeyring, "get_password", slow)
    store = FileStore(path)
    found: list[bool] = []
    threads = [threading.Thread(target=lambda: found.append(store.get("vegeta") is not None)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, MemoryKeyring.reads) == ([True] * 8, 1)


def test_stores_that_come_at_once_make_one_key(path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under a lock, so that the keyring is written once."""
    use(MemoryKeyring)
    real = MemoryKeyring.set_password

    def slow(self: MemoryKeyring, service: str, username: str, password: str) -> None:
        time.sleep(0.2)
        real(self, service, username, password)

    monkeypatch.setattr(MemoryKeyring, "set_password", slow)
    stores = [FileStore(path) for _ in range(4)]
    threads = [threading.Thread(target=store.put, args=("vegeta", credentials())) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert MemoryKeyring.writes == 1
    assert all(store.get("vegeta") is not None for store in stores)


def test_a_signal_handler_waits_for_no_thread_of_its_own(path: Path, use: Use) -> None:
    """It comes in while its own thread reads the keyring, and finds nothing."""
    use(MemoryKeyring)
    FileStore(path).put("vegeta", credentials())
    store = FileStore(path)
    key = store._master_key
    inside: list[Any] = []
    real = key._secret

    def interrupted() -> bytes:
        inside.append(store.get("vegeta"))
        return real()

    key._secret = interrupted  # type: ignore[method-assign]
    assert store.get("vegeta") is not None
    assert inside == [None]


def test_a_fork_while_the_key_is_read_leaves_a_child_that_works(path: Path, use: Use) -> None:
    """It waits for no thread that it does not have."""
    use(MemoryKeyring)
    FileStore(path).put("vegeta", credentials())
    store = FileStore(path)
    inside, over = threading.Event(), threading.Event()
    real = store._master_key._secret

    def slow() -> bytes:
        if threading.current_thread() is thread:
            inside.set()
            over.wait(10)
        return real()

    store._master_key._secret = slow  # type: ignore[method-assign]
    thread = threading.Thread(target=store.get, args=("vegeta",))
    thread.start()
    inside.wait(10)

    def use_it() -> None:
        assert store.get("vegeta") is not None

    assert in_child(use_it) == 0
    store._master_key.after_fork()  # as the child does
    assert store.get("vegeta") is not None
    over.set()
    thread.join()


def test_the_keyring_is_found_again_by_its_name(path: Path, use: Use) -> None:
    """In a process that looks for no others: a scan of all entry points takes half a second."""
    use(MemoryKeyring)
    FileStore(path).put("vegeta", credentials())
    ((_, secret),) = MemoryKeyring.kept.items()
    code = """
import sys
from tests.support.keyrings import MemoryKeyring
MemoryKeyring.kept["xsession", sys.argv[2]] = sys.argv[3]
import importlib.metadata
importlib.metadata.entry_points = None
from xsession.stores import FileStore
assert FileStore(sys.argv[1]).get("vegeta") is not None
print(*(name for name in sys.modules if name.startswith("keyring.backends.")))
"""
    assert run_python(code, str(path), said(path)["key_id"], secret).split() == ["keyring.backends.fail"]


def test_without_a_keyring_the_key_lies_in_a_file(path: Path) -> None:
    """Of mode 0600; said aloud once, by a warning and an event, and never again."""
    store, events = watched(path)
    with pytest.warns(KeyFileWarning, match="this machine has no keyring"):
        store.put("vegeta", credentials())
    (event,) = events.of(StoreProblem)
    assert event.problem == "the master key is in a file"
    assert (path / "key.json").stat().st_mode & 0o777 == 0o600
    other, events = watched(path)
    assert other.get("vegeta") is not None
    assert events.events == []


@pytest.mark.filterwarnings("error:this machine has no keyring")
def test_a_warning_that_is_an_error_shows_no_key(path: Path) -> None:
    """No frame of its traceback has it; the store goes on."""
    store, _ = watched(path)
    with pytest.raises(KeyFileWarning) as caught:
        store.put("vegeta", credentials())
    frames = [frame for frame, _ in traceback.walk_tb(caught.value.__traceback__)]
    ours = [
        frame for frame in frames if "stores" in frame.f_code.co_filename and "tests" not in frame.f_code.co_filename
    ]
    key = bytes.fromhex(said(path)["key"])
    assert len(ours) > 2
    assert not any(key in frame.f_locals.values() or key.hex() in frame.f_locals.values() for frame in ours)
    store.put("vegeta", credentials())
    assert store.get("vegeta") is not None


@pytest.mark.parametrize("first", ["file", "keyring"])
def test_where_the_key_is_never_changes(path: Path, use: Use, first: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever keyring appears later, or disappears."""
    if first == "keyring":
        use(MemoryKeyring)
    FileStore(path).put("vegeta", credentials())
    before = said(path)
    if first == "keyring":
        monkeypatch.setattr("keyring.get_keyring", None)
    else:
        use(MemoryKeyring)
    store = FileStore(path)
    assert store.get("vegeta") is not None
    store.put("joker", credentials())
    assert said(path) == before
    assert before["kept_in"] == first


@pytest.mark.parametrize("kind", [LockedKeyring, ReadOnlyKeyring, ForgetfulKeyring])
def test_a_keyring_that_fails_at_first_leaves_memory(path: Path, use: Use, kind: type[MemoryKeyring]) -> None:
    """No file takes its place; said once, not tried again, and nothing that it was given is shown."""
    use(kind)
    store, events = watched(path)
    for number in range(3):
        store.put(f"key {number}", credentials())
        assert store.get(f"key {number}") is not None
        with store.refreshing(f"key {number}", 5) as held:
            assert not held
    assert problems(events) == ["there is no master key"]
    assert MemoryKeyring.writes <= 1
    assert (entries(path), (path / "key.json").exists()) == ([], False)
    shown = "".join(map(str, events.events))
    assert not any(secret in shown for secret in MemoryKeyring.kept.values())
    assert "can't store" not in shown


def test_what_is_said_of_the_key_holds_up_nobody(path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes it may wait for a thread that uses the store."""
    use(MemoryKeyring)
    FileStore(path).put("vegeta", credentials())
    monkeypatch.setattr(MemoryKeyring, "get_password", LockedKeyring.get_password)
    ended: list[bool] = []

    def take(_event: Event) -> None:
        thread = threading.Thread(target=store.get, args=["vegeta"])
        thread.start()
        thread.join(5)
        ended.append(not thread.is_alive())

    store = FileStore(path, on_event=take)
    assert store.get("vegeta") is None
    assert ended == [True]


def test_a_keyring_that_is_locked_later_leaves_memory(path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies there is left alone; the next process finds it again."""
    use(MemoryKeyring)
    FileStore(path).put("vegeta", credentials())
    with monkeypatch.context() as patched:
        patched.setattr(MemoryKeyring, "get_password", LockedKeyring.get_password)
        store, events = watched(path)
        assert store.get("vegeta") is None
        store.put("vegeta", credentials("ASIA2"))
        assert store.get("vegeta") is not None
        assert problems(events) == ["there is no master key"]
    found = FileStore(path).get("vegeta")
    assert found is not None
    assert found.access_key_id == "ASIA1"


def test_a_keyring_that_hangs_holds_up_one_call(path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within five seconds, here less; no other call waits."""
    assert keyrings.PATIENCE_SECONDS == 5.0
    monkeypatch.setattr(keyrings, "PATIENCE_SECONDS", 0.2)
    use(HangingKeyring)
    store, events = watched(path)
    before = time.monotonic()
    for number in range(5):
        store.put(f"key {number}", credentials())
        assert store.get(f"key {number}") is not None
    assert time.monotonic() - before < 2.0
    assert MemoryKeyring.reads == 1
    assert problems(events) == ["there is no master key"]
    assert "did not answer" in events.of(StoreProblem)[0].message


def test_processes_that_start_at_once_wait_for_a_keyring_once(
    path: Path, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has waited for another one, which got no answer, does not ask again; whoever comes later does."""
    monkeypatch.setattr(keyrings, "PATIENCE_SECONDS", 0.4)
    use(HangingKeyring)
    (first, _), (second, events) = watched(path), watched(path)
    thread = threading.Thread(target=first.put, args=("vegeta", credentials()))
    thread.start()
    until(lambda: MemoryKeyring.reads == 1)
    second.put("vegeta", credentials())
    thread.join()
    assert second.get("vegeta") is not None
    assert MemoryKeyring.reads == 1
    (problem,) = events.of(StoreProblem)
    assert problem.message == "the keyring did not answer another process"
    FileStore(path).put("vegeta", credentials())
    assert MemoryKeyring.reads == 2


def test_a_long_wait_for_another_process_is_no_failure_of_its_keyring(
    path: Path, use: Use, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A busy machine has one wait for seconds: where no key was made meanwhile, the one that waited makes it."""
    for module in (keyrings, master_key):
        monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.2)
    use(MemoryKeyring)
    waits, ends = threading.Event(), threading.Event()

    def other() -> None:
        with FileStore(path)._locks.hold("key.lock", 5):
            waits.set()
            ends.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert waits.wait(10)
    threading.Timer(0.3, ends.set).start()
    store, events = watched(path)
    store.put("vegeta", credentials())
    thread.join()
    assert problems(events) == []
    assert FileStore(path).get("vegeta") is not None


def test_a_note_of_a_keyring_that_failed_ends(path: Path, use: Use, monkeypatch: pytest.MonkeyPatch) -> None:
    """It goes with `clear`, and by itself; the folder counts as empty while nothing else is there."""
    monkeypatch.setattr(keyrings, "PATIENCE_SECONDS", 0.1)
    use(HangingKeyring)
    store, note = FileStore(path), path / "key.failure"
    store.put("vegeta", credentials())
    assert note.stat().st_mode & 0o777 == 0o600
    assert store.is_empty
    store.clear()
    assert not note.exists()
    FileStore(path).put("vegeta", credentials())
    os.utime(note, (0, time.time() - 700))
    use(MemoryKeyring)
    FileStore(path).put("vegeta", credentials())
    assert not note.exists()


def test_a_key_that_is_gone_leaves_memory_until_clear(path: Path, use: Use) -> None:
    """The keyring was reset. No key takes its place by itself; `clear` has a new one made."""
    use(MemoryKeyring)
    FileStore(path).put("vegeta", credentials())
    MemoryKeyring.kept.clear()
    store, events = watched(path)
    assert store.get("vegeta") is None
    assert "is not there any more" in events.of(StoreProblem)[0].message
    assert MemoryKeyring.kept == {}
    store.clear()
    store.put("vegeta", credentials("ASIA2"))
    assert FileStore(path).get("vegeta") is not None
    assert len(MemoryKeyring.kept) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"{}", b'{"format": 2}', b'{"format": 1, "kept_in": "file", "key": "zz"}'],
    ids=range(6),
)
def test_a_key_file_that_is_damaged_leaves_memory(path: Path, content: bytes) -> None:
    """It is left alone."""
    FileStore(path).put("vegeta", credentials())
    (path / "key.json").write_bytes(content)
    store, events = watched(path)
    store.put("vegeta", credentials())
    assert store.get("vegeta") is not None
    assert problems(events) == ["there is no master key"]
    assert (path / "key.json").read_bytes() == content


def test_a_key_that_others_may_read_is_not_used(path: Path) -> None:
    """Who has read it could read all that comes."""
    FileStore(path).put("vegeta", credentials())
    (path / "key.json").chmod(0o640)
    store, events = watched(path)
    assert store.get("vegeta") is None
    assert "there is no master key" in problems(events)


@as_root
def test_a_key_of_another_user_is_not_used(path: Path) -> None:
    """That user could read all that comes."""
    FileStore(path).put("vegeta", credentials())
    os.chown(path / "key.json", STRANGER, STRANGER)
    store, events = watched(path)
    assert store.get("vegeta") is None
    assert "there is no master key" in problems(events)


def test_on_windows_there_is_no_key_file(path: Path, use: Use) -> None:
    """Only the keyring; the folder's own list of rights protects the entries."""
    store, events = watched(path, os_name="nt")
    store.put("vegeta", credentials())
    assert store.get("vegeta") is not None
    assert (problems(events), entries(path)) == (["there is no master key"], [])
    use(MemoryKeyring)
    path.chmod(0o755)
    FileStore(path, os_name="nt").put("vegeta", credentials())
    assert FileStore(path, os_name="nt").get("vegeta") is not None
    assert said(path)["kept_in"] == "keyring"


def test_a_process_that_was_slower_takes_the_other_ones_key(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where locks don't work, both make one: the first that lies there is that of both."""
    other = FileStore(path)
    store, events = watched(path)
    real = find_keyring

    def find_late() -> Any:
        monkeypatch.setattr("xsession.stores._master_key.find_keyring", real)
        other._locks._broken = True
        other.put("vegeta", credentials())
        return real()

    monkeypatch.setattr("xsession.stores._master_key.find_keyring", find_late)
    store.put("joker", credentials("ASIA2"))
    assert store.get("vegeta") is not None
    assert FileStore(path).get("joker") is not None
    assert problems(events) == []


def test_a_key_that_was_removed_meanwhile_leaves_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process made one, and a cleaner of caches took it."""

    def taken(*_args: object, **_options: object) -> None:
        raise FileExistsError

    monkeypatch.setattr("xsession.stores._master_key.write_private_file", taken)
    store, events = watched(path)
    store.put("vegeta", credentials())
    assert store.get("vegeta") is not None
    assert problems(events) == ["there is no master key"]


def test_what_a_keyring_raises_shows_nothing() -> None:
    """Only the kind of error: its words may hold what it keeps."""

    def fail() -> None:
        msg = "the secret"
        raise LookupError(msg)

    with pytest.raises(KeyringError, match=r"^the keyring failed: LookupError$"):
        in_time(fail)


def test_a_process_that_can_start_no_thread_has_no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the end of the interpreter."""

    def refuse(_thread: threading.Thread) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(KeyringError, match="can't start new thread"):
        in_time(int)


def test_a_chain_of_no_keyrings_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor is the one that forgets everything."""

    class Empty(chainer.ChainerBackend):
        backends: tuple[Any, ...] = ()

    for kind in (Empty, null.Keyring):
        monkeypatch.setattr("keyring.get_keyring", kind)
        assert find_keyring() is None


def test_a_key_that_cannot_be_written_leaves_memory(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk is full from the beginning."""

    def full(*_args: object, **_options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("xsession.stores._master_key.write_private_file", full)
    store, events = watched(path)
    store.put("vegeta", credentials())
    assert store.get("vegeta") is not None
    assert problems(events) == ["the disk can't be written to", "there is no master key"]
