"""Servers over TLS on loopback, whose certificate a CA made for the test has signed."""

from __future__ import annotations

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
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


class Forwarder(socketserver.ThreadingTCPServer):
    """Ends TLS and passes everything on to another server of this machine.

    Args:
        ca: Whose certificate it has.
        target: The other server's port.
    """

    daemon_threads = True

    def __init__(self, ca: trustme.CA, target: int) -> None:
        super().__init__(("127.0.0.1", 0), Forwarded)
        self.target = target
        self.connections = 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("127.0.0.1").configure_cert(self.context)

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_args: object) -> None:
        """Says nothing."""


class Forwarded(socketserver.BaseRequestHandler):
    """One connection."""

    server: Forwarder

    def handle(self) -> None:
        """Until one of the two sides has ended."""
        near = self.server.context.wrap_socket(self.request, server_side=True)
        self.server.connections += 1
        with near, socket.create_connection(("127.0.0.1", self.server.target)) as far:
            back = threading.Thread(target=_pass_on, args=(far, near), daemon=True)
            back.start()
            _pass_on(near, far)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while some := source.recv(1 << 16):
            target.sendall(some)
    with suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


@contextmanager
def over_tls(ca: trustme.CA, url: str) -> Iterator[Forwarder]:
    """Another server of this machine, over TLS with a certificate of this CA."""
    with Forwarder(ca, int(url.rpartition(":")[2])) as server, serving(server):
        yield server
