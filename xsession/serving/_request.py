"""Reads what a client asks the endpoint for: one small GET, and nothing else of HTTP."""

from __future__ import annotations

import re

from xsession._base import frozen

MAX_HEAD_BYTES = 16_384
END_OF_HEAD = b"\r\n\r\n"

_LINE = re.compile(rb"([A-Za-z]+) (\S+) HTTP/1\.[01]")
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ONCE = frozenset({b"host", b"authorization"})


@frozen(kw_only=True)
class EndpointRequest:
    """One request.

    Args:
        method: "GET", ...
        path: What stands in the request line.
        host: The Host header.
        authorization: The Authorization header; None: there is none.
    """

    method: bytes
    path: bytes
    host: bytes
    authorization: bytes | None


@frozen
class Refusal:
    """Why a request is not answered with credentials.

    Args:
        status: The status of HTTP.
        code: What it is called, in AWS's style.
        message: In words.
    """

    status: int
    code: str
    message: str


TOO_LARGE = Refusal(431, "RequestHeaderFieldsTooLarge", f"a request has {MAX_HEAD_BYTES} bytes at most")
_NO_REQUEST = Refusal(400, "BadRequest", "this is no HTTP request")


def read_request(head: bytes) -> EndpointRequest | Refusal:
    """The request whose line and headers these are.

    Args:
        head: All bytes before the empty line that ends them.
    """
    first, *lines = head.split(b"\r\n")
    line = _LINE.fullmatch(first)
    headers: dict[bytes, bytes] = {}
    for pair in lines:
        name, colon, value = pair.partition(b":")
        name = name.lower()
        # Of two tokens or hosts, another reader may have meant the other one.
        if not colon or not _NAME.fullmatch(name) or (name in _ONCE and name in headers):
            return _NO_REQUEST
        headers[name] = value.strip(b" \t")
    if line is None or b"host" not in headers:
        return _NO_REQUEST
    return EndpointRequest(
        method=line[1], path=line[2], host=headers[b"host"], authorization=headers.get(b"authorization")
    )
