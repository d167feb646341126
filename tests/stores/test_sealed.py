from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.stores._sealed import Seal, UnusableEntryError, key_id

SECRET = bytes(range(32))
JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5)


@given(st.text(), st.text(), JSON, st.none() | st.text())
def test_what_was_sealed_is_opened(kind: str, key: str, value: object, account_id: str | None) -> None:
    """Under its kind and key."""
    seal = Seal(SECRET)
    assert seal.open(kind, key, seal.seal(kind, key, value, account_id)) == value


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_is_noticed(place: int, change: int) -> None:
    """Wherever it is: in what says how to read it, too."""
    seal = Seal(SECRET)
    data = bytearray(seal.seal("entry", "vegeta", {"a": 1}, "222222222222"))
    data[place % len(data)] ^= change
    with pytest.raises(UnusableEntryError):
        seal.open("entry", "vegeta", bytes(data))


@given(st.binary())
def test_anything_else_is_refused(data: bytes) -> None:
    """And raises nothing but that."""
    with pytest.raises(UnusableEntryError):
        Seal(SECRET).open("entry", "vegeta", data)


@pytest.mark.parametrize(("kind", "key"), [("failure", "vegeta"), ("entry", "joker"), ("entr", "yvegeta")])
def test_another_kind_or_key_opens_nothing(kind: str, key: str) -> None:
    """So an entry that was moved is a miss."""
    seal = Seal(SECRET)
    with pytest.raises(UnusableEntryError):
        seal.open(kind, key, seal.seal("entry", "vegeta", 1))


def test_two_seals_of_one_value_differ() -> None:
    """Each has a nonce of its own."""
    seal = Seal(SECRET)
    assert seal.seal("entry", "vegeta", 1) != seal.seal("entry", "vegeta", 1)


def test_names_differ_by_kind_key_and_master_key() -> None:
    """And are the same for all processes."""
    names = {
        Seal(secret).name(kind, key)
        for secret in (SECRET, bytes(32))
        for kind in ("entry", "lock")
        for key in ("vegeta", "joker")
    }
    assert len(names) == 8
    assert Seal(SECRET).name("entry", "vegeta") in names


def test_the_id_of_a_key_is_not_the_key() -> None:
    """It stands in every entry."""
    assert key_id(SECRET) not in SECRET.hex()
    assert len({key_id(SECRET), key_id(bytes(32))}) == 2
