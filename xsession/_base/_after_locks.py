"""What must run under no lock, such as hooks, which may wait for a thread that needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class _Here(threading.local):
    """What one thread calls when it has no lock any more; None: it has none."""

    waiting: list[Callable[[], object]] | None = None


_here = _Here()


@contextmanager
def under_lock() -> Iterator[None]:
    """Within the block this thread has a lock, or will: what is called `after_locks` waits for its end."""
    if _here.waiting is not None:
        yield
        return
    waiting = _here.waiting = []
    try:
        yield
    finally:
        _here.waiting = None
        for call in waiting:
            call()


def after_locks(call: Callable[[], object]) -> None:
    """Calls it: now, or when this thread leaves its outermost block with a lock.

    Args:
        call: Is called without arguments, in this thread.
    """
    if _here.waiting is None:
        call()
    else:
        _here.waiting.append(call)
