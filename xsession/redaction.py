"""Takes secrets out of log records that are not ours.

At DEBUG, botocore logs the bodies and headers of requests and answers. Its records of our own calls of STS are dropped;
those of sources that it runs itself (SSO, web identity, profiles with a role) and of the application's own requests are
the application's. This filter is for them.
"""

from __future__ import annotations

import logging
import re

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
)
# A name, then what stands between it and its value in XML, JSON, a form, a header or a Python repr, then the value.
_SECRET = (
    rf"((?<![A-Za-z0-9])(?:{'|'.join(_NAMES)})\\*[\"']?(?:\s*[:=]\s*|>)(?:b(?=[\"']))?\\*[\"']?)"
    r"(?!\s)([^\s\"'<>&,;}\\]+)"
)
_BEARER = r"(\bbearer\s+)([\w.~+/=-]+)"
MASK = "****"


def redacted(text: str) -> str:
    """The text with `****` in the place of secret keys, tokens, MFA codes, external ids and signatures of URLs."""
    # `re` compiles them at their first use, which most programs never come to, and keeps them.
    for pattern in (_SECRET, _BEARER):
        text = re.sub(pattern, rf"\1{MASK}", text, flags=re.IGNORECASE)
    return text


class RedactingFilter(logging.Filter):
    """Redacts what passes; add it to a handler: a logger's filter does not see the records of loggers below it.

    `logging.getLogger().handlers[0].addFilter(RedactingFilter())`
    """

    def filter(self, record: logging.LogRecord, /) -> bool:
        """Redacts one record, its traceback included; lets every record pass."""
        record.msg, record.args = redacted(record.getMessage()), None
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_text = redacted(record.exc_text) if record.exc_text else record.exc_text
        record.stack_info = redacted(record.stack_info) if record.stack_info else record.stack_info
        return True
