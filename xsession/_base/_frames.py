"""Errors without what they were raised in."""

from __future__ import annotations

from typing import TypeVar

_ErrorT = TypeVar("_ErrorT", bound=BaseException)


def without_frames(error: _ErrorT) -> _ErrorT:
    """The error, and its causes, without tracebacks and contexts: error reporters send the variables of each frame."""
    one: BaseException | None = error
    seen = set[int]()
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        one.__traceback__ = None
        one.__context__, one = None, one.__cause__
    return error
