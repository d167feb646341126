"""Which store a session has, by what its caller, the environment or a file says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING

from xsession.errors import ConfigError

from ._store import Store

if TYPE_CHECKING:
    from xsession import events


def as_store(store: Store | str | None, on_event: events.Hook | None, wall: Callable[[], float]) -> Store:
    """The store that is meant.

    Args:
        store: A store; "file": a `FileStore` in the user's folder for caches, or the path of its folder; "memory" or
            None: this process's memory.
        on_event: Takes what a `FileStore` that is made here has to say; None: it is logged.
        wall: Reads the wall clock, seconds since the epoch.

    Raises:
        ConfigError: It is another string, or a package of the extra is missing.
    """
    if store is None or store == "memory":
        from ._memory import MemoryStore  # noqa: PLC0415 # programs that start often have a `FileStore`

        return MemoryStore(wall=wall)
    if not isinstance(store, str):
        return store
    from ._file import FileStore  # noqa: PLC0415 # many programs keep nothing on the disk

    if store == "file":
        return FileStore(on_event=on_event, wall=wall)
    if not (store.startswith("~") or PurePath(store).is_absolute()):
        raise ConfigError.invalid(store, "store", '"file", "memory" or an absolute path')
    return FileStore(store, on_event=on_event, wall=wall)


def is_portable(store: Store | str | None) -> bool:
    """Whether another process can have the same store."""
    if store is None or isinstance(store, str):
        return True
    from ._file import FileStore  # noqa: PLC0415 # as above

    return isinstance(store, FileStore)
