"""What error reporters show of an exception: its values, and the locals of each frame, with those of its causes."""

from __future__ import annotations

import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import FrameType

_DEPTH = 3
_LIBRARIES = ("botocore", "boto3", "s3transfer", "urllib3")


def parts(value: object, depth: int = _DEPTH) -> Iterator[str]:
    """A value as reporters send it: containers three deep, strings as they are, everything else by its repr."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, bytes):
        yield value.decode("latin-1")
    elif isinstance(value, Mapping) and depth:
        for key, item in list(value.items()):
            yield from parts(key, depth - 1)
            yield from parts(item, depth - 1)
    elif isinstance(value, list | tuple | set | frozenset) and depth:
        for item in list(value):
            yield from parts(item, depth - 1)
    else:
        try:
            yield repr(value)
        except Exception:  # noqa: BLE001 # reporters go on, too
            return


def chain(error: BaseException) -> Iterator[BaseException]:
    """The error with its causes and contexts, suppressed ones too, each once."""
    waiting, seen = [error], set[int]()
    while waiting:
        found = waiting.pop()
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        waiting += [other for other in (found.__cause__, found.__context__) if other is not None]


def _is_theirs(frame: FrameType) -> bool:
    return any(part in Path(frame.f_code.co_filename).parts for part in _LIBRARIES)


def leaks(error: BaseException, secrets: Mapping[str, str], here: str) -> list[str]:
    """Where reporters would show a secret.

    Args:
        error: What a caller got.
        secrets: What they are, to the secret.
        here: The test's own file, whose locals are the test's business. Frames of botocore in the error's own traceback
            are those of the user's request, and excepted, too.
    """
    found = []
    for each in chain(error):
        values = {"args": each.args, **vars(each)}
        places = [(f"{type(each).__name__}.{name}", value) for name, value in values.items()]
        for frame, line in traceback.walk_tb(each.__traceback__):
            if frame.f_code.co_filename == here or (each is error and _is_theirs(frame)):
                continue
            where = f"{type(each).__name__} in {Path(frame.f_code.co_filename).name}:{line} {frame.f_code.co_name}"
            places += [(f"{where}, {name}", value) for name, value in list(frame.f_locals.items())]
        found += [
            f"{place}: {what}"
            for place, value in places
            for what, secret in secrets.items()
            if any(secret in part for part in parts(value))
        ]
    return sorted(set(found))
