"""What came of many accounts: a result or an error for each."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Generic, Literal, TypeVar

from xsession._base import Table, Tabular, frozen, public, shortened, text_of
from xsession.credentials import Credentials, Identity
from xsession.errors import XSessionError

from ._category import Category

Phase = Literal["select", "reach", "call"]
"""How far it came: which regions are meant; the account's credentials; the function itself."""
Status = Literal["ok", "failed", "skipped"]

_COLUMNS = ("account", "result", "seconds", "notes")
_COLUMNS_BY_REGION = ("account", "region", "result", "seconds", "notes")
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
        region: The region; None: none was named.
        phase: How far it came: "select", "reach" or "call".
        category: What kind of failure it is; None: it is none, or nobody looked.
        skipped: Whether there was nothing to do: the account has not enabled the region, or the service is not there.
    """

    account: str
    value: T | None
    error: Exception | None
    seconds: float
    notes: tuple[str, ...] = ()
    region: str | None = None
    phase: Phase = "call"
    category: Category | None = None
    skipped: bool = False

    @property
    def status(self) -> Status:
        """What came of it: "ok", "failed" or "skipped"."""
        if self.skipped:
            return "skipped"
        return "ok" if self.error is None else "failed"

    @property
    def ok(self) -> bool:
        """Whether there is a result."""
        return self.status == "ok"

    def with_error(self, error: Exception) -> Outcome[T]:
        """The same outcome with another error."""
        return replace(self, error=error)

    @property
    def facts(self) -> dict[str, Any]:
        """Where it was and how it went, flat and without what came of it."""
        return {
            "account": self.account,
            "region": self.region,
            "status": self.status,
            "phase": self.phase,
            "category": self.category,
            "seconds": round(self.seconds, 3),
        }

    @property
    def in_words(self) -> str:
        """In a few words what came of it: of an error AWS's code or the type; of other results but ours only "ok"."""
        if self.skipped:
            return f"skipped: {self.category}"
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
        regions: The regions in which they did, where regions were named.
    """

    accounts: tuple[str, ...]
    error: Exception
    regions: tuple[str, ...] = ()

    def __str__(self) -> str:
        where = f" in {shortened(self.regions, _MOST_NAMES)}" if self.regions else ""
        return f"{shortened(self.accounts, _MOST_NAMES)}{where}: {in_words(self.error)}"


@public
class Outcomes(Tabular, Mapping[Any, Outcome[T]]):
    """The outcomes by account name, or by account name and region, in the order in which the accounts were given.

    As a string, they say which accounts failed and why, those that failed in the same way together; a notebook shows
    that above a table of all.

    Args:
        outcomes: All of them; of two with one key, the later one counts.
        by_region: Whether a key is the name and the region, and not the name alone.
    """

    def __init__(self, outcomes: Iterable[Outcome[T]], *, by_region: bool = False) -> None:
        self._by_region = by_region
        self._outcomes: dict[Any, Outcome[T]] = {
            (outcome.account, outcome.region) if by_region else outcome.account: outcome for outcome in outcomes
        }

    def __getitem__(self, key: Any) -> Outcome[T]:
        return self._outcomes[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._outcomes)

    def __len__(self) -> int:
        return len(self._outcomes)

    def __repr__(self) -> str:
        skipped = len(self) - len(self.results) - len(self.errors)
        more = f", {skipped} skipped" if skipped else ""
        return f"<Outcomes: {len(self.results)} ok, {len(self.errors)} failed{more}>"

    def __str__(self) -> str:
        return "\n  ".join(self._above())

    def table(self) -> str:
        """All of them as a table in text, with what failed alike above it."""
        return self._as_text()

    def to_rows(self) -> list[dict[str, Any]]:
        """One flat mapping for each, as pandas, CSV and JSON take them; the value stays what it is."""
        return [
            {
                **outcome.facts,
                "value": outcome.value,
                "error": None if outcome.error is None else in_words(outcome.error),
            }
            for outcome in self.values()
        ]

    def _above(self) -> list[str]:
        failures, noun = self.failures, "calls" if self._by_region else "accounts"
        skipped = sum(outcome.skipped for outcome in self.values())
        more = f", {skipped} skipped" if skipped else ""
        if not failures:
            return [f"{len(self) - skipped} of {len(self)} {noun} ok{more}"]
        return [f"{len(self.errors)} of {len(self)} {noun} failed{more}:", *map(str, failures)]

    def _table(self) -> Table:
        return _COLUMNS_BY_REGION if self._by_region else _COLUMNS, [
            (
                outcome.account,
                *((outcome.region,) if self._by_region else ()),
                outcome.in_words,
                f"{outcome.seconds:.2f}",
                "; ".join(outcome.notes) or None,
            )
            for outcome in self.values()
        ]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.errors

    @property
    def results(self) -> dict[Any, T]:
        """The results of those that succeeded, by their key."""
        return {key: outcome.value for key, outcome in self.items() if outcome.ok}  # type: ignore[misc]  # ok has a value

    @property
    def errors(self) -> dict[Any, Exception]:
        """The errors of those that failed, by their key."""
        return {
            key: outcome.error for key, outcome in self.items() if outcome.error is not None and not outcome.skipped
        }

    @property
    def failures(self) -> tuple[FailureGroup, ...]:
        """The accounts that failed, those that failed in the same way together."""
        groups: dict[object, list[Any]] = {}
        errors = self.errors
        for key, error in errors.items():
            groups.setdefault(alike(error), []).append(key)
        return tuple(self._group(keys, errors[keys[0]]) for keys in groups.values())

    def _group(self, keys: list[Any], error: Exception) -> FailureGroup:
        outcomes = [self[key] for key in keys]
        accounts = dict.fromkeys(outcome.account for outcome in outcomes)
        regions = dict.fromkeys(outcome.region for outcome in outcomes if outcome.region is not None)
        return FailureGroup(tuple(accounts), error, tuple(regions))

    def raise_for_errors(self) -> None:
        """Raises an `ExceptionGroup` of all errors, if there are any."""
        if self.errors:
            raise ExceptionGroup(str(self), list(self.errors.values()))


def in_words(error: Exception) -> str:
    """What an error says, with its type where it is not one of ours, which say all by themselves."""
    words = text_of(error)
    return words if isinstance(error, XSessionError) else f"{type(error).__name__}: {words}"


def alike(error: Exception) -> object:
    """What errors have in common that have one cause: all but the account's own name, ids, role and numbers."""
    if not isinstance(error, XSessionError):
        return type(error), _without_numbers(text_of(error))
    words = f"{error.message}; {error.hint}"
    for own in (error.role_arn, error.account and repr(error.account)):
        words = words.replace(own, "...") if own else words
    return type(error), error.code, error.hop, _without_numbers(words)


def _without_numbers(words: str) -> str:
    return re.sub(r"\d+", "0", words)
