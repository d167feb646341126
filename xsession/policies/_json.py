"""Reads the JSON of policies, whoever wrote it: what is too large is refused before any work is done on it.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from xsession.errors import InvalidPolicyError, shown

MAX_DOCUMENT_CHARACTERS = 524_288
"""Of any policy document with its white space. Customers' have a quarter of it at most, and the limits of each kind are
lower; AWS's own managed policies may be longer than what IAM's API takes.
"""

# More than any condition compares; Python itself reads no number of more than some thousands.
_MAX_DIGITS = 100
_TOO_LONG_A_NUMBER = f"a policy has a number of over {_MAX_DIGITS} digits"
_LARGEST = 10**_MAX_DIGITS

# Mapping comes last: to ask for it takes longest.
_TEXTS = (str, bytes, bytearray)
_CONTAINERS = (dict, list, tuple, set, frozenset, Mapping)


def read_json(text: str) -> object:
    """What a JSON document holds.

    Raises:
        InvalidPolicyError: It is too long, not JSON, nested too deeply, or has a key twice in one object.
    """
    given: object = text
    if not isinstance(given, str):
        msg = f"a policy's JSON is a string, not {type(given).__name__}"
        raise InvalidPolicyError(msg)
    if len(text) > MAX_DOCUMENT_CHARACTERS:
        raise _too_long()
    try:
        return json.loads(
            text,
            object_pairs_hook=_unique_keys,
            parse_int=_integer,
            parse_float=_finite,
            parse_constant=_refuse_constant,
        )
    except InvalidPolicyError:
        raise
    except ValueError as error:
        msg = f"a policy is not valid JSON: {error}"
        raise InvalidPolicyError(msg) from None
    except RecursionError:
        msg = "a policy is nested too deeply"
        raise InvalidPolicyError(msg) from None


def refuse_oversized(document: Mapping[Any, Any]) -> None:
    """Refuses a document that is longer than any of IAM's, in time bounded by that: one with cycles is endless.

    Raises:
        InvalidPolicyError: It is.
    """
    left = MAX_DOCUMENT_CHARACTERS
    waiting: list[object] = [document]
    while waiting:
        value = waiting.pop()
        left -= 1
        if isinstance(value, _TEXTS):
            left -= len(value)
        elif isinstance(value, _CONTAINERS):
            # Before they are copied: each of them is at least one character.
            if len(value) > left:
                raise _too_long()
            waiting += [*value, *value.values()] if isinstance(value, Mapping) else value
        if left < 0:
            raise _too_long()


def number_text(value: float) -> str | None:
    """A number as conditions have it; None: it is none that JSON has, or one of too many digits."""
    is_writable = -_LARGEST < value < _LARGEST if isinstance(value, int) else math.isfinite(value)
    return str(value) if is_writable else None


def is_unicode(text: str) -> bool:
    """Whether a string can be sent at all: halves of characters, of which UTF-16 makes pairs, can't."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _too_long() -> InvalidPolicyError:
    msg = f"a policy is too long: none has over {MAX_DOCUMENT_CHARACTERS} characters, white space included"
    return InvalidPolicyError(msg)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for name, value in pairs:
        if name in document:
            msg = f"a policy has the key {shown(name)} twice in one object, and AWS would look at one of them only"
            raise InvalidPolicyError(msg)
        document[name] = value
    return document


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise InvalidPolicyError(_TOO_LONG_A_NUMBER)
    return int(digits)


def _finite(digits: str) -> float:
    if len(digits) > _MAX_DIGITS:
        raise InvalidPolicyError(_TOO_LONG_A_NUMBER)
    number = float(digits)
    if math.isinf(number):
        msg = f"a policy has the number {digits}, which is too large"
        raise InvalidPolicyError(msg)
    return number


def _refuse_constant(name: str) -> None:
    msg = f"a policy is not valid JSON: {name} is no number"
    raise InvalidPolicyError(msg)
