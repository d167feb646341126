"""Close matches of a name that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from typing import overload


@overload
def did_you_mean(word: str, known: Iterable[str], otherwise: str, *, most: int = 1, alike: float = 0.6) -> str: ...
@overload
def did_you_mean(
    word: str, known: Iterable[str], otherwise: None = None, *, most: int = 1, alike: float = 0.6
) -> str | None: ...
def did_you_mean(
    word: str, known: Iterable[str], otherwise: str | None = None, *, most: int = 1, alike: float = 0.6
) -> str | None:
    """A hint with the names that look alike.

    Args:
        word: What was written.
        known: The names that exist.
        otherwise: The hint where nothing looks alike.
        most: How many names at most.
        alike: How much they must look alike, from 0 to 1.
    """
    import difflib  # noqa: PLC0415 # programs that make no mistakes need not wait for it

    close = difflib.get_close_matches(word, list(known), n=most, cutoff=alike)
    return f"did you mean {' or '.join(close)}?" if close else otherwise
