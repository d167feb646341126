"""The local AWS over HTTP: who may, in front of moto's server, which does the rest."""

from __future__ import annotations

import email.utils
import io
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from .answers import Answer, RefusedError, error_answer, expired, unknown_key
from .calls import Call, CallLog
from .cloudtrail import CloudTrail
from .faults import Fault, Faults
from .signatures import Request, is_valid, read_signature
from .sts import Key, LocalSTS
from .trust import UnknownConditionError

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_HANG_SECONDS = 60.0
_S3_OPERATIONS = {
    ("GET", True): "GetObject",
    ("PUT", True): "PutObject",
    ("HEAD", True): "HeadObject",
    ("DELETE", True): "DeleteObject",
    ("GET", False): "ListObjects",
    ("PUT", False): "CreateBucket",
    ("HEAD", False): "HeadBucket",
    ("DELETE", False): "DeleteBucket",
}


class Server:
    """A WSGI application.

    Args:
        sts: Knows the keys, and answers for STS.
        storage: moto's application.
        bucket_owner: The account that a bucket is in; None: there is no such bucket.
        now: The clock, in seconds since 1970.
        calls: Takes note of each request.
        faults: What is made to fail.
        trail: Keeps an event of each request, and answers for CloudTrail.
    """

    def __init__(
        self,
        *,
        sts: LocalSTS,
        storage: WSGIApp,
        bucket_owner: Callable[[str], str | None],
        now: Callable[[], float],
        calls: CallLog,
        faults: Faults,
        trail: CloudTrail,
    ) -> None:
        self._sts = sts
        self._storage = storage
        self._bucket_owner = bucket_owner
        self._now = now
        self._calls = calls
        self._faults = faults
        self._trail = trail
        self.failures: list[Exception] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        request = _request(environ)
        exchange = _Exchange(request, environ)
        key = self._sts.find(exchange.access_key_id)
        fault = None if key is not None and key.own else exchange.fault(self._faults)
        if fault is not None and fault.kind == "reset":
            self._note(exchange, key, Answer(0, b""))
            _cut(environ)
        answer = _faulty(fault, exchange, self._faults) if fault is not None else None
        if answer is None:
            try:
                answer = self._answer(exchange, key)
            except RefusedError as error:
                answer = error_answer(exchange.service, error, is_json=exchange.is_json)
            except UnknownConditionError as error:
                self.failures.append(error)
                answer = error_answer(exchange.service, RefusedError(500, "NotKnownHere", str(error)), is_json=False)
        self._note(exchange, key, answer)
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), **answer.headers}
        headers["Date"] = email.utils.formatdate(self._now(), usegmt=True)
        start_response(f"{answer.status} -", list(headers.items()))
        return [b""] if request.method == "HEAD" else [answer.body]

    def _answer(self, exchange: _Exchange, key: Key | None) -> Answer:
        service, is_json = exchange.service, exchange.is_json
        signature = exchange.signature
        if signature is None:
            message = "The request must contain a valid AWS signature of version 4"
            raise RefusedError(403, "MissingAuthenticationToken", message)
        if key is None:
            raise unknown_key(service, is_json=is_json)
        if (key.session_token or "") != (signature.session_token or ""):
            raise unknown_key(service, is_json=is_json)
        if not is_valid(exchange.request, signature, key.secret_access_key):
            message = "The request signature we calculated does not match the signature you provided."
            raise RefusedError(403, "SignatureDoesNotMatch", message)
        if key.expires is not None and self._now() >= key.expires:
            raise expired(service, is_json=is_json)
        if service == "sts":
            return self._sts.answer(exchange.operation, exchange.parameters, key)
        if service == "cloudtrail":
            return self._trail.answer(exchange.operation, exchange.request.body, key, signature.region_name)
        if service == "s3" and self._bucket_owner(exchange.bucket) not in (None, key.principal.account_id):
            raise RefusedError(403, "AccessDenied", "Access Denied")
        return self._stored(exchange, key)

    def _stored(self, exchange: _Exchange, key: Key) -> Answer:
        environ = exchange.environ
        environ["HTTP_X_MOTO_ACCOUNT_ID"] = key.principal.account_id
        environ["wsgi.input"] = io.BytesIO(exchange.request.body)
        environ["CONTENT_LENGTH"] = str(len(exchange.request.body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_error: Any) -> None:
            started.append((status, headers))

        body = b"".join(self._storage(environ, start_response))
        status, headers = started[-1]
        named = {name.title(): value for name, value in headers}
        content_type = named.pop("Content-Type", "application/octet-stream")
        number = int(status.split()[0])
        code = None if number < 400 else status
        return Answer(number, body, content_type, code, named)

    def _note(self, exchange: _Exchange, key: Key | None, answer: Answer) -> None:
        if key is not None and key.own:
            return
        self._trail.record(exchange, key, answer)
        self._calls.add(
            Call(
                service=exchange.service,
                operation=exchange.operation,
                access_key_id=exchange.access_key_id,
                account_id=None if key is None else key.principal.account_id,
                region_name="" if exchange.signature is None else exchange.signature.region_name,
                status=answer.status,
                error_code=answer.error_code,
                role_arn=exchange.parameters.get("RoleArn"),
            )
        )


class _Exchange:
    """One request, with what it says about itself."""

    def __init__(self, request: Request, environ: dict[str, Any]) -> None:
        self.request = request
        self.environ = environ
        self.signature = read_signature(request)
        self.access_key_id = "" if self.signature is None else self.signature.access_key_id
        self.service = "" if self.signature is None else self.signature.service
        self.is_json = "x-amz-target" in request.headers
        self.parameters = self._parameters() if self.service in ("sts", "iam", "ec2") else {}
        self.operation = self._operation()

    @property
    def bucket(self) -> str:
        """The bucket of an S3 request: the first part of its path."""
        return self.request.path.lstrip("/").partition("/")[0]

    def fault(self, faults: Faults) -> Fault | None:
        """The fault that it meets."""
        return faults.hit(self.service, self.operation, self.parameters.get("RoleArn"))

    def _parameters(self) -> dict[str, str]:
        text = self.request.body.decode(errors="replace") or self.request.query
        return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}

    def _operation(self) -> str:
        if self.is_json:
            return self.request.headers["x-amz-target"].rpartition(".")[2]
        if "Action" in self.parameters:
            return self.parameters["Action"]
        if self.service == "s3":
            if not self.bucket:
                return "ListBuckets"
            has_key = "/" in self.request.path.lstrip("/").rstrip("/")
            operation = _S3_OPERATIONS.get((self.request.method, has_key), self.request.method)
            return "ListObjectsV2" if operation == "ListObjects" and "list-type=2" in self.request.query else operation
        return self.request.method


