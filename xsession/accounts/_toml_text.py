"""Parses TOML that anybody may have written: a file of some other kind, size or depth costs milliseconds."""

from __future__ import annotations

import codecs
import re
import tomllib
from collections.abc import Mapping
from itertools import takewhile
from operator import itemgetter
from typing import Any

MAX_FILE_BYTES = 2 * 1024 * 1024  # 10,000 accounts have less
MAX_DEPTH = 32  # of brackets within each other, and of the parts of a key
MAX_SIGNS = 100_000  # of = , . and brackets: a bound for the number of keys and values
MAX_KEY_CHARACTERS = 1_024
_MAX_WORDS = 200
_MAX_INTEGER_BITS = 64  # which is what TOML asks for; Python refuses to show what is much larger

_WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# What gives a document its shape, and before it whatever may hold the same characters: strings and comments. Each part
# keeps what it took (++, *+), so that the time is linear whatever the text.
_SHAPE = re.compile(
    r"""(?:[^"'#\[\]{}=,.]++|\#[^\n]*+|"{3}(?:[^"\\]++|\\.|"(?!""))*+"{3,5}|'{3}(?:[^']++|'(?!''))*+'{3,5}"""
    r"""|"(?!"")(?:[^"\\\n]++|\\.)*+"|'(?!'')[^'\n]*+')*+([\[\]{}=,.]?)""",
    re.DOTALL,
)


class NotTomlError(ValueError):
    """Why a file's content is not read: it is not TOML, or too much of it. The words come after the file's name."""


def parse_toml(data: bytes) -> tuple[str, dict[str, Any]]:
    """The text of a document, and what it says.

    Args:
        data: Its bytes; of a longer file, at least one more than `MAX_FILE_BYTES`.

    Raises:
        NotTomlError: It is not valid, or larger or deeper than any file of accounts.
    """
    if len(data) > MAX_FILE_BYTES:
        msg = f"has more than {MAX_FILE_BYTES} bytes, and is not read"
        raise NotTomlError(msg)
    text = _text(data)
    _check_shape(text)
    try:
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # the first also of numbers with more digits than Python takes
        words = str(error)[:_MAX_WORDS]
    # Raised here, outside of the handler: from Python 3.14 on, that error holds the whole text.
    msg = f"is not valid TOML: {words}"
    raise NotTomlError(msg)


def check_values(content: Mapping[str, Any]) -> None:
    """Refuses keys and numbers that are longer than any that is meant.

    Raises:
        NotTomlError: There is one.
    """
    pending: list[Any] = [content]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            if any(len(key) > MAX_KEY_CHARACTERS for key in value):
                msg = f"has a key of more than {MAX_KEY_CHARACTERS} characters"
                raise NotTomlError(msg)
            pending += value.values()
        elif isinstance(value, list):
            pending += value
        elif isinstance(value, int) and value.bit_length() > _MAX_INTEGER_BITS:
            msg = f"has a number of more than {_MAX_INTEGER_BITS} bits"
            raise NotTomlError(msg)


def _text(data: bytes) -> str:
    if data.startswith(_WIDE_MARKS) or b"\0" in data[:4]:
        msg = "is not valid TOML: it is in UTF-16 or UTF-32, and TOML is in UTF-8; save it as UTF-8"
        raise NotTomlError(msg)
    try:
        return data.decode("utf-8-sig")  # editors of Windows write a byte order mark
    except UnicodeDecodeError as error:
        words = f"byte {error.start} is not UTF-8: {error.reason}"
    # Raised here, outside of the handler: that error holds the whole file.
    msg = f"is not valid TOML: {words}"
    raise NotTomlError(msg)


def _check_shape(text: str) -> None:
    """Refuses what would take the parser long, or too deep; of what is no TOML the parser itself says why."""
    depth = dots = 0
    # Nothing comes at the end, and where a string has none.
    for count, match in enumerate(takewhile(itemgetter(1), _SHAPE.finditer(text))):
        sign = match[1]
        if sign in "[{":
            depth += 1
        elif sign in "]}":
            depth -= 1
        dots = dots + 1 if sign == "." else 0
        if depth > MAX_DEPTH:
            problem = f"nests values more than {MAX_DEPTH} deep"
        elif dots >= MAX_DEPTH:
            problem = f"has a key of more than {MAX_DEPTH} parts"
        elif count >= MAX_SIGNS:
            problem = "has more keys and values than are read"
        else:
            continue
        line = text.count("\n", 0, match.end()) + 1
        msg = f"{problem}, in line {line}"
        raise NotTomlError(msg)
