"""Makes text that others wrote safe to show: on a terminal, in HTML, in JSON.

Names, tags, error messages and everything in CloudTrail may hold what moves the cursor, turns the direction of
writing, hides, or runs in a browser.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["for_html", "for_json", "for_terminal"]

# Printable for Python, and yet nothing shows: Unicode's default ignorable characters, and the blank Braille pattern.
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(number)
    for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
    for number in range(first, last + 1)
)
# More than that stacked on one letter runs into the lines above and below.
_MAX_MARKS = 2
_CUT = "..."
_IN_SCRIPTS = "[<>&]"


def for_terminal(text: str, limit: int | None = None) -> str:
    r"""The text in one line of visible characters: any other is written out, such as `\x1b` or `\u202e`.

    Escaping twice changes nothing more.

    Args:
        text: Any text.
        limit: Characters at most, of which "..." marks a cut; None: all.
    """
    if limit is not None and len(text) > limit:
        text = text[: max(0, limit - len(_CUT))] + _CUT
    shown = text if text.isascii() and text.isprintable() else "".join(_visible(text))
    if limit is None or len(shown) <= limit:
        return shown
    return shown[: max(0, limit - len(_CUT))] + _CUT


def for_html(text: str, limit: int | None = None) -> str:
    """The text for the content of an HTML element or an attribute in quotes, as visible as on a terminal.

    Args:
        text: Any text.
        limit: Characters shown at most; None: all.
    """
    import html  # noqa: PLC0415 # few programs show anything

    return html.escape(for_terminal(text, limit), quote=True)


def for_json(value: object) -> str:
    r"""A value as one line of JSON in ASCII, which may stand in an HTML page's script as well.

    Halves of surrogate pairs, which strict readers refuse, become U+FFFD, and numbers that JSON lacks null.

    Args:
        value: Text, numbers, truth values, None, and lists and mappings of them.
    """
    text = json.dumps(_whole(value), ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return re.sub(_IN_SCRIPTS, lambda match: f"\\u{ord(match[0]):04x}", text)


def _visible(text: str) -> Iterable[str]:
    import unicodedata  # noqa: PLC0415 # most text is ASCII

    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character)[0] == "M" else 0
        if marks > _MAX_MARKS or not character.isprintable() or character in _INVISIBLE:
            yield character.encode("unicode_escape").decode()
        else:
            yield character


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {_whole(key): _whole(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_whole(item) for item in value]
    return value
