"""How many callers are in one place at the same time."""

from __future__ import annotations

import threading


class AtOnce:
    """Counts those that are in its block at the same time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self.most = 0

    def __enter__(self) -> None:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)

    def __exit__(self, *_exception: object) -> None:
        with self._lock:
            self._now -= 1
