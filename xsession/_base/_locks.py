"""Waiting and locking where a signal handler, or `__del__`, may come in at any point of the same thread."""

from __future__ import annotations

import threading
from typing import Protocol


def held_here(lock: object) -> bool:
    """Whether this thread is in a block of that lock: then what needs it in another thread can't be waited for.

    Args:
        lock: An `RLock`, or a `Condition` over one.
    """
    # Both have it, since a Condition asks its lock; nothing public says it.
    owned: bool = lock._is_owned()  # type: ignore[attr-defined]  # noqa: SLF001
    return owned


def is_held(lock: threading.RLock) -> bool:
    """Whether a thread is in a block of that lock, be it this one."""
    if held_here(lock) or not lock.acquire(blocking=False):
        return True
    lock.release()
    return False


class Waiter(Protocol):
    """What waits for a latch."""

    def release(self) -> object:
        """Called once, by the thread that sets the latch."""


class Latch:
    """An event that is set once. It has no lock, which `threading.Event` has.

    So one thread may wait for it, be interrupted in the middle of that by a signal handler that waits for it too, and
    another thread may set it meanwhile.
    """

    __slots__ = ("_set", "_waiters")

    def __init__(self) -> None:
        self._set = False
        self._waiters: list[Waiter] = []

    def is_set(self) -> bool:
        """Whether it is set."""
        return self._set

    def set(self) -> None:
        """Wakes all that wait, now and later."""
        self._set = True
        # Each step is atomic: whoever comes to wait meanwhile either sees that it is set, or is among these.
        while self._waiters:
            try:
                waiter = self._waiters.pop()
            except IndexError:
                # Another thread, or a signal handler, was faster.
                return
            waiter.release()

    def wait(self, timeout: float, /) -> bool:
        """Waits at most so many seconds; returns whether it was set."""
        if self._set:
            return True
        waiter = threading.Lock()
        waiter.acquire()
        self._waiters.append(waiter)
        try:
            # Set before it was among those that wait: nobody would wake it.
            if not self._set:
                waiter.acquire(timeout=min(max(timeout, 0.0), threading.TIMEOUT_MAX))
        finally:
            if not self._set:
                self.leave(waiter)
        return self._set

    def wake(self, waiter: Waiter, /) -> None:
        """Has this one woken as well: at once, if it is set."""
        self._waiters.append(waiter)
        if self._set:
            self.set()

    def leave(self, waiter: Waiter, /) -> None:
        """Forgets one that waits no longer."""
        try:
            self._waiters.remove(waiter)
        except ValueError:
            # It was set in this very moment.
            return
