"""Which session of this process a pickled one stands for."""

from __future__ import annotations

import functools
import pickle
import re
import threading
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from typing import Any
from weakref import WeakValueDictionary

from ._base import renew_after_fork
from .errors import ConfigError

__all__: list[str] = []

_FUNCTION = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class WorkerCopies:
    """The sessions of this process, by what their pickles say; holds none of them."""

    def __init__(self) -> None:
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds, and sessions of its own."""
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        self._sessions: WeakValueDictionary[bytes, Any] = WeakValueDictionary()

    def add(self, pickled: bytes, session: object) -> None:
        """Records that this pickle stands for that session."""
        with self._lock:
            self._sessions[_digest(pickled)] = session

    def find(self, pickled: bytes, is_open: Callable[[Any], bool]) -> Any:
        """The session that a pickle stands for, made where there is none yet, or one that was closed."""
        digest = _digest(pickled)
        # Held while it is made: two sessions would each assume all roles.
        with self._lock:
            session = self._sessions.get(digest)
            if session is None or not is_open(session):
                session = self._sessions[digest] = pickle.loads(pickled)  # noqa: S301 # a part of one being read
            return session


@functools.cache
def worker_copies() -> WorkerCopies:
    """Those of this process."""
    return WorkerCopies()


def check_worker_session(value: object) -> None:
    """Refuses what names no function of a module.

    Raises:
        ConfigError: It is neither None nor "module:function".
    """
    if value is not None and not (isinstance(value, str) and _FUNCTION.fullmatch(value)):
        raise ConfigError.invalid(value, "worker_session", '"module:function"')


def made_by_worker(function: str) -> object:
    """What the named function returns."""
    module, _, name = function.partition(":")
    return getattr(import_module(module), name)()


def _digest(pickled: bytes) -> bytes:
    return sha256(pickled).digest()
