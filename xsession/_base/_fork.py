"""What must be made again in a forked child: locks that a thread of the parent held, threads, connections."""

from __future__ import annotations

import os
import threading
import weakref
from typing import Protocol


class Forkable(Protocol):
    """Something with a state that a forked child can't go on with."""

    def after_fork(self) -> None:
        """Makes that state again; called in the child, which has one thread then."""


class _Registry:
    """All living objects that want to hear of a fork."""

    def __init__(self) -> None:
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        self._objects: weakref.WeakSet[Forkable] = weakref.WeakSet()
        self._installed = False

    def add(self, item: Forkable) -> None:
        with self._lock:
            self._objects.add(item)
            if self._installed:
                return
            self._installed = True
        # Not every platform forks. No lock is taken before a fork: it could deadlock with the caller's own.
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_in_child)

    def _after_in_child(self) -> None:
        self._lock = threading.RLock()
        for item in list(self._objects):
            item.after_fork()


_registry = _Registry()


def renew_after_fork(item: Forkable) -> None:
    """Calls `item.after_fork()` in every child that this process forks, as long as `item` lives."""
    _registry.add(item)
