"""The local AWS over HTTP: who may, in front of moto's server, which does the rest."""

from __future__ import annotations

import email.utils
import io
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xsession.testing._cloudtrail import CloudTrail
from xsession.testing._iam import Access, Circumstances, Directory, NotJudgedError, RequiredAction, answer_simulation
from xsession.testing._sts import Key, LocalSTS

from ._answers import Answer, RefusedError, error_answer, expired, skewed, unknown_key
from ._calls import Call, CallLog
from ._exchange import UNSIGNED, Exchange
from ._faults import Fault, Faults
from ._signatures import Request, is_valid, refusal_of_time

WSGIApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_HANG_SECONDS = 60.0
_READING = frozenset({"GetObject", "HeadObject"})
_XML = frozenset({"ec2", "iam", "s3", "sts"})


class Server:
    """A WSGI application.

    Args:
        sts: Knows the keys, and answers for STS.
        access: Whether a key may do what it asks for.
        directory: moto's users, roles and policies.
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
        access: Access,
        directory: Directory,
        storage: WSGIApp,
        bucket_owner: Callable[[str], str | None],
        now: Callable[[], float],
        calls: CallLog,
        faults: Faults,
        trail: CloudTrail,
    ) -> None:
        self._sts = sts
        self._access = access
        self._directory = directory
        self._storage = storage
        self._bucket_owner = bucket_owner
        self._now = now
        self._calls = calls
        self._faults = faults
        self._trail = trail
        self.skew = 0.0
        self.failures: list[Exception] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        request = _request(environ)
        exchange = Exchange(request, environ)
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
            except NotJudgedError as error:
                self.failures.append(error)
                refused = RefusedError(501, "NotKnownHere", str(error))
                answer = error_answer(exchange.service, refused, is_json=exchange.service not in _XML)
        self._note(exchange, key, answer)
        headers = {"Content-Type": answer.content_type, "Content-Length": str(len(answer.body)), **answer.headers}
        headers["Date"] = email.utils.formatdate(self._now(), usegmt=True)
        start_response(f"{answer.status} -", list(headers.items()))
        return [b""] if request.method == "HEAD" else [answer.body]

    def _answer(self, exchange: Exchange, key: Key | None) -> Answer:
        around = Circumstances(self._now(), exchange.region_name, exchange.source_ip)
        if exchange.signature is None and exchange.operation in UNSIGNED:
            return self._sts.answer(exchange.operation, exchange.parameters, None, around)
        key = self._authenticated(exchange, key)
        if exchange.service == "sts":
            return self._sts.answer(exchange.operation, exchange.parameters, key, around)
        if exchange.s3 is not None:
            for bucket in filter(None, (exchange.s3.bucket, exchange.s3.source_bucket)):
                if self._bucket_owner(bucket) not in (None, key.principal.account_id):
                    raise RefusedError(403, "AccessDenied", "Access Denied")
        self._access.check(key, exchange, around.time)
        if exchange.service == "cloudtrail":
            return self._trail.answer(exchange.operation, exchange.request.body, key, exchange.region_name)
        if exchange.service == "iam":
            if exchange.operation == "SimulatePrincipalPolicy":
                return answer_simulation(exchange.parameters, self._directory)
            account_id, partition = key.principal.account_id, key.principal.partition
            self._directory.ensure_managed(account_id, partition, exchange.parameters.get("PolicyArn", ""))
        answer = self._stored(exchange, key)
        if answer.status == 404 and exchange.operation in _READING and self._bucket_owner(exchange.bucket):
            # Whoever may not list a bucket is not told that it lacks an object.
            listing = RequiredAction("s3:ListBucket", f"arn:{key.principal.partition}:s3:::{exchange.bucket}")
            self._access.check(key, exchange, around.time, [listing])
        return answer

    def _authenticated(self, exchange: Exchange, key: Key | None) -> Key:
        service, is_json, signature = exchange.service, exchange.is_json, exchange.signature
        if signature is None:
            message = "The request must contain a valid AWS signature of version 4"
            raise RefusedError(403, "MissingAuthenticationToken", message)
        if key is None or (key.session_token or "") != (signature.session_token or ""):
            raise unknown_key(service, is_json=is_json)
        # Clients sign by the machine's clock, whichever clock the server lives by.
        refusal = refusal_of_time(signature, exchange.request.query, time.time() + self.skew)
        if refusal is not None:
            raise skewed(service, refusal, is_json=is_json)
        if not is_valid(exchange.request, signature, key.secret_access_key):
            message = "The request signature we calculated does not match the signature you provided."
            raise RefusedError(403, "SignatureDoesNotMatch", message)
        if key.expires is not None and self._now() >= key.expires:
            raise expired(service, is_json=is_json)
        return key

    def _stored(self, exchange: Exchange, key: Key) -> Answer:
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

    def _note(self, exchange: Exchange, key: Key | None, answer: Answer) -> None:
        if key is not None and key.own:
            return
        self._trail.record(exchange, key, answer)
        self._calls.add(
            Call(
                service=exchange.service,
                operation=exchange.operation,
                access_key_id=exchange.access_key_id,
                account_id=None if key is None else key.principal.account_id,
                region_name=exchange.region_name,
                status=answer.status,
                error_code=answer.error_code,
                role_arn=exchange.parameters.get("RoleArn"),
            )
        )


def _request(environ: Mapping[str, Any]) -> Request:
    path, _, query = str(environ.get("RAW_URI") or environ["REQUEST_URI"]).partition("?")
    headers = {name[5:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.lower().replace("_", "-")] = environ[name]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read() if environ.get("wsgi.input_terminated") else environ["wsgi.input"].read(length)
    return Request(environ["REQUEST_METHOD"], path, query, headers, body)


def _faulty(fault: Fault, exchange: Exchange, faults: Faults) -> Answer | None:
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
    # How long its end may take: each test of a suite waits for that.
    thread = threading.Thread(target=server.serve_forever, args=(0.005,), name="local-aws", daemon=True)
    thread.start()
    return server, thread
