"""Hosts that answer what a test tells them: one over HTTP, or all of AWS by their own names, over TLS."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import trustme

from tests.support.scripted_sts import answer, refusal


class Request(NamedTuple):
    """One request: the host that was asked, the key id that signed it, and its form."""

    host: str
    key_id: str
    form: dict[str, str]

    @property
    def action(self) -> str:
        """The operation."""
        return self.form.get("Action", "")


Answer = Callable[[Request], tuple[int, str]]


class Handler(BaseHTTPRequestHandler):
    """Answers requests; ends the TLS of those that came through a tunnel."""

    protocol_version = "HTTP/1.1"
    server: Hosts
    tunnel: str | None = None

    def do_CONNECT(self) -> None:
        """Becomes the host that is asked for."""
        self.tunnel = self.path.rpartition(":")[0]
        self.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.ca.issue_cert(self.tunnel).configure_cert(context)
        self.connection = context.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        """As do_POST."""
        self.do_POST()

    def do_POST(self) -> None:
        """Answers as the test says."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        signed_by = (self.headers.get("Authorization") or "").partition("Credential=")[2].partition("/")[0]
        request = Request(self.tunnel or str(self.headers["Host"]), signed_by, dict(parse_qsl(body)))
        self.server.seen.append(request)
        status, text = self.server.answer(request)
        self.send_response(status)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    def finish(self) -> None:
        """Closes the tunnel, too."""
        with contextlib.suppress(OSError):
            super().finish()
        if self.tunnel is not None:
            self.connection.close()

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


class Hosts(ThreadingHTTPServer):
    """What the hosts were asked, and how they answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, how: Answer) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = how
        self.seen: list[Request] = []
        self.ca = trustme.CA()
        self.url = f"http://127.0.0.1:{self.server_port}"

    @property
    def actions(self) -> list[tuple[str, str]]:
        """The operations, each with the key id that signed it."""
        return [(request.action, request.key_id) for request in self.seen]

    def handle_error(self, *_args: object) -> None:
        """A client that hangs up is no news."""


@contextlib.contextmanager
def one_host(how: Answer) -> Iterator[Hosts]:
    """One host over HTTP, at `url`."""
    with Hosts(how) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def all_hosts(how: Answer, monkeypatch: Any, folder: Any) -> Iterator[Hosts]:
    """All hosts of AWS over TLS, for clients that know no endpoint but AWS's own.

    Args:
        how: How they answer.
        monkeypatch: Sets the environment that leads there.
        folder: Where the certificate authority may lie.
    """
    with one_host(how) as server:
        server.ca.cert_pem.write_to_path(str(folder / "ca.pem"))
        monkeypatch.setenv("HTTPS_PROXY", server.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(folder / "ca.pem"))
        yield server


def now() -> datetime:
    """The time of the hosts."""
    return datetime.now(UTC)


def assumed(request: Request, *, seconds: float = 3_600) -> str:
    """AssumeRole's or GetSessionToken's answer to a request, each with keys of its own."""
    ends = now() + timedelta(seconds=seconds)
    arn = request.form.get("RoleArn", "arn:aws:iam::111111111111:role/None")
    session = arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/name"
    made = f"ASIA{abs(hash((request.key_id, arn, ends))) % 10**12:012d}"
    return answer(AccessKeyId=made, Arn=session, Expiration=f"{ends:%Y-%m-%dT%H:%M:%SZ}")


def identity(arn: str) -> str:
    """GetCallerIdentity's answer."""
    account_id = arn.split(":")[4]
    return (
        "<GetCallerIdentityResponse><GetCallerIdentityResult>"
        f"<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{account_id}</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )


def usual(request: Request) -> tuple[int, str]:
    """What STS says if all is well: each key is a user's of its own."""
    if request.action == "GetCallerIdentity":
        return 200, identity(f"arn:aws:iam::111111111111:user/{request.key_id}")
    return 200, assumed(request)


def dead(code: str = "InvalidClientTokenId", message: str = "The security token is invalid.") -> tuple[int, str]:
    """What STS says to dead keys."""
    return 403, refusal(code, message)
