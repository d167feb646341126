"""A client of the endpoint for other processes, which sends what it is told."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from xsession.serving import ContainerEndpoint


def asked(
    endpoint: ContainerEndpoint, *, path: str | None = None, method: str = "GET", headers: Mapping[str, str | None] = {}
) -> tuple[int, dict[str, Any]]:
    """The status and the document of an answer.

    Args:
        endpoint: Who is asked, and with which token.
        path: Another path than the endpoint's.
        method: Another method than GET.
        headers: Other headers than those of a right request; None: not that one.
    """
    parts = urlsplit(endpoint.uri)
    sent = {"Host": parts.netloc, "Authorization": endpoint.token, **headers}
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    try:
        connection.putrequest(method, parts.path if path is None else path, skip_host=True, skip_accept_encoding=True)
        for name, value in sent.items():
            if value is not None:
                connection.putheader(name, value)
        connection.endheaders()
        response = connection.getresponse()
        assert response.headers["Content-Type"] == "application/json"
        return response.status, json.loads(response.read() or b"{}")
    finally:
        connection.close()


def key_of(endpoint: ContainerEndpoint) -> str:
    """The key id that it hands out now."""
    status, document = asked(endpoint)
    assert status == 200, document
    return str(document["AccessKeyId"])
