"""Locks in botocore's credentials: a fork copies them, and the thread that holds one is not in the child."""

from __future__ import annotations

import threading

_LOCK, _RLOCK = type(threading.Lock()), type(threading.RLock())
_MODULES = frozenset({"botocore.credentials", "botocore.tokens"})


def renew_locks(credentials: object) -> None:
    """Gives credentials, and those that they are refreshed with, locks that no thread holds.

    Args:
        credentials: botocore's. No thread may be in the middle of them: this is for a child that was just forked.
    """
    waiting, known = [credentials], set[int]()
    while waiting:
        method = waiting.pop()
        item = getattr(method, "__self__", method)
        if id(item) in known or not any(base.__module__ in _MODULES for base in type(item).__mro__):
            continue
        known.add(id(item))
        # By their kind: their names are botocore's business, and about to change.
        for name, value in list(getattr(item, "__dict__", {}).items()):
            if isinstance(value, _LOCK | _RLOCK):
                setattr(item, name, threading.Lock() if isinstance(value, _LOCK) else threading.RLock())
            else:
                waiting.append(value)
