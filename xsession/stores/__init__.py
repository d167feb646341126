"""Where credentials live between calls."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._memory import MemoryStore
    from ._memory import NoStore as NoStore
    from ._store import Store

__all__ = ["MemoryStore", "Store"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_memory": ("MemoryStore", "NoStore"),
        "_store": ("Store",),
    },
)
