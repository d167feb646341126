"""Serves WSGI applications on loopback, and cuts connections on purpose."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn, TypeAlias

from ._strict_handler import StrictHandler

WSGIApp: TypeAlias = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def serve(app: WSGIApp, *, seconds: float = StrictHandler.seconds) -> tuple[Any, threading.Thread]:
    """Serves an application on a free port of loopback, in threads of this process.

    Args:
        app: The application.
        seconds: Within which a request must have come, and its answer have been taken.
    """
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415 # comes with the extra

    class Handler(StrictHandler, WSGIRequestHandler):
        """werkzeug's, which calls the application."""

    Handler.seconds = seconds
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    # How long its end may take: each test of a suite waits for that.
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), name="local-aws", daemon=True)
    thread.start()
    return server, thread


def cut_connection(environ: Mapping[str, Any]) -> NoReturn:
    """Closes the connection of a request before it is answered.

    Args:
        environ: The request, as werkzeug's server describes it.

    Raises:
        ConnectionAbortedError: Always: the server is to send nothing.
    """
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    msg = "cut on purpose"
    raise ConnectionAbortedError(msg)
