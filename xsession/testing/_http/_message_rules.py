"""Which messages are HTTP as AWS takes it, before anything is known of what they ask for.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re
from email import errors
from email.message import Message
from urllib.parse import unquote_to_bytes, urlsplit

from ._errors import RefusedError

_LINE = re.compile(rb"[A-Za-z!#$%&'*+.^_`|~-]+ \S+ HTTP/1\.[01]\r?\n")
_TARGET = re.compile(r"/[!-~]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HEADER_DEFECTS = (
    errors.FirstHeaderLineIsContinuationDefect,
    errors.InvalidHeaderDefect,
    errors.MisplacedEnvelopeHeaderDefect,
    errors.MissingHeaderBodySeparatorDefect,
)
# Of these, a request has one at most: two would mean one thing to us and another one to whoever reads them next.
_SINGLE = ("Authorization", "Content-Length", "Host", "Transfer-Encoding", "X-Amz-Content-SHA256", "X-Amz-Date")


def bad_request() -> RefusedError:
    """The refusal of what is not HTTP."""
    return RefusedError(400, "BadRequest", "An error occurred when parsing the HTTP request.")


def too_slow() -> RefusedError:
    """The refusal of what does not come in time."""
    message = "Your socket connection to the server was not read from or written to within the timeout period."
    return RefusedError(400, "RequestTimeout", message)


def line_refusal(line: bytes) -> RefusedError | None:
    """Why a request line is refused; None: it is not.

    Args:
        line: The line, with its end.
    """
    if _LINE.fullmatch(line) is None:
        return bad_request()
    target = line.split()[1].decode("latin-1")
    if _TARGET.fullmatch(target) is None or _BAD_ESCAPE.search(target) or not _is_readable(target):
        return RefusedError(400, "InvalidURI", "Couldn't parse the specified URI.")
    return None


def headers_refusal(headers: Message) -> RefusedError | None:
    """Why the headers of a request are refused; None: they are not."""
    # Others are about the parts of a payload, which is not read here.
    if any(isinstance(defect, _HEADER_DEFECTS) for defect in headers.defects):
        return bad_request()
    if any("\n" in value or "\r" in value or "\0" in value for value in headers.values()):
        return bad_request()
    if any(len(headers.get_all(name) or ()) > 1 for name in _SINGLE):
        return bad_request()
    if "Content-Length" in headers and "Transfer-Encoding" in headers:
        return bad_request()
    return None


def _is_readable(target: str) -> bool:
    try:
        unquote_to_bytes(target).decode()
        urlsplit(target)
    except ValueError:
        return False
    return True
