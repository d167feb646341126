"""What came of many accounts: a result or an error for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

from xsession._base import Table, Tabular, frozen, public, shortened
from xsession.credentials import Credentials, Identity
from xsession.errors import XSessionError

_COLUMNS = ("account", "result", "seconds", "notes")
_MOST_NAMES = 10

T = TypeVar("T")


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

    @property
    def in_words(self) -> str:
        """In a few words what came of it: of an error AWS's code or the type; of other results but ours only "ok"."""
        if self.error is not None:
            return f"failed: {getattr(self.error, 'code', None) or type(self.error).__name__}"
        if isinstance(self.value, Identity):
            return self.value.arn
        if isinstance(self.value, Credentials) and self.value.expiry is not None:
            return f"until {self.value.expiry:%Y-%m-%d %H:%M:%S} UTC"
        return "ok"


@frozen
class FailureGroup:
    """Accounts that failed in the same way: their errors differ in names, ids and numbers at most.

    Args:
        accounts: The accounts' names, in the order in which they were given.
        error: The first one's error.
    """

    accounts: tuple[str, ...]
    error: Exception

    def __str__(self) -> str:
        names = shortened(self.accounts, _MOST_NAMES)
        return f"{names}: {in_words(self.error)}"


@public
class Outcomes(Tabular, Mapping[str, Outcome[T]]):
    """The outcomes by account name, in the order in which the accounts were given.

    As a string, they say which accounts failed and why, those that failed in the same way together; a notebook shows
    that above a table of all.
    """

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

    def __str__(self) -> str:
        return "\n  ".join(self._above())

    def _above(self) -> list[str]:
        failures = self.failures
        if not failures:
            return [f"{len(self)} of {len(self)} accounts ok"]
        failed = sum(len(group.accounts) for group in failures)
        return [f"{failed} of {len(self)} accounts failed:", *map(str, failures)]

    def _table(self) -> Table:
        return _COLUMNS, [
            (outcome.account, outcome.in_words, f"{outcome.seconds:.2f}", "; ".join(outcome.notes) or None)
            for outcome in self.values()
        ]

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

    @property
    def failures(self) -> tuple[FailureGroup, ...]:
        """The accounts that failed, those that failed in the same way together."""
        alike: dict[object, list[str]] = {}
        errors = self.errors
        for name, error in errors.items():
            alike.setdefault(_kind(error), []).append(name)
        return tuple(FailureGroup(tuple(names), errors[names[0]]) for names in alike.values())

    def raise_for_errors(self) -> None:
        """Raises an `ExceptionGroup` of all errors, if there are any."""
        if self.errors:
            raise ExceptionGroup(str(self), list(self.errors.values()))


def in_words(error: Exception) -> str:
    """What an error says, with its type where it is not one of ours, which say all by themselves."""
    return str(error) if isinstance(error, XSessionError) else f"{type(error).__name__}: {error}"


def _kind(error: Exception) -> object:
    """What errors have in common that have one cause: all but the account's own name, ids, role and numbers."""
    if not isinstance(error, XSessionError):
        return type(error), _without_numbers(str(error))
    words = f"{error.message}; {error.hint}"
    for own in (error.role_arn, error.account and repr(error.account)):
        words = words.replace(own, "...") if own else words
    return type(error), error.code, error.hop, _without_numbers(words)


def _without_numbers(words: str) -> str:
    return re.sub(r"\d+", "0", words)
