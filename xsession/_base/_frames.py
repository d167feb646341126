"""Errors without what they were raised in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import PurePath
from typing import ParamSpec, TypeVar

_ErrorT = TypeVar("_ErrorT", bound=BaseException)
_P = ParamSpec("_P")
_T = TypeVar("_T")


def without_frames(error: _ErrorT) -> _ErrorT:
    """The error, and its causes, without tracebacks and contexts: error reporters send the variables of each frame."""
    one: BaseException | None = error
    seen = set[int]()
    while one is not None and id(one) not in seen:
        seen.add(id(one))
        one.__traceback__ = None
        one.__context__, one = None, one.__cause__
    return error


def hides_frames(kind: type[BaseException]) -> Callable[[Callable[_P, _T]], Callable[_P, _T]]:
    """Has errors of one kind leave a function without its frame and those below, whose variables hold secrets.

    Args:
        kind: The errors that say by themselves what is wrong; others keep their frames.
    """

    def decorated(function: Callable[_P, _T]) -> Callable[_P, _T]:
        @functools.wraps(function)
        def call(*args: _P.args, **kwargs: _P.kwargs) -> _T:
            try:
                return function(*args, **kwargs)
            except kind as error:
                failure = without_frames(error)
            # This frame is one of the traceback, too.
            del args, kwargs
            raise failure

        return call

    return decorated


def without_text(error: BaseException) -> str:
    """What is said of an error of code that is not ours, whose text may hold a secret: its class, and where it rose."""
    import traceback  # noqa: PLC0415 # it takes long, and few need it

    where = traceback.extract_tb(error.__traceback__)[-1:]
    place = "".join(f" ({PurePath(frame.filename).name}:{frame.lineno}, in {frame.name})" for frame in where)
    return f"{type(error).__name__}{place}"
