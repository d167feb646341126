"""What is kept of a run beyond it: nothing but regions, where there is no journal."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, MutableMapping
from types import MappingProxyType
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


class KeptRegions:
    """Keeps nothing but which regions accounts have.

    Args:
        kept: Those of accounts that were asked before, by account; more are added.
        accounts: The accounts by the names that the run has for them, which may be others' in the next run.
    """

    def __init__(
        self,
        kept: MutableMapping[Any, tuple[str, ...]] | None = None,
        accounts: Mapping[str, Hashable] = MappingProxyType({}),
    ) -> None:
        self._kept = {} if kept is None else kept
        self._accounts = accounts

    def regions(self, account: str) -> tuple[str, ...] | None:
        """The regions of an account that was asked."""
        return self._kept.get(self._accounts[account])

    def selected(self, account: str, regions: tuple[str, ...]) -> None:
        """Keeps the regions of an account."""
        self._kept[self._accounts[account]] = regions

    def outcome(self, _unit: Unit) -> Outcome[Any] | None:
        """Nothing."""
        return None

    def write(self, _unit: Unit, outcome: Outcome[Any]) -> Outcome[Any]:
        """Keeps nothing."""
        return outcome

    def close(self) -> None:
        """Nothing is open."""
