from __future__ import annotations

from datetime import UTC, datetime

from xsession.credentials import Credentials
from xsession.stores import MemoryStore, Store
from xsession.stores._memory import NoStore
from xsession.testing import FakeClock, StoreContract


class TestMemoryStore(StoreContract):
    """It keeps what every store must."""

    def new_store(self) -> MemoryStore:
        """One of this process."""
        return MemoryStore()


def credentials(key_id: str, clock: FakeClock, lifetime: float | None = 900.0) -> Credentials:
    """Some that live so long from now on."""
    return Credentials(
        access_key_id=key_id,
        secret_access_key="s",
        issued_at=datetime.fromtimestamp(clock.wall(), UTC),
        lifetime=lifetime,
    )


def test_a_store_gives_back_what_was_put() -> None:
    """Under the same key, and nothing under another."""
    clock = FakeClock()
    store = MemoryStore(wall=clock.wall)
    kept = credentials("ASIA1", clock)
    store.put("key", kept)
    assert (store.get("key"), store.get("other")) == (kept, None)


def test_what_has_ended_is_gone() -> None:
    """Credentials leave at their end by the local clock; long-term ones never do."""
    clock = FakeClock()
    store = MemoryStore(wall=clock.wall)
    store.put("short", credentials("ASIA1", clock))
    store.put("long", credentials("AKIA1", clock, None))
    clock.advance(899)
    assert store.get("short") is not None
    clock.advance(1)
    assert store.get("short") is None
    assert store.get("long") is not None


def test_delete_forgets() -> None:
    """With a key id only if that is what is kept: a late rejection must not end newer ones."""
    clock = FakeClock()
    store = MemoryStore(wall=clock.wall)
    store.put("key", credentials("ASIA2", clock))
    store.delete("key", "ASIA1")
    assert store.get("key") is not None
    store.delete("key", "ASIA2")
    assert store.get("key") is None
    store.put("key", credentials("ASIA3", clock))
    store.delete("key")
    store.delete("key")
    assert store.get("key") is None


def test_a_store_is_bounded() -> None:
    """The least recently used go first."""
    clock = FakeClock()
    store = MemoryStore(2, wall=clock.wall)
    for number in range(3):
        store.put(str(number), credentials(f"ASIA{number}", clock))
    assert [store.get(str(number)) is not None for number in range(3)] == [False, True, True]


def test_a_forked_child_has_a_store_that_works() -> None:
    """What was being changed while the process forked is not trusted; what lay still is kept."""
    clock = FakeClock()
    store = MemoryStore(wall=clock.wall)
    store.put("key", credentials("ASIA1", clock))
    store.after_fork()
    assert store.get("key") is not None
    store._lock.acquire()
    store.after_fork()
    assert store.get("key") is None


def test_no_store_keeps_nothing() -> None:
    """What is put there is gone."""
    store: Store = NoStore()
    store.put("key", credentials("ASIA1", FakeClock()))
    assert store.get("key") is None
    store.delete("key")
