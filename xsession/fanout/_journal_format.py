r"""The lines of a journal: JSON, each with a digest of itself, so that a torn or changed one is not taken for good.

The first line is the header; each other one is what came of a unit, or which regions an account has.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import sys
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from types import CodeType
from typing import Any, get_args

from xsession._base import frozen, text_of
from xsession.errors import ConfigError, RemoteCallError
from xsession.redaction import redacted

from ._category import Category
from ._outcomes import Outcome, Phase, Status

FORMAT = 1
MAX_VALUE_BYTES = 1_048_576
"""A larger value is recorded as done without it."""
MAX_LINE_BYTES = 2 * MAX_VALUE_BYTES
_MAX_ERROR_CHARACTERS = 4_096
_END = re.compile(rb',"digest":"([0-9a-f]{16})"\}\Z')
_MAX_FUNCTIONS = 8
_STATUSES, _PHASES, _CATEGORIES = (frozenset(get_args(kind)) for kind in (Status, Phase, Category))
_MAPPINGS = (dict, OrderedDict, defaultdict, Counter)


class NotJSONError(ValueError):
    """A value has no form in JSON, or one that is too long."""


@frozen(kw_only=True)
class Header:
    """What a journal is of.

    Args:
        principal: Who the source is.
        function: The function's name.
        code: A digest of its code; "": it has none.
        arguments: A digest of the arguments.
        started: When its first run began, in UTC.
    """

    principal: str
    function: str
    code: str
    arguments: str
    started: datetime


def to_line(document: Mapping[str, Any]) -> bytes:
    """The line of a record, with its newline."""
    body = json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")
    return body[:-1] + f',"digest":"{_digest(body)}"}}\n'.encode("ascii")


def from_line(line: bytes) -> dict[str, Any] | None:
    """The record of a line; None: it is torn, changed, or no record."""
    line = line.rstrip(b"\r\n")
    end = _END.search(line)
    if end is None:
        return None
    body = line[: end.start()] + b"}"
    if _digest(body) != end[1].decode("ascii"):
        return None
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def header_document(header: Header) -> dict[str, Any]:
    """The record of a header."""
    return {
        "xsession_journal": FORMAT,
        "principal": header.principal,
        "function": header.function,
        "code": header.code,
        "arguments": header.arguments,
        "started": header.started.isoformat(timespec="seconds"),
    }


def header_of(document: Mapping[str, Any]) -> Header | None:
    """The header of a record; None: it is none."""
    if document.get("xsession_journal") != FORMAT:
        return None
    words = [document.get(name) for name in ("principal", "function", "code", "arguments", "started")]
    if not all(isinstance(word, str) for word in words):
        return None
    principal, function, code, arguments, started = map(str, words)
    try:
        moment = datetime.fromisoformat(started).astimezone(UTC)
    except ValueError:
        return None
    return Header(principal=principal, function=function, code=code, arguments=arguments, started=moment)


def outcome_document(outcome: Outcome[Any], at: datetime) -> dict[str, Any]:
    """The record of an outcome; a value that JSON has no form for, or a long one, is left out."""
    document: dict[str, Any] = {**outcome.facts, "at": at.isoformat(timespec="seconds")}
    if outcome.error is not None:
        words = redacted(text_of(outcome.error))[:_MAX_ERROR_CHARACTERS]
        document["error"] = {"type": type(outcome.error).__name__, "message": words}
    else:
        try:
            document["value"] = plain(outcome.value)
        except NotJSONError as error:
            document["left_out"] = str(error)
    return document


def outcome_of(document: Mapping[str, Any]) -> Outcome[Any] | None:
    """The outcome of a record; None: it is none."""
    account, region = document.get("account"), document.get("region")
    status, phase = _one_of(_STATUSES, document.get("status")), _one_of(_PHASES, document.get("phase"))
    if not isinstance(account, str) or not isinstance(region, str | None) or status is None:
        return None
    left_out = document.get("left_out")
    notes = ("from the journal",) if left_out is None else ("from the journal", f"without its value: {left_out}")
    said = document.get("error")
    error: Exception | None = None
    if isinstance(said, dict) and status != "ok":
        error = RemoteCallError(str(said.get("message")), account=account)
        error.kind = str(said.get("type"))
    elif status == "failed" or (status == "ok" and left_out is None and "value" not in document):
        return None
    return Outcome(
        account,
        document.get("value"),
        error,
        _seconds(document.get("seconds")),
        notes,
        region,
        phase or "call",
        _one_of(_CATEGORIES, document.get("category")),
        skipped=status == "skipped",
    )


def _one_of(values: frozenset[Any], value: object) -> Any:
    """A value, if it is one of some strings; else None."""
    return value if isinstance(value, str) and value in values else None


def _seconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < sys.float_info.max else 0.0


def plain(value: Any, budget: int = MAX_VALUE_BYTES) -> Any:
    """A value as JSON has it; tuples become lists, mappings of `collections` dicts.

    Raises:
        NotJSONError: It has none, or one of more bytes.
    """
    msg = f"it is larger than {budget} bytes"
    left = budget

    def spend(size: int) -> None:
        nonlocal left
        left -= size
        if left < 0:
            raise NotJSONError(msg)

    made = _plain(value, spend, 0)
    # Only now: what is much too large is not written out first. Characters that are not ASCII take more than one byte.
    if len(_written(made)) > budget:
        raise NotJSONError(msg)
    return made


def _written(value: Any) -> str:
    try:
        return json.dumps(value, separators=(",", ":"))
    except ValueError as error:  # an int of more digits than Python writes
        raise NotJSONError(str(error)) from None


def _plain(value: Any, spend: Callable[[int], None], depth: int) -> Any:
    kind = type(value)
    if kind is str:
        spend(len(value))
        return value
    # Empty ones too: a few lists may hold one another so often that they never end.
    spend(1)
    if value is None or kind in (bool, int) or (kind is float and math.isfinite(value)):
        return value
    if kind in (list, tuple) and depth < 100:
        return [_plain(item, spend, depth + 1) for item in value]
    if kind in _MAPPINGS and depth < 100 and all(type(key) is str for key in value):
        return {_plain(key, spend, depth): _plain(item, spend, depth + 1) for key, item in value.items()}
    msg = f"JSON has no form for {_no_form(value, depth)}"
    raise NotJSONError(msg)


def _no_form(value: Any, depth: int) -> str:
    kind = type(value)
    if kind is float:
        return "NaN and infinity"
    if depth >= 100:
        return "what is nested so deep"
    return "keys that are not strings" if kind in _MAPPINGS else f"a {kind.__name__}"


def function_name(func: Any, key: str | None) -> str:
    """The name by which a journal knows a function.

    Raises:
        ConfigError: It has none that says which function it is.
    """
    given: object = key
    if given is not None:
        if not isinstance(given, str) or not given:
            raise ConfigError.invalid(given, "journal_key", "a name for the function")
        return given
    name = getattr(func, "__qualname__", None)
    if not isinstance(name, str) or name.endswith("<lambda>"):
        msg = "a journal can't tell this function from others: it has no name"
        raise ConfigError(msg, hint='pass journal_key="name", or a function that has a name')
    return f"{func.__module__}.{name}"


def code_digest(func: Any) -> str:
    """A digest of a function's code; "": it has none that can be read."""
    code = getattr(func, "__code__", None)
    return "" if not isinstance(code, CodeType) else _digest(repr(_function(func, code)).encode())


