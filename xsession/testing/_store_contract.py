"""What every store must do, as tests to inherit from."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from xsession._base import public
from xsession.credentials import Credentials
from xsession.stores import SharedStore, Store

_ROLE_ARN = "arn:aws:iam::222222222222:role/heroes/BatmanReadsBucket"
_SESSION_ARN = "arn:aws:sts::222222222222:assumed-role/BatmanReadsBucket/batman"
_LIFETIME_SECONDS = 3_600.0
_PATIENCE_SECONDS = 10.0


@public
class StoreContract:
    """Tests that any store must pass: inherit from it in a class that pytest collects, and make the store.

    ::

        class TestMyStore(StoreContract):
            def new_store(self):
                return MyStore()
    """

    def new_store(self) -> Store:
        """An empty store; called once by each test."""
        raise NotImplementedError

    def credentials(
        self, key_id: str = "ASIABATMAN", *, age: float = 0.0, source_identity: str | None = None
    ) -> Credentials:
        """Credentials of an hour.

        Args:
            key_id: Their key id.
            age: Seconds since they were issued.
            source_identity: Their source identity.
        """
        issued = datetime.now(UTC) - timedelta(seconds=age)
        return Credentials(
            access_key_id=key_id,
            secret_access_key="never shown",  # noqa: S106 # it is none
            session_token="nor this",  # noqa: S106 # likewise
            expiry=issued + timedelta(seconds=_LIFETIME_SECONDS),
            issued_at=issued,
            lifetime=_LIFETIME_SECONDS,
            account_id="222222222222",
            arn=_SESSION_ARN,
            source_identity=source_identity,
            region_name="eu-central-1",
        )

    def test_what_was_put_is_found(self) -> None:
        """With all that is known of it, and under its key alone."""
        store, kept = self.new_store(), self.credentials()
        store.put("vegeta", kept)
        found = store.get("vegeta")
        assert found == kept
        assert found is not None
        assert found.region_name == kept.region_name
        assert store.get("joker") is None

    def test_a_newer_one_takes_the_place(self) -> None:
        """As a refresh does."""
        store = self.new_store()
        store.put("vegeta", self.credentials("ASIA1", age=60))
        store.put("vegeta", self.credentials("ASIA2"))
        assert _key_id(store, "vegeta") == "ASIA2"

    def test_what_has_ended_is_not_found(self) -> None:
        """Nobody signs with it."""
        store = self.new_store()
        store.put("vegeta", self.credentials(age=_LIFETIME_SECONDS + 1))
        assert store.get("vegeta") is None

    def test_what_was_deleted_is_not_found(self) -> None:
        """And to delete it once more is no error."""
        store = self.new_store()
        store.put("vegeta", self.credentials())
        for _ in range(2):
            store.delete("vegeta")
            assert store.get("vegeta") is None

    def test_a_late_rejection_ends_no_newer_credentials(self) -> None:
        """With a key id, only those are deleted."""
        store = self.new_store()
        store.put("vegeta", self.credentials("ASIA2"))
        store.delete("vegeta", "ASIA1")
        assert _key_id(store, "vegeta") == "ASIA2"
        store.delete("vegeta", "ASIA2")
        assert store.get("vegeta") is None

    def test_any_string_is_a_key(self) -> None:
        """Long ones, and such as would be a path."""
        store = self.new_store()
        for number, key in enumerate(["../../vegeta", "a" * 2_000, "ve geta\n", "véga"]):
            store.put(key, self.credentials(f"ASIA{number}"))
            assert _key_id(store, key) == f"ASIA{number}"

    def test_threads_share_it(self) -> None:
        """Each finds what it has put, whatever the others do."""
        store = self.new_store()

        def work(number: int) -> bool:
            for _ in range(5):
                store.put(f"key {number}", self.credentials(f"ASIA{number}"))
                if _key_id(store, f"key {number}") != f"ASIA{number}":
                    return False
                store.delete("key of all")
                store.put("key of all", self.credentials())
                store.get("key of all")
            return True

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(work, range(8)))


@public
class SharedStoreContract(StoreContract):
    """Tests that a store of several processes must pass too.

    `new_store` makes it where no other test has one; `as_another_process` opens the same one once more.
    """

    def new_store(self) -> SharedStore:
        """An empty store; called once by each test."""
        raise NotImplementedError

    def as_another_process(self, store: SharedStore) -> SharedStore:
        """The same store, as another process has it: nothing of it is in memory there.

        Args:
            store: What `new_store` made.
        """
        raise NotImplementedError

    def test_another_process_finds_it(self) -> None:
        """And the newest, once it is put; what was deleted is gone for both."""
        mine = self.new_store()
        other = self.as_another_process(mine)
        mine.put("vegeta", self.credentials("ASIA1", age=60))
        assert _key_id(other, "vegeta") == "ASIA1"
        mine.put("vegeta", self.credentials("ASIA2"))
        assert _key_id(other, "vegeta") == "ASIA2"
        other.delete("vegeta", "ASIA2")
        assert mine.get("vegeta") is None

    def test_one_at_a_time_refreshes(self) -> None:
        """Another process waits, as long as it wants to; readers and other keys don't."""
        mine = self.new_store()
        other = self.as_another_process(mine)
        mine.put("vegeta", self.credentials())
        with mine.refreshing("vegeta", _PATIENCE_SECONDS) as held:
            assert held
            with other.refreshing("vegeta", 0.2) as too:
                assert not too
            with other.refreshing("joker", _PATIENCE_SECONDS) as of_another_key:
                assert of_another_key
            assert other.get("vegeta") is not None
        with other.refreshing("vegeta", _PATIENCE_SECONDS) as then:
            assert then

    def test_who_waits_gets_the_lock_when_it_is_free(self) -> None:
        """Well before its patience ends."""
        mine = self.new_store()
        other = self.as_another_process(mine)
        waited: list[bool] = []

        def wait() -> None:
            with other.refreshing("vegeta", 3 * _PATIENCE_SECONDS) as held:
                waited.append(held)

        thread = threading.Thread(target=wait)
        with mine.refreshing("vegeta", _PATIENCE_SECONDS):
            thread.start()
        thread.join(_PATIENCE_SECONDS)
        assert waited == [True]

    def test_a_mark_ends_a_key_for_all(self) -> None:
        """What was issued before it is neither found nor put again; what comes after it is."""
        mine = self.new_store()
        other = self.as_another_process(mine)
        before = self.credentials("ASIA1", age=60)
        for key in ("vegeta", "joker"):
            mine.put(key, before)
        assert other.get("vegeta") == before
        mine.mark(datetime.now(UTC) - timedelta(seconds=10), key="vegeta")
        assert mine.get("vegeta") is None
        assert other.get("vegeta") is None
        assert other.get("joker") == before
        other.put("vegeta", before)
        assert mine.get("vegeta") is None
        other.put("vegeta", self.credentials("ASIA2"))
        assert _key_id(mine, "vegeta") == "ASIA2"

    def test_a_mark_ends_a_role_or_a_person(self) -> None:
        """By the role's ARN, by the source identity, or by both together."""
        mine = self.new_store()
        other = self.as_another_process(mine)
        for name in ("batman", "robin"):
            mine.put(name, self.credentials(age=60, source_identity=name))
        now = time.time()
        other.mark(now, role_arn="arn:aws:iam::222222222222:role/Other")
        other.mark(now, role_arn=_ROLE_ARN, source_identity="robin")
        assert (mine.get("robin"), mine.get("batman") is None) == (None, False)
        other.mark(now, source_identity="batman")
        assert mine.get("batman") is None
        mine.put("nobody", self.credentials(age=60))
        other.mark(now, role_arn=_ROLE_ARN)
        assert mine.get("nobody") is None

    def test_a_mark_ends_everything(self) -> None:
        """Where it names nothing."""
        mine = self.new_store()
        mine.put("vegeta", self.credentials(age=60))
        self.as_another_process(mine).mark(time.time() - 10)
        assert mine.get("vegeta") is None

    def test_who_holds_credentials_can_ask_for_marks(self) -> None:
        """By what it knows of them."""
        mine = self.new_store()
        other = self.as_another_process(mine)
        at = datetime.now(UTC)
        assert not other.is_marked("vegeta", _ROLE_ARN, None, at)
        mine.mark(at, role_arn=_ROLE_ARN)
        assert other.is_marked("vegeta", _ROLE_ARN, None, at)
        assert other.is_marked("vegeta", _ROLE_ARN, None, None)
        assert not other.is_marked("vegeta", _ROLE_ARN, None, at + timedelta(seconds=1))
        assert not other.is_marked("vegeta", None, None, at)

    def test_a_failure_is_shared_for_a_moment(self) -> None:
        """Until its time is over, or credentials are put."""
        mine = self.new_store()
        other = self.as_another_process(mine)
        assert other.failure("vegeta") is None
        mine.put_failure("vegeta", {"code": "AccessDenied", "retryable": False}, 60)
        assert other.failure("vegeta") == {"code": "AccessDenied", "retryable": False}
        assert other.failure("joker") is None
        other.put("vegeta", self.credentials())
        assert mine.failure("vegeta") is None
        mine.put_failure("vegeta", {"code": "AccessDenied"}, 0)
        assert other.failure("vegeta") is None

    def test_a_principal_is_remembered(self) -> None:
        """By its descriptor; the newest counts."""
        mine = self.new_store()
        other = self.as_another_process(mine)
        assert other.principal("digest") is None
        for name in ("batman", "robin"):
            mine.put_principal("digest", f"arn:aws:iam::111111111111:user/{name}")
            assert other.principal("digest") == f"arn:aws:iam::111111111111:user/{name}"

    def test_clear_leaves_only_marks(self) -> None:
        """Others may still refresh what was marked."""
        mine = self.new_store()
        other = self.as_another_process(mine)
        before = self.credentials(age=60)
        mine.put("vegeta", before)
        mine.put_failure("joker", {}, 60)
        mine.put_principal("digest", "arn:aws:iam::111111111111:user/batman")
        mine.mark(time.time() - 10)
        other.clear()
        other.clear()
        assert (mine.get("vegeta"), mine.failure("joker"), mine.principal("digest")) == (None, None, None)
        mine.put("vegeta", before)
        assert other.get("vegeta") is None


def _key_id(store: Store, key: str) -> str | None:
    found = store.get(key)
    return None if found is None else found.access_key_id
