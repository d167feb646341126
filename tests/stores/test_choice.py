from __future__ import annotations

from pathlib import Path

import pytest

from xsession.errors import ConfigError
from xsession.stores import FileStore, MemoryStore, Store
from xsession.stores._choice import as_store, is_portable
from xsession.stores._place import named_store
from xsession.testing import EventCapture, FakeClock


def chosen(store: Store | str | None) -> Store:
    """What a session makes of it."""
    return as_store(store, EventCapture(), FakeClock().wall)


def test_a_store_is_taken_as_it_is(tmp_path: Path) -> None:
    """Whoever made it."""
    for store in (MemoryStore(), FileStore(tmp_path)):
        assert chosen(store) is store


def test_words_and_paths_stand_for_stores(tmp_path: Path) -> None:
    """In memory where nothing is said."""
    assert isinstance(chosen(None), MemoryStore)
    assert isinstance(chosen("memory"), MemoryStore)
    assert isinstance(chosen("file"), FileStore)
    assert repr(chosen(str(tmp_path))) == f"<FileStore: {tmp_path}>"
    assert repr(chosen("~/store")) == f"<FileStore: {Path.home() / 'store'}>"


@pytest.mark.parametrize("word", ["", "disk", "./store"])
def test_other_words_are_refused(word: str) -> None:
    """The message says what may be there."""
    with pytest.raises(ConfigError, match='"file", "memory" or an absolute path'):
        chosen(word)


def test_only_what_others_can_open_travels(tmp_path: Path) -> None:
    """A store of this process's memory does not."""
    assert all(map(is_portable, (None, "file", FileStore(tmp_path))))
    assert not is_portable(MemoryStore())


@pytest.mark.parametrize(
    ("value", "store"), [("", None), ("memory", "memory"), ("file", "file"), ("/store", "file"), ("relative", "file")]
)
def test_the_variable_says_which_store(value: str, store: str | None) -> None:
    """A path in it is read by the store itself, which refuses a relative one."""
    assert named_store({"XSESSION_STORE": value}) == store
    assert named_store({}) is None
