"""Where credentials live between calls."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._choice import as_store as as_store
    from ._choice import is_portable as is_portable
    from ._file import FileStore
    from ._kept import KeptCredentials, KeptHop
    from ._kept import stored_key as stored_key
    from ._memory import MemoryStore
    from ._memory import NoStore as NoStore
    from ._place import named_store as named_store
    from ._store import MFA_KEY_PREFIX as MFA_KEY_PREFIX
    from ._store import SharedStore, Store
    from ._store import as_shared as as_shared

__all__ = ["FileStore", "KeptCredentials", "KeptHop", "MemoryStore", "SharedStore", "Store"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_choice": ("as_store", "is_portable"),
        "_file": ("FileStore",),
        "_kept": ("KeptCredentials", "KeptHop", "stored_key"),
        "_memory": ("MemoryStore", "NoStore"),
        "_place": ("named_store",),
        "_store": ("MFA_KEY_PREFIX", "SharedStore", "Store", "as_shared"),
    },
)
