"""What is kept of a run beyond it: nothing, where there is no journal."""

from __future__ import annotations

from typing import Any, Protocol

from ._outcomes import Outcome
from ._plan import Unit


class Record(Protocol):
    """What is kept of a run, so that the next one does only the rest."""

    def regions(self, account: str, /) -> tuple[str, ...] | None:
        """The regions that an account was found to have; None: it was not asked yet."""

    def selected(self, account: str, regions: tuple[str, ...], /) -> None:
        """Keeps the regions of an account."""

    def outcome(self, unit: Unit, /) -> Outcome[Any] | None:
        """What came of a unit in an earlier run, where it need not be done again."""

    def write(self, unit: Unit, outcome: Outcome[Any], /) -> Outcome[Any]:
        """Keeps what came of a unit; returns what should be told of it."""

    def close(self) -> None:
        """Ends it."""


class NoRecord:
    """Keeps nothing."""

    def regions(self, _account: str) -> tuple[str, ...] | None:
        """Nothing."""
        return None

    def selected(self, _account: str, _regions: tuple[str, ...]) -> None:
        """Keeps nothing."""

    def outcome(self, _unit: Unit) -> Outcome[Any] | None:
        """Nothing."""
        return None

    def write(self, _unit: Unit, outcome: Outcome[Any]) -> Outcome[Any]:
        """Keeps nothing."""
        return outcome

    def close(self) -> None:
        """Nothing is open."""
