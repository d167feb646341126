"""Reads that may take long, each in a thread that nobody else waits for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")

MAX_THREADS = 64


class ColdReads(Generic[T]):
    """Reads in a bounded number of daemon threads: of each key one read at a time.

    Args:
        deliver: Called with the key and what was read, in the thread that read it.
        max_threads: How many there may be; what has none waits for its turn.
    """

    def __init__(self, deliver: Callable[[Hashable, T], None], max_threads: int = MAX_THREADS) -> None:
        self._deliver = deliver
        self._max_threads = max_threads
        # Re-entrant: a signal handler may come in, and close the server.
        self._lock = threading.RLock()
        self._waiting: deque[tuple[Hashable, Callable[[], T]]] = deque()
        self._keys: set[Hashable] = set()
        self._threads = 0

    def begin(self, key: Hashable, read: Callable[[], T]) -> bool:
        """Has `read` called soon, unless that of the key is under way; returns whether anything will be delivered.

        Args:
            key: What is read.
            read: Reads it; raises nothing.
        """
        with self._lock:
            if key in self._keys:
                return True
            self._keys.add(key)
            self._waiting.append((key, read))
            if self._threads >= self._max_threads:
                return True
            self._threads += 1
        try:
            threading.Thread(target=self._work, name="xsession-serve-read", daemon=True).start()
        except RuntimeError:
            return self._goes_on_without_one_more()
        return True

    def forget(self) -> None:
        """Begins none of those any more that wait for their turn."""
        with self._lock:
            self._forget()

    def _goes_on_without_one_more(self) -> bool:
        # The process can have no more threads; those that there are take what waits.
        with self._lock:
            self._threads -= 1
            if not self._threads:
                self._forget()
            return self._threads > 0

    def _forget(self) -> None:
        self._keys.difference_update(key for key, _ in self._waiting)
        self._waiting.clear()

    def _work(self) -> None:
        while (turn := self._next()) is not None:
            key, read = turn
            try:
                found = read()
            finally:
                # First: who comes after what was read is delivered must not wait for it.
                with self._lock:
                    self._keys.discard(key)
            self._deliver(key, found)
            del turn, read, found

    def _next(self) -> tuple[Hashable, Callable[[], T]] | None:
        with self._lock:
            if self._waiting:
                return self._waiting.popleft()
            self._threads -= 1
            return None
