"""One function over many accounts: a result or an error for each."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from ._base import frozen

__all__ = ["Outcome", "Outcomes"]

T = TypeVar("T")
Item = TypeVar("Item")


@frozen
class Outcome(Generic[T]):
    """What came of one account.

    Args:
        account: The account's name.
        value: The result; None where there is an error.
        error: What went wrong.
        seconds: How long it took.
        notes: What a person should know besides, such as options of its profile that have no effect.
    """

    account: str
    value: T | None
    error: Exception | None
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is a result."""
        return self.error is None


class Outcomes(Mapping[str, Outcome[T]]):
    """The outcomes by account name, in the order in which the accounts were given."""

    def __init__(self, outcomes: Iterable[Outcome[T]]) -> None:
        self._outcomes = {outcome.account: outcome for outcome in outcomes}

    def __getitem__(self, account: str) -> Outcome[T]:
        return self._outcomes[account]

    def __iter__(self) -> Iterator[str]:
        return iter(self._outcomes)

    def __len__(self) -> int:
        return len(self._outcomes)

    def __repr__(self) -> str:
        return f"<Outcomes: {len(self.results)} ok, {len(self.errors)} failed>"

    @property
    def ok(self) -> bool:
        """Whether all accounts succeeded."""
        return not self.errors

    @property
    def results(self) -> dict[str, T]:
        """The results of those that succeeded, by account name."""
        return {name: outcome.value for name, outcome in self.items() if outcome.ok}  # type: ignore[misc]  # ok has a value

    @property
    def errors(self) -> dict[str, Exception]:
        """The errors of those that failed, by account name."""
        return {name: outcome.error for name, outcome in self.items() if outcome.error is not None}

    def raise_for_errors(self) -> None:
        """Raises an `ExceptionGroup` of all errors, if there are any."""
        if self.errors:
            msg = f"{len(self.errors)} of {len(self)} accounts failed: {', '.join(self.errors)}"
            raise ExceptionGroup(msg, list(self.errors.values()))


def fan_out(
    func: Callable[[Item], T],
    items: Mapping[str, Item],
    *,
    max_workers: int,
    notes: Callable[[Item], tuple[str, ...]] = lambda _item: (),
) -> Outcomes[T]:
    """Calls `func` for every item in threads.

    Args:
        func: Called once for each item; what it raises becomes that account's error.
        items: By account name.
        max_workers: How many threads at most.
        notes: What a person should know of an item, whatever comes of it.
    """

    def attempt(name: str) -> Outcome[T]:
        began = time.monotonic()
        value, failure = None, None
        try:
            value = func(items[name])
        except Exception as error:  # noqa: BLE001 # one account's failure must not end the others'
            failure = error
        return Outcome(name, value, failure, time.monotonic() - began, notes(items[name]))

    with ThreadPoolExecutor(max(1, min(max_workers, len(items))), "xsession-fanout") as pool:
        return Outcomes(pool.map(attempt, items))
