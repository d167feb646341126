"""Reads what comes over a connection, and answers what is no request."""

from __future__ import annotations

import io
import time
from http.server import BaseHTTPRequestHandler

from ._errors import RefusedError, error_response
from ._message_rules import bad_request, headers_refusal, line_refusal, too_slow
from ._timed_input import TimedInput

# The statuses by which Python's server says that something is too long.
_TOO_LONG = frozenset({414, 431})


class StrictHandler(BaseHTTPRequestHandler):
    """Quiet, strict, and without the 40 ms that Nagle's algorithm waits for the client's acknowledgement."""

    disable_nagle_algorithm = True
    default_request_version = "HTTP/1.0"
    raw_requestline: bytes
    seconds = 60.0
    """Within which a request must have come, and its answer have been taken."""

    def setup(self) -> None:
        """Reads the connection for as long as a request may take."""
        super().setup()
        self.rfile.close()
        self._input = TimedInput(self.connection, self.seconds, time.monotonic)
        self.rfile = io.BufferedReader(self._input)

    def parse_request(self) -> bool:
        """Reads the request line and the headers; answers what is no HTTP."""
        self.command, self.request_version = "", self.default_request_version
        refused = line_refusal(self.raw_requestline)
        if refused is not None:
            return self._refuse(refused)
        try:
            if not super().parse_request():
                return False
        except TimeoutError:
            return self._refuse(too_slow())
        # Headers without their empty line: the client has hung up among them.
        refused = bad_request() if self._input.has_ended else headers_refusal(self.headers)
        return True if refused is None else self._refuse(refused)

    def send_error(self, code: int, _message: str | None = None, _explain: str | None = None) -> None:
        """Says in AWS's form what Python's server has to say in its own."""
        message = "Your request header section exceeds the maximum allowed size."
        too_large = RefusedError(400, "RequestHeaderSectionTooLarge", message)
        self._refuse(too_large if code in _TOO_LONG else bad_request())

    def send_response(self, code: int, message: str | None = None) -> None:
        """Sends the status alone: the application has a Date, by a clock of its own."""
        self.connection.settimeout(self.seconds)
        self.send_response_only(code, message)

    def log(self, *_args: object, **_kwargs: object) -> None:
        """Says nothing."""

    def log_request(self, *_args: object, **_kwargs: object) -> None:
        """Says nothing."""

    def _refuse(self, error: RefusedError) -> bool:
        self.close_connection = True
        response = error_response("s3", error, is_json=False)
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else response.body)
        return False
