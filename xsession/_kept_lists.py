"""Lists that AWS is asked for, kept on disk, and used with their age when AWS can't be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
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
        """A list as it was, and how many seconds ago; None: none is kept.

        Args:
            name: The name of what it is of, as a file may have it.
            asked: Who was asked for it.
            read: Makes the list of what is kept; a `TypeError` or `ValueError` of it means that it is none.
        """
        kept = self._answers.find(name, asked)
        try:
            # Of a clock that was ahead, it is as old: it would be fresh until then, for years perhaps.
            return None if kept is None else (read(kept.value), abs(self._clock.wall() - kept.read_at))
        except (TypeError, ValueError):
            return None

    def keep(self, name: str, asked: str, value: Any, account: str | None) -> None:
        """Keeps a list, as JSON has it; where that is not possible, people are told."""
        with told_if_not_kept(self._emit, self._clock, account, self._what, _AGAIN):
            self._answers.keep(name, asked, KeptAnswer(value, self._clock.wall()))

    def tell_stale(self, account: str | None, age: float, error: XSessionError) -> None:
        """Says that a list is used which is old."""
        tell(self._emit, self._clock, account, stale(self._what, age, error), _AGAIN)


def stale(what: str, age: float, error: XSessionError) -> str:
    """Says that a list is used which is old, since AWS could not be asked."""
    return f"{what} is {age_in_words(age)} old, since AWS could not be asked: {error}"


@contextmanager
def told_if_not_kept(emit: Hook, clock: Clock, account: str | None, what: str, hint: str = _RELOAD) -> Iterator[None]:
    """Says that a list could not be written to the disk: it counts all the same."""
    try:
        yield
    except ConfigError as error:
        tell(emit, clock, account, f"{what} is not kept on disk: {error}", hint)


def tell(emit: Hook, clock: Clock, account: str | None, message: str, hint: str = _RELOAD) -> None:
    """Says to a person what to look at."""
    at = datetime.fromtimestamp(clock.wall(), UTC)
    emit(NeedsAttention(at=at, account=account, role_arn=None, hop=None, message=message, hint=hint))
