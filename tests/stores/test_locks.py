from __future__ import annotations

import errno
import gc
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import filelock
import pytest

from tests.support.stores import STRANGER, as_root, credentials, entries, in_child, problems, started, watched
from xsession.events import Event, StoreProblem
from xsession.stores import FileStore
from xsession.stores import _locks as locks

HOLD = """
import os, sys, time
from xsession.stores import FileStore
from xsession.stores import _locks as locks
with FileStore(sys.argv[1]).refreshing("vegeta", 10) as held:
    print(held, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A store that has been used."""
    store = FileStore(tmp_path / "store")
    with store.refreshing("vegeta", 5) as held:
        assert held
    return tmp_path / "store"


@pytest.fixture
def holder(path: Path) -> subprocess.Popen[str]:
    """A process that holds the lock until it is told to end."""
    process = started(HOLD, str(path))
    assert process.stdout is not None
    assert process.stdout.readline() == "True\n"
    return process


def test_a_lock_ends_with_its_holder(path: Path, holder: subprocess.Popen[str]) -> None:
    """Also by SIGKILL: the next one has it within a second."""
    with FileStore(path).refreshing("vegeta", 0.2) as held:
        assert not held
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    before = time.monotonic()
    with FileStore(path).refreshing("vegeta", 10) as held:
        assert held
    assert time.monotonic() - before < 1.0


def test_threads_of_a_process_take_turns(path: Path) -> None:
    """With one store, too."""
    store = FileStore(path)
    inside, most = 0, 0
    counted = threading.RLock()

    def work() -> None:
        nonlocal inside, most
        with store.refreshing("vegeta", 30) as held:
            assert held
            with counted:
                inside += 1
                most = max(most, inside)
            time.sleep(0.01)
            with counted:
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_what_is_told_in_the_middle_of_a_refresh_is_told_when_the_lock_is_free(path: Path) -> None:
    """What takes it may be slow: other processes would wait as long."""
    free: list[bool] = []

    def take(_event: Event) -> None:
        with FileStore(path).refreshing("vegeta", 0.1) as held:
            free.append(held)

    store = FileStore(path, on_event=take)
    store.put("joker", credentials())
    (entry,) = entries(path)
    entry.write_bytes(b"damaged")
    with store.refreshing("vegeta", 5), store.refreshing("joker", 5):
        assert store.get("joker") is None
        assert free == []
    assert free == [True]


@pytest.mark.parametrize("end", ["exit", "return", "use", "collect"])
def test_a_forked_child_has_not_its_parents_lock(path: Path, end: str) -> None:
    """It neither releases it, however it ends, nor keeps it."""
    store = FileStore(path)
    with store.refreshing("vegeta", 5) as held:
        assert held
        child = os.fork()
        if child == 0:
            code = 1
            try:
                if end == "exit":
                    sys.exit(0)
                if end == "use":
                    with store.refreshing("vegeta", 0.2) as too:
                        assert not too
                    with store.refreshing("joker", 5) as too:
                        assert too
                if end == "collect":
                    gc.collect()
                code = 0
            except SystemExit:
                code = 0
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        with FileStore(path).refreshing("vegeta", 0.2) as too:
            assert not too
    with FileStore(path).refreshing("vegeta", 5) as then:
        assert then


def test_the_end_of_the_block_in_a_child_releases_nothing(path: Path) -> None:
    """The child leaves the block, as code does that forks in the middle of a refresh and returns."""
    store, held_by_parent = FileStore(path), False
    with store.refreshing("vegeta", 5):
        ready, go = os.pipe(), os.pipe()
        child = os.fork()
        if child != 0:
            os.read(ready[0], 1)
            with FileStore(path).refreshing("vegeta", 0.2) as too:
                held_by_parent = not too
            os.write(go[1], b"x")
            os.waitpid(child, 0)
    if child == 0:
        os.write(ready[1], b"x")
        os.read(go[0], 1)
        os._exit(0)
    assert held_by_parent
    for end in (*ready, *go):
        os.close(end)


def test_a_child_that_lives_on_keeps_no_lock(path: Path) -> None:
    """The parent releases it, or dies: the next one has it, though the child had a copy of its file."""
    store = FileStore(path)
    ready, go = os.pipe(), os.pipe()
    with store.refreshing("vegeta", 5):
        child = os.fork()
        if child == 0:
            os.write(ready[1], b"x")
            os.read(go[0], 1)
            os._exit(0)
        os.read(ready[0], 1)
    with FileStore(path).refreshing("vegeta", 5) as held:
        assert held
    os.write(go[1], b"x")
    os.waitpid(child, 0)
    for end in (*ready, *go):
        os.close(end)


