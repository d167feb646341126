"""An address on loopback that leads a browser to a secret one, once.

Other users see the arguments of all processes, and so the address that a browser is started with.
"""

from __future__ import annotations

import hmac
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self

_HOST = "127.0.0.1"


class OneTimeRedirect:
    """Listens on a free port of loopback; use it as a context manager.

    Args:
        target: Where it leads.

    Raises:
        OSError: There is no port left.
    """

    def __init__(self, target: str) -> None:
        self._target: str | None = target
        self._path = f"/{secrets.token_urlsafe(32)}"
        self._turn = threading.RLock()
        self._taken = threading.Event()
        self._server = ThreadingHTTPServer((_HOST, 0), self._handler())
        self._server.daemon_threads = True
        self._host = f"{_HOST}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def address(self) -> str:
        """What the browser is started with."""
        return f"http://{self._host}{self._path}"

    def wait(self, seconds: float) -> bool:
        """Waits until a browser has come; returns whether one has.

        Args:
            seconds: For how long.
        """
        return self._taken.wait(seconds)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._target = None

    def _take(self, path: str, host: str | None) -> str | None:
        # A page that guesses ports comes with another path, or with its own name as the host.
        if host != self._host or not hmac.compare_digest(path.encode(), self._path.encode()):
            return None
        with self._turn:
            target, self._target = self._target, None
        return target

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        redirect = self

        class RedirectHandler(BaseHTTPRequestHandler):
            timeout = 5.0

            def do_GET(self) -> None:
                target = redirect._take(self.path, self.headers.get("Host"))
                self.send_response(404 if target is None else 302)
                if target is not None:
                    self.send_header("Location", target)
                for name, value in (("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer")):
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()
                if target is not None:
                    self.wfile.flush()
                    redirect._taken.set()

            def log_message(self, *_arguments: object) -> None:
                """Says nothing: it would say the address."""

        return RedirectHandler
