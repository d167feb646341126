"""A request as it came over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xsession._base import frozen


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
    """
    path, _, query = str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")
    headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.lower().replace("_", "-")] = environ[name]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read() if environ.get("wsgi.input_terminated") else environ["wsgi.input"].read(length)
    return HTTPRequest(environ["REQUEST_METHOD"], path, query, headers, body)
