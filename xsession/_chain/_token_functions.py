"""Names for functions that give web identity tokens, as parts of the keys of their roles."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from cachetools import LRUCache

_MAX_FUNCTIONS = 1_024


class TokenFunctions:
    """Gives each function a name of its own. Used by one thread at a time."""

    def __init__(self) -> None:
        # Held, so that no other function gets its id meanwhile.
        self._names: LRUCache[int, tuple[Callable[[], str], str]] = LRUCache(_MAX_FUNCTIONS)

    def name(self, function: Callable[[], str]) -> str:
        """The name of a function, the same as long as it is known."""
        known = self._names.get(id(function))
        if known is None:
            known = self._names[id(function)] = (function, f"web-identity:{uuid.uuid4()}")
        return known[1]