def _request(environ: Mapping[str, Any]) -> Request:
    path, _, query = str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")
    headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.lower().replace("_", "-")] = environ[name]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read() if environ.get("wsgi.input_terminated") else environ["wsgi.input"].read(length)
    return Request(environ["REQUEST_METHOD"], path, query, headers, body)


def _faulty(fault: Fault, exchange: _Exchange, faults: Faults) -> Answer | None:
    if fault.kind == "latency":
        time.sleep(fault.seconds)
        return None
    if fault.kind == "hang":
        faults.released.wait(_HANG_SECONDS)
        return None
    if fault.kind == "garbage":
        return Answer(200, b"<html>this is not what you asked for", "text/html")
    error = RefusedError(fault.status, fault.code, fault.message)
    return error_answer(exchange.service, error, is_json=exchange.is_json)


def _cut(environ: Mapping[str, Any]) -> None:
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    msg = "cut on purpose"
    raise ConnectionAbortedError(msg)


def serve(app: WSGIApp) -> tuple[Any, threading.Thread]:
    """Serves an application on a free port of loopback, in threads of this process."""
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415 # comes with the extra

    class Handler(WSGIRequestHandler):
        """Quiet, and without the 40 ms that Nagle's algorithm waits for the client's acknowledgement."""

        disable_nagle_algorithm = True

        def send_response(self, code: int, message: str | None = None) -> None:
            """Sends the status alone: the application has a Date, by a clock of its own."""
            self.send_response_only(code, message)

        def log_request(self, *_args: object, **_kwargs: object) -> None:
            """Says nothing."""

    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="local-aws", daemon=True)
    thread.start()
    return server, thread
