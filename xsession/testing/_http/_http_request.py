"""A request as it came over the wire."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import IO, Any

from xsession._base import frozen

from ._errors import RefusedError
from ._message_rules import bad_request, too_slow

_LENGTH = re.compile(r"[0-9]{1,18}")
_MAX_BODY_BYTES = 5 * 1024**3
_PIECE_BYTES = 1024**2


@frozen
class HTTPRequest:
    """One HTTP request, as far as it can be signed.

    Args:
        method: "GET", ...
        path: As sent, with its percent signs.
        query: As sent.
        headers: By name in lower case.
        body: The payload.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


def read_http_request(environ: Mapping[str, Any]) -> HTTPRequest:
    """The request that WSGI describes; its payload is read.

    Args:
        environ: WSGI's, of werkzeug's server.

    Raises:
        RefusedError: Its payload is not as announced, or does not come.
    """
    path, _, query = str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")
    headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if name in environ:
            headers[name.lower().replace("_", "-")] = environ[name]
    return HTTPRequest(environ["REQUEST_METHOD"], path, query, headers, _read_body(environ, headers))


def _read_body(environ: Mapping[str, Any], headers: Mapping[str, str]) -> bytes:
    chunked = bool(environ.get("wsgi.input_terminated"))
    if "transfer-encoding" in headers and not chunked:
        message = "A header you provided implies functionality that is not implemented."
        raise RefusedError(400, "InvalidRequest", message)
    length = headers.get("content-length", "0")
    if not _LENGTH.fullmatch(length):
        raise bad_request()
    if int(length) > _MAX_BODY_BYTES:
        raise _too_large()
    try:
        body = _read_chunked(environ["wsgi.input"]) if chunked else _read_exactly(environ["wsgi.input"], int(length))
    except TimeoutError:
        raise too_slow() from None
    except (OSError, ValueError):
        raise bad_request() from None
    if not chunked and len(body) < int(length):
        message = "You did not provide the number of bytes specified by the Content-Length HTTP header."
        raise RefusedError(400, "IncompleteBody", message)
    return body


def _read_exactly(file: IO[bytes], length: int) -> bytes:
    parts: list[bytes] = []
    # In pieces: room for what is announced is not made before it comes.
    while length > 0 and (part := file.read(min(length, _PIECE_BYTES))):
        parts.append(part)
        length -= len(part)
    return b"".join(parts)


def _read_chunked(file: IO[bytes]) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := file.read(_PIECE_BYTES):
        parts.append(part)
        size += len(part)
        if size > _MAX_BODY_BYTES:
            raise _too_large()
    return b"".join(parts)


def _too_large() -> RefusedError:
    return RefusedError(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
