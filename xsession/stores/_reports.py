"""What a store says of itself, once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xsession import events

_MOST_TOLD = 1_000


class StoreReports:
    """Tells each problem once in a process.

    Args:
        on_event: Takes the events; None: they are logged.
        wall: Reads the wall clock, seconds since the epoch.
    """

    def __init__(self, on_event: events.Hook | None, wall: Callable[[], float]) -> None:
        self._on_event = on_event
        self._wall = wall
        self._told: set[tuple[str, str | None]] = set()

    def tell(
        self,
        problem: events.StoreProblemKind,
        message: str,
        *,
        path: Path | None = None,
        hint: str | None = None,
        once_for: str | None = None,
    ) -> None:
        """Says what is wrong, unless that was said; never under a lock.

        Args:
            problem: What the store can't do.
            message: Why.
            path: The file or folder.
            hint: What to do.
            once_for: What it is said once for, where that is less than the whole store.
        """
        if (problem, once_for) in self._told or len(self._told) >= _MOST_TOLD:
            return
        self._told.add((problem, once_for))
        from xsession import events  # noqa: PLC0415 # seldom is there anything to say

        hooks = events.Hooks((events.LoggingHook() if self._on_event is None else self._on_event,))
        hooks(
            events.StoreProblem(
                at=datetime.fromtimestamp(self._wall(), UTC),
                account=None,
                role_arn=None,
                hop=None,
                problem=problem,
                message=message,
                path=None if path is None else str(path),
                hint=hint,
            )
        )
