"""An STS over TLS on loopback, whose certificate a CA made for the test has signed."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme

from tests.support.aws_hosts import serving
from tests.support.worlds import VEGETA

ANSWER = f"""<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{VEGETA}</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>""".encode()


class Handler(BaseHTTPRequestHandler):
    """Answers every request alike, and keeps the connection."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """GetCallerIdentity."""
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.targets.append(self.path)  # type: ignore[attr-defined]  # see `quiet_server`
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_args: object) -> None:
        """Says nothing."""


class QuietServer(ThreadingHTTPServer):
    """A client that does not trust it hangs up, which is no news."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.targets: list[str] = []

    def handle_error(self, *_args: object) -> None:
        """Says nothing."""


@contextmanager
def quiet_server(ca: trustme.CA | None = None) -> Iterator[QuietServer]:
    """The server, with a certificate of this CA; None: without TLS."""
    with QuietServer() as server:
        if ca is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            ca.issue_cert("127.0.0.1").configure_cert(context)
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        with serving(server):
            yield server
