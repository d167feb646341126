"""How many outcomes a run will have, and which share of them has failed in one way."""

from __future__ import annotations

from collections import Counter

from ._outcomes import alike


class Expected:
    """Counts what is known of a run's outcomes. Accounts that are asked for their regions have more than one each.

    Args:
        total: How many there will be, as if accounts that are yet to be asked had one region.
        unasked: How many accounts are yet to be asked for their regions.
    """

    def __init__(self, total: int, unasked: int = 0) -> None:
        self.total = total
        self._unasked = unasked
        # Accounts that were asked, and all that they have.
        self._asked = self._found = 0
        self._alike: Counter[object] = Counter()

    def found(self, regions: int) -> None:
        """An account has so many regions; of one without any there is an outcome, too."""
        outcomes = max(1, regions)
        self._unasked -= 1
        self._asked += 1
        self._found += outcomes
        self.total += outcomes - 1

    def not_found(self) -> None:
        """An account did not say its regions: there is one outcome of it."""
        self._unasked -= 1

    @property
    def estimate(self) -> int:
        """How many outcomes there will be, if accounts that are yet to be asked have as many regions as the others."""
        return self.total + (self._unasked * (self._found - self._asked) // self._asked if self._asked else 0)

    def failed(self, error: Exception) -> int:
        """One more has failed; returns how many have in the same way."""
        kind = alike(error)
        self._alike[kind] += 1
        return self._alike[kind]