def arguments_digest(arguments: Mapping[str, Any]) -> str:
    """A digest of a function's arguments.

    Raises:
        ConfigError: JSON has no form for one of them, so that nothing says whether they are the same again.
    """
    for name, value in arguments.items():
        try:
            plain(value, 64 * MAX_VALUE_BYTES)
        except NotJSONError as error:
            msg = f"a journal can't compare arguments[{name!r}] with the next run's: {error}"
            raise ConfigError(msg, hint="pass strings, numbers, lists and mappings") from None
    return _digest(json.dumps(dict(arguments), sort_keys=True).encode())


def _function(func: Any, code: CodeType, depth: int = 0) -> object:
    """A function's code, with the values that it does not get from its caller: defaults, and what it closes over."""
    named = getattr(func, "__kwdefaults__", None) or {}
    values = [*(getattr(func, "__defaults__", None) or ()), *(value for _, value in sorted(named.items()))]
    for cell in getattr(func, "__closure__", None) or ():
        with suppress(ValueError):  # one that is not filled yet
            values.append(cell.cell_contents)
    return _code(code), tuple(_bound(value, depth) for value in values)


def _bound(value: Any, depth: int) -> object:
    code = getattr(value, "__code__", None)
    if isinstance(code, CodeType) and depth < _MAX_FUNCTIONS:
        return _function(value, code, depth + 1)
    try:
        return json.dumps(plain(value), sort_keys=True)
    except NotJSONError:
        return type(value).__qualname__  # its repr may be another one in each process


def _code(code: CodeType) -> object:
    return code.co_code, code.co_names, code.co_varnames, tuple(map(_constant, code.co_consts))


def _constant(value: object) -> object:
    if isinstance(value, CodeType):
        return _code(value)
    # The order of a set is another one in each process.
    return sorted(map(repr, value)) if isinstance(value, frozenset) else repr(value)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
