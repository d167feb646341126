"""Takes secrets out of log records that are not ours.

At DEBUG, botocore logs the bodies and headers of requests and answers. Its records of our own calls of STS are dropped;
those of sources that it runs itself (SSO, web identity, profiles with a role) and of the application's own requests are
the application's. This filter is for them.
"""

from __future__ import annotations

import logging
import re
from contextlib import suppress

__all__ = ["RedactingFilter"]

_NAMES = (
    r"(?:aws[_-]?)?secret[_-]?(?:access[_-]?)?key",
    r"(?:x-amz-)?security[_-]?token",
    r"(?:aws[_-]?)?session[_-]?token",
    r"(?:access|refresh|id|bearer|auth|x-amz-sso_bearer|web[_-]?identity)[_-]?token",
    r"client[_-]?secret",
    r"token[_-]?code",
    r"external[_-]?id",
    r"saml[_-]?assertion",
    r"session[_-]?key",
    r"x-amz-signature",
    r"signin[_-]?token",
    r"token",
    r"(?:device|user)[_-]?code",
    r"pass(?:word|wd|phrase)",
)
_NAME = rf"(?<![A-Za-z0-9])(?:{'|'.join(_NAMES)})"
# Up to its end: an escaped character is part of a value, and so is what follows where the end was cut off.
_ESCAPED_QUOTES = r"(?P<quote>\\+[\"'])(?!(?P=quote)).+?(?=(?P=quote)|\Z)"
_DOUBLE_QUOTES = r"\"(?:[^\"\\]|\\.|\\\Z)+"
_SINGLE_QUOTES = r"'(?:[^'\\]|\\.|\\\Z)+"
_NO_QUOTES = r"(?![\s\"'\\])(?:[^\s\"'<>&,;}\\]|\\[^\s\"'])+"
# A name, what stands between it and its value in JSON, a form, a header or a Python repr, then the value.
_VALUE = (
    rf"({_NAME}\\*[\"']?\s*[:=]\s*(?:b(?=\\*[\"']))?)"
    rf"(?:{_ESCAPED_QUOTES}|{_DOUBLE_QUOTES}|{_SINGLE_QUOTES}|{_NO_QUOTES})"
)
_XML = rf"(<(?:\w+:)?(?:{'|'.join(_NAMES)})\s*>\s*)(?!\s)[^<]+"
_BEARER = r"(\bbearer\s+)[\w.~+/=-]+"
_URL = r"(://[^\s/:@]{0,256}:)[^\s@]{1,256}(?=@)"
MASK = "****"


def redacted(text: str) -> str:
    """The string with `****` in the place of secret keys, tokens, codes, passwords, external ids and signatures."""
    # `re` compiles them at their first use, which most programs never come to, and keeps them.
    for pattern in (_VALUE, _XML, _BEARER, _URL):
        text = re.sub(pattern, _masked, text, flags=re.IGNORECASE | re.DOTALL)
    return text


def _masked(match: re.Match[str]) -> str:
    # With the quote that a value begins with.
    quote = re.match(r"\\*[\"']", match[0][len(match[1]) :])
    return f"{match[1]}{quote[0] if quote else ''}{MASK}"


class RedactingFilter(logging.Filter):
    """Redacts what passes; add it to a handler: a logger's filter does not see the records of loggers below it.

    `logging.getLogger().handlers[0].addFilter(RedactingFilter())`
    """

    def filter(self, record: logging.LogRecord, /) -> bool:
        """Redacts one record, its traceback included; lets every record pass, and never raises."""
        record.msg, record.args = redacted(_message(record)), None
        try:
            if record.exc_info and not record.exc_text:
                record.exc_text = logging.Formatter().formatException(record.exc_info)
        except Exception:  # noqa: BLE001 # an exception whose own text fails must not break a log call
            record.exc_info, record.exc_text = None, "a traceback that can't be shown"
        record.exc_text = redacted(record.exc_text) if record.exc_text else record.exc_text
        record.stack_info = redacted(record.stack_info) if record.stack_info else record.stack_info
        return True


def _message(record: logging.LogRecord) -> str:
    # A message that its arguments do not fit is reported with both by the handler, which shows them as they are.
    for write in (record.getMessage, lambda: f"{record.msg} {record.args!r}"):
        with suppress(Exception):  # whatever formatting or a repr raises
            return write()
    return "a log record that can't be shown"
