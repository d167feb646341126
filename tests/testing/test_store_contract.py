from __future__ import annotations

import pytest

from xsession.credentials import Credentials
from xsession.stores import MemoryStore, SharedStore
from xsession.testing import SharedStoreContract, StoreContract


class ForgetfulStore(MemoryStore):
    """One that keeps nothing."""

    def put(self, _key: str, _credentials: Credentials) -> None:
        """Forgets it."""


class StubbornStore(MemoryStore):
    """One that a late rejection takes everything from."""

    def delete(self, key: str, _access_key_id: str | None = None) -> None:
        """Forgets the key, whatever is kept."""
        super().delete(key)


class OfForgetful(StoreContract):
    """The tests of one that keeps nothing."""

    def new_store(self) -> ForgetfulStore:
        """One that fails."""
        return ForgetfulStore()


class OfStubborn(StoreContract):
    """The tests of one that forgets too much."""

    def new_store(self) -> StubbornStore:
        """One that fails."""
        return StubbornStore()


def test_a_store_that_keeps_nothing_fails() -> None:
    """The contract can fail."""
    with pytest.raises(AssertionError):
        OfForgetful().test_what_was_put_is_found()
    with pytest.raises(AssertionError):
        OfForgetful().test_threads_share_it()


def test_a_store_that_forgets_too_much_fails() -> None:
    """Also where only one of its sentences is broken."""
    with pytest.raises(AssertionError):
        OfStubborn().test_a_late_rejection_ends_no_newer_credentials()
    OfStubborn().test_what_was_deleted_is_not_found()


def test_the_store_is_the_users_to_make() -> None:
    """The mixin alone has none."""
    contract = SharedStoreContract()
    with pytest.raises(NotImplementedError):
        StoreContract().new_store()
    with pytest.raises(NotImplementedError):
        contract.new_store()
    store: SharedStore = None  # type: ignore[assignment] # it is not looked at
    with pytest.raises(NotImplementedError):
        contract.as_another_process(store)
