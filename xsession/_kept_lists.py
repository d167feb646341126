"""Lists that AWS is asked for, kept on disk, and used with their age when AWS can't be asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from ._base import Clock
from .accounts import KeptAnswer, KeptAnswers, age_in_words
from .errors import ConfigError, XSessionError
from .events import Hook, NeedsAttention

__all__: list[str] = []

T = TypeVar("T")

_RELOAD = "call reload() once that is solved"
_AGAIN = "AWS is asked again the next time"
_CLOCKS_DIFFER = 60.0
"""Seconds: machines with one home may have no more than that between their clocks."""


class KeptLists:
    """Lists of one kind.

    Args:
        answers: What is kept.
        what: What they are, for people: "the list of ...".
        emit: Takes events.
        clock: Both clocks.
    """

    def __init__(self, answers: KeptAnswers, what: str, emit: Hook, clock: Clock) -> None:
        self._answers = answers
        self._what = what
        self._emit = emit
        self._clock = clock

    def find(self, name: str, asked: str, read: Callable[[Any], T]) -> tuple[T, float] | None:
        """A list as it was, and how many seconds ago; None: none is kept, or only one of a clock that was ahead.

        Args:
            name: The name of what it is of, as a file may have it.
            asked: Who was asked for it.
            read: Makes the list of what is kept; a `TypeError` or `ValueError` of it means that it is none.
        """
        kept = self._answers.find(name, asked)
        age = 0.0 if kept is None else self._clock.wall() - kept.read_at
        # It would be fresh until then, for years perhaps.
        if kept is None or age < -_CLOCKS_DIFFER:
            return None
        try:
            return read(kept.value), max(0.0, age)
        except (TypeError, ValueError):
            return None

    def keep(self, name: str, asked: str, value: Any, account: str | None) -> None:
        """Keeps a list, as JSON has it; where that is not possible, people are told."""
        try:
            self._answers.keep(name, asked, KeptAnswer(value, self._clock.wall()))
        except ConfigError as error:
            tell(self._emit, self._clock, account, f"{self._what} is not kept on disk: {error}", _AGAIN)

    def tell_stale(self, account: str | None, age: float, error: XSessionError) -> None:
        """Says that a list is used which is old."""
        tell(self._emit, self._clock, account, stale(self._what, age, error), _AGAIN)


def stale(what: str, age: float, error: XSessionError) -> str:
    """Says that a list is used which is old, since AWS could not be asked."""
    return f"{what} is {age_in_words(age)} old, since AWS could not be asked: {error}"


def tell(emit: Hook, clock: Clock, account: str | None, message: str, hint: str = _RELOAD) -> None:
    """Says to a person what to look at."""
    at = datetime.fromtimestamp(clock.wall(), UTC)
    emit(NeedsAttention(at=at, account=account, role_arn=None, hop=None, message=message, hint=hint))
