"""Requests to a local AWS as bytes on a socket, signed by botocore or by nobody."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from xsession.testing._iam import AccessKey

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def exchanged(endpoint_url: str, data: bytes, *, hang_up: bool = True) -> tuple[int, str, str]:
    """The status, the error code and the whole of what comes back.

    Args:
        endpoint_url: Of the server.
        data: What is sent.
        hang_up: Whether that is all that will ever be sent.
    """
    host, _, port = endpoint_url.rpartition("/")[2].partition(":")
    with socket.create_connection((host, int(port)), 30) as connection:
        try:
            connection.sendall(data)
            if hang_up:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            # The server has answered, and has hung up, before it was told all.
            pass
        answer = _received(connection).decode(errors="replace")
    status = re.match(r"HTTP/1\.[01] (\d{3})", answer)
    code = re.search(r'<Code>(\w+)</Code>|"__type": "(\w+)"', answer)
    return int(status[1]) if status else 0, (code[1] or code[2]) if code else "", answer


def _received(connection: socket.socket) -> bytes:
    parts: list[bytes] = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionError:
        pass
    return b"".join(parts)


def written(method: str, target: str, headers: Mapping[str, str] | Iterable[tuple[str, str]], body: bytes) -> bytes:
    """A request as it goes over the wire."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    return f"{method} {target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


def signed(
    endpoint_url: str,
    key: AccessKey,
    service: str,
    line: str,
    body: bytes = b"",
    *,
    headers: Mapping[str, str] | None = None,
    signer: type[SigV4Auth] | None = None,
) -> dict[str, str]:
    """The headers of a request, signed by botocore; `line` is its method and its target."""
    method, _, target = line.partition(" ")
    request = AWSRequest(method, f"{endpoint_url}{target}", data=body, headers=dict(headers or {}))
    request.headers["Host"] = endpoint_url.partition("//")[2]
    kind: Any = signer or (S3SigV4Auth if service == "s3" else SigV4Auth)
    kind(Credentials(key.access_key_id, key.secret_access_key, key.session_token), service, "us-east-1").add_auth(
        request
    )
    made = {name: value for name, value in dict(request.prepare().headers).items() if name.lower() != "content-length"}
    return made | {"Content-Length": str(len(body))}
