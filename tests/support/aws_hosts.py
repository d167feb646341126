"""Hosts that answer as a test says: one over HTTP, or all of AWS's by their own names, over TLS.

For the latter, a proxy on loopback ends TLS itself. So clients run as they do in production: with no endpoint of a
test's own, botocore sends uploads in the form that it uses over HTTPS only.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socketserver import BaseServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import pytest
import trustme

from tests.support.worlds import BATMAN, VEGETA


class Request(NamedTuple):
    """One request as a host got it.

    Args:
        method: "GET", ...
        host: The host's name.
        path: With the query string.
        headers: Its headers.
        body: The bytes, as they were sent but for the transfer encoding.
        number: How many requests had come before.
    """

    method: str
    host: str
    path: str
    headers: dict[str, str]
    body: bytes
    number: int

    @property
    def key_id(self) -> str:
        """The key id in its signature."""
        return self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]

    @property
    def form(self) -> dict[str, str]:
        """What it asks of services that take forms."""
        is_form = "x-www-form" in self.headers.get("Content-Type", "")
        return dict(parse_qsl(self.body.decode())) if is_form else {}

    @property
    def action(self) -> str:
        """The operation of such a service."""
        return self.form.get("Action", "")

    @property
    def decoded(self) -> bytes:
        """The object in an upload that is sent in chunks of AWS's own kind."""
        if "aws-chunked" not in self.headers.get("Content-Encoding", ""):
            return self.body
        decoded, rest = b"", self.body
        while True:
            head, _, rest = rest.partition(b"\r\n")
            size = int(head.partition(b";")[0], 16)
            if size == 0:
                return decoded
            decoded, rest = decoded + rest[:size], rest[size + 2 :]


class Answer(NamedTuple):
    """What a host answers."""

    status: int = 200
    body: str = "<Result/>"


How = Callable[[Request], tuple[int, str]]
"""How the hosts answer; an `Answer` is such a tuple."""


def error(code: str, status: int = 400) -> Answer:
    """An error in S3's form."""
    return Answer(status, f"<Error><Code>{code}</Code><Message>made to fail</Message></Error>")


def usual(request: Request) -> Answer:
    """STS that lets everybody assume Vegeta's roles, and services with nothing in them."""
    action = request.action
    if action == "GetCallerIdentity":
        arn = f"arn:aws:iam::{BATMAN}:user/bruce"
        return Answer(
            body=f"""<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{arn}</Arn><UserId>AIDA</UserId>
<Account>{BATMAN}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>"""
        )
    if action != "AssumeRole":
        return Answer()
    name, expires = request.form["RoleArn"].rpartition("/")[2], datetime.now(UTC) + timedelta(hours=1)
    return Answer(
        body=f"""<AssumeRoleResponse><AssumeRoleResult><AssumedRoleUser><AssumedRoleId>AROA:x</AssumedRoleId>
<Arn>arn:aws:sts::{VEGETA}:assumed-role/{name}/x</Arn></AssumedRoleUser><Credentials>
<AccessKeyId>ASIA{request.number:016}</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
<Expiration>{expires:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"""
    )


class AwsHosts(ThreadingHTTPServer):
    """The hosts, what they were asked, and how they answer.

    Args:
        how: Answers each request.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, how: How) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = how
        self.seen: list[Request] = []
        self.lock = threading.Lock()
        self.ca = trustme.CA()
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._contexts: dict[str, ssl.SSLContext] = {}

    @property
    def actions(self) -> list[tuple[str, str]]:
        """The operations, each with the key id that signed it."""
        return [(request.action, request.key_id) for request in self.seen]

    def context(self, host: str) -> ssl.SSLContext:
        """TLS with a certificate for a host."""
        with self.lock:
            if host not in self._contexts:
                self._contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                self.ca.issue_cert(host).configure_cert(self._contexts[host])
            return self._contexts[host]

    def to(self, method: str) -> list[Request]:
        """The requests of one method."""
        return [request for request in self.seen if request.method == method]

    def handle_error(self, *_args: object) -> None:
        """Says nothing: clients hang up when they are done."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: AwsHosts
    host = ""

    def do_CONNECT(self) -> None:
        """Becomes the host that was asked for."""
        self.host = self.path.rpartition(":")[0]
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        connection: Any = self.server.context(self.host).wrap_socket(self.connection, server_side=True)
        self.connection = connection
        self.rfile, self.wfile, self.close_connection = connection.makefile("rb"), connection.makefile("wb", 0), False

    def finish(self) -> None:
        """Closes TLS too, of which the server knows nothing."""
        with suppress(OSError):
            super().finish()
        self.connection.close()

    def _answer(self) -> None:
        body, server, host = self._body(), self.server, self.host or str(self.headers["Host"])
        with server.lock:
            request = Request(self.command, host, self.path, dict(self.headers), body, len(server.seen))
            server.seen.append(request)
        status, text = server.answer(request)
        self.send_response(status)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _answer  # noqa: N815 # the names that it calls

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """The server answers, in threads of its own."""
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()


@contextmanager
def one_host(how: How) -> Iterator[AwsHosts]:
    """One host over HTTP, at `url`."""
    with AwsHosts(how) as server, serving(server):
        yield server


@contextmanager
def all_hosts(how: How, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Iterator[AwsHosts]:
    """All hosts of AWS over TLS, for clients that know no endpoint but AWS's own.

    Args:
        how: Answers each request.
        monkeypatch: Sets the environment that leads there.
        folder: Where the CA's certificate is written.
    """
    with one_host(how) as server:
        server.ca.cert_pem.write_to_path(folder / "ca.pem")
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(folder / "ca.pem"))
        yield server


@contextmanager
def aws_hosts(monkeypatch: pytest.MonkeyPatch, folder: Path, how: How = usual) -> Iterator[AwsHosts]:
    """All hosts of AWS, and a source with a key in the environment.

    Args:
        monkeypatch: Sets the environment.
        folder: Where the CA's certificate is written.
        how: Answers each request.
    """
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with all_hosts(how, monkeypatch, folder) as server:
        yield server