def test_a_copy_of_a_lock_is_closed_and_never_released(path: Path) -> None:
    """What a forked child does, here where there is no other copy: it is free, and the block's end does nothing."""
    store = FileStore(path)
    with store.refreshing("vegeta", 5):
        (lock,) = store._locks._held
        store._locks.after_fork()
        lock.forget()
        with FileStore(path).refreshing("vegeta", 5) as held:
            assert held


def test_a_lock_that_comes_with_ctrl_c_is_released(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both at once: nobody would release it later."""
    real = threading.Event.wait

    def interrupted(self: threading.Event, timeout: float | None = None) -> bool:
        answered = real(self, timeout)
        if timeout == 7.0 and answered:
            raise KeyboardInterrupt
        return answered

    monkeypatch.setattr(threading.Event, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt), FileStore(path).refreshing("vegeta", 7.0):
        pytest.fail("Ctrl-C ends it")
    monkeypatch.undo()
    with FileStore(path).refreshing("vegeta", 5) as held:
        assert held


def lock_file(path: Path) -> Path:
    """The one of the key "vegeta"."""
    (found,) = (item for item in entries(path, "lock") if item.name != "key.lock")
    return found


def test_a_link_in_its_place_is_not_followed(path: Path, tmp_path: Path) -> None:
    """What it leads to stays as it is, the refresh goes on without a lock, and one event says so."""
    target = tmp_path / "mine"
    target.write_text("mine")
    lock = lock_file(path)
    lock.unlink()
    lock.symlink_to(target)
    store, events = watched(path)
    for _ in range(2):
        with store.refreshing("vegeta", 5) as held:
            assert not held
    assert target.read_text() == "mine"
    assert problems(events) == ["locks don't work"]


@as_root
def test_a_lock_file_of_another_user_is_not_used(path: Path) -> None:
    """Whoever owns it could keep it for ever."""
    os.chown(lock_file(path), STRANGER, STRANGER)
    lock_file(path).chmod(0o644)
    store, events = watched(path)
    for _ in range(2):
        with store.refreshing("vegeta", 5) as held:
            assert not held
    assert problems(events) == ["locks don't work"]


def test_a_folder_that_is_removed_while_a_lock_is_asked_for_is_closed_to_others(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """filelock makes it again, with rights for all, and no process would use it ever after."""
    real: Callable[..., Any] = filelock.FileLock.acquire

    def acquire(self: Any, *args: Any, **kwargs: Any) -> Any:
        shutil.rmtree(path)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    before = os.umask(0o022)
    try:
        store, events = watched(path)
        with store._locks.hold("a.lock", 5) as held:
            assert held
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o700
    assert problems(events) == []


@pytest.mark.parametrize("becomes", ["another user's to look into", "a link"])
def test_a_folder_that_can_not_be_used_any_more_is_waited_in_no_longer(
    path: Path, monkeypatch: pytest.MonkeyPatch, becomes: str
) -> None:
    """It is looked at before each attempt, nothing is locked in it, and its mode stays."""
    asked: list[object] = []

    def acquire(*_args: Any, **_kwargs: Any) -> Any:
        asked.append(1)
        raise filelock.Timeout(str(path))

    def wait(self: threading.Event, timeout: float | None = None) -> bool:
        if timeout == locks._FIRST_WAIT_SECONDS:
            if becomes == "a link":
                path.rename(path.with_name("moved"))
                path.symlink_to(path.with_name("moved"))
            else:
                path.chmod(0o755)
        return real(self, timeout)

    real = threading.Event.wait
    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    monkeypatch.setattr(threading.Event, "wait", wait)
    store, events = watched(path)
    with store._locks.hold("a.lock", 5) as held:
        assert not held
    assert len(asked) == 1
    assert problems(events) == ["the folder can't be used"]
    assert path.stat().st_mode & 0o777 == (0o700 if becomes == "a link" else 0o755)


def test_a_lock_that_is_held_is_not_cleared_away(path: Path) -> None:
    """Neither as one that was made three days ago, nor by `clear`: the next process would have one of the same name."""
    old = time.time() - 4 * 86_400
    os.utime(lock_file(path), (old, old))
    with FileStore(path).refreshing("vegeta", 5) as held:
        other = FileStore(path)
        other.put("goku", credentials())
        other.clear()
        with other.refreshing("vegeta", 0.05) as held_twice:
            assert (held, held_twice) == (True, False)


def hang(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Has lock calls return only when the event is set, as on a network drive whose server is gone."""
    over = threading.Event()
    real: Callable[..., Any] = filelock.FileLock.acquire

    def acquire(self: Any, *args: Any, **kwargs: Any) -> Any:
        over.wait(30)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(filelock.FileLock, "acquire", acquire)
    return over


def wait_once(store: FileStore) -> None:
    """Asks for a lock; nothing that the parent waited for is held against the child."""
    assert store._locks._unanswered is None
    with store.refreshing("vegeta", 0.1):
        pass


def test_a_busy_machine_is_not_one_that_hangs(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that takes longer than its caller's patience answers in the end: no event, and the next has the lock."""
    real: Callable[..., Any] = filelock.FileLock.acquire

    def acquire(self: Any, *args: Any, **kwargs: Any) -> Any:
        time.sleep(0.3)
        return real(self, *args, **kwargs)

    store, events = watched(path)
    with monkeypatch.context() as patched:
        patched.setattr(filelock.FileLock, "acquire", acquire)
        with store.refreshing("vegeta", 0.1) as held:
            assert not held
    with store.refreshing("vegeta", 10) as held:
        assert held
    assert problems(events) == []


def test_a_lock_call_that_never_returns_holds_nobody_up(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not longer than the caller's patience, and only once in a process; one event says so."""
    over = hang(monkeypatch)
    monkeypatch.setattr(locks, "_HANGING_SECONDS", 0.5)
    store, events = watched(path)
    before = time.monotonic()
    for _ in range(50):
        with store.refreshing("vegeta", 0.3) as held:
            assert not held
    assert 0.5 < time.monotonic() - before < 5.0
    assert problems(events) == ["locks don't work"]
    assert in_child(lambda: wait_once(store)) == 0
    assert "does not answer" in events.of(StoreProblem)[0].message
    over.set()
    monkeypatch.undo()
    with FileStore(path).refreshing("vegeta", 10) as held:  # what came too late was released
        assert held


def test_ctrl_c_ends_the_wait(path: Path, holder: subprocess.Popen[str]) -> None:
    """And the lock is not taken later on."""
    store = FileStore(path)
    timer = threading.Timer(0.3, signal.pthread_kill, [threading.main_thread().ident, signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt), store.refreshing("vegeta", 30):
        pytest.fail("the lock is another process's")
    holder.communicate("")
    with FileStore(path).refreshing("vegeta", 10) as held:
        assert held


def test_a_disk_without_locks_does_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No soft lock takes their place, which would outlive its holder."""
    fcntl = pytest.importorskip("fcntl")

    def unsupported(*_args: object) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    store, events = watched(path)
    with store.refreshing("vegeta", 5) as held:
        assert not held
    assert problems(events) == ["locks don't work"]
    store.put_principal("d", "arn")
    assert store.principal("d") == "arn"


def test_a_process_that_can_start_no_thread_does_without(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the end of the interpreter."""
    store, events = watched(path)

    def refuse(_thread: threading.Thread) -> None:
        msg = "can't start new thread"
        raise RuntimeError(msg)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with store.refreshing("vegeta", 5) as held:
        assert not held
    assert problems(events) == ["locks don't work"]


def test_an_older_filelock_will_do(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has no soft lock to fall back to, and no word for that."""
    real = filelock.FileLock

    def older(lock_file: Path, *, mode: int, thread_local: bool) -> Any:
        return real(lock_file, mode=mode, thread_local=thread_local)

    monkeypatch.setattr(filelock, "FileLock", older)
    with FileStore(path).refreshing("vegeta", 5) as held:
        assert held


def test_one_process_of_many_makes_the_master_key(tmp_path: Path) -> None:
    """All that start at once find each other's entries."""
    code = """
import sys
from tests.support.stores import credentials
from xsession.stores import FileStore
from xsession.stores import _locks as locks
sys.stdin.read()
FileStore(sys.argv[1]).put(sys.argv[2], credentials(sys.argv[2]))
"""
    processes = [started(code, str(tmp_path / "new"), f"ASIA{number}") for number in range(6)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait() for process in processes] == [0] * 6
    for process in processes:
        assert process.stdout is not None
        process.stdout.close()
    store = FileStore(tmp_path / "new")
    assert [store.get(f"ASIA{number}") is not None for number in range(6)] == [True] * 6


def test_a_child_in_another_user_has_no_lock(path: Path) -> None:
    """Nor does it break the parent's: it has no right to the folder."""
    if os.geteuid() != 0:
        pytest.skip("only root becomes another user")

    def use() -> None:
        with FileStore(path).refreshing("vegeta", 1) as held:
            assert not held

    assert in_child(use, uid=STRANGER) == 0
