"""The local AWS as a server: who calls and what it may is checked here; STS, CloudTrail or moto answer."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterable
from typing import Any

from xsession.testing._cloudtrail import CloudTrail
from xsession.testing._http import (
    UNSIGNED_OPERATIONS,
    APIRequest,
    Call,
    CallLog,
    Fault,
    Faults,
    HTTPResponse,
    RefusedError,
    check_signature,
    clock_skewed,
    cut_connection,
    error_response,
    not_implemented,
    protocol_refusal,
    read_api_request,
    read_http_request,
    signature_refusal,
    time_refusal,
    token_expired,
    unknown_key,
    unknown_operation,
)
from xsession.testing._iam import (
    AccessKey,
    Authorizer,
    LocalIAM,
    NotJudgedError,
    RequestEnvironment,
    RequiredAction,
    check_token,
)
from xsession.testing._organizations import LocalOrganizations
from xsession.testing._sts import LocalSTS

from ._models import is_operation
from ._moto import Moto

_HANG_SECONDS = 60.0
_READING = frozenset({"GetObject", "HeadObject"})
_XML = frozenset({"ec2", "iam", "s3", "sts"})


class Server:
    """A WSGI application.

    Args:
        sts: Knows the keys, and answers for STS.
        authorizer: Whether a key may do what it asks for.
        iam: Answers for IAM.
        moto: Does what is not done here.
        now: The clock, in seconds since 1970.
        calls: Records each request.
        faults: What is made to fail.
        trail: Keeps an event of each request, and answers for CloudTrail.
        organizations: Answers for Organizations and Account Management.
    """

    def __init__(
        self,
        *,
        sts: LocalSTS,
        authorizer: Authorizer,
        iam: LocalIAM,
        moto: Moto,
        now: Callable[[], float],
        calls: CallLog,
        faults: Faults,
        trail: CloudTrail,
        organizations: LocalOrganizations,
    ) -> None:
        self._sts = sts
        self._authorizer = authorizer
        self._iam = iam
        self._moto = moto
        self._now = now
        self._calls = calls
        self._faults = faults
        self._trail = trail
        self._organizations = organizations
        self.skew = 0.0
        self.failures: list[Exception] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answers one request."""
        try:
            http = read_http_request(environ)
        except RefusedError as error:
            # It is no request yet, and so not counted.
            return self._sent(error_response("s3", error, is_json=False), environ, start_response)
        request = read_api_request(http, str(environ.get("REMOTE_ADDR", "")))
        key = self._sts.find(request.access_key_id)
        fault = None if key is not None and key.own else self._fault(request)
        if fault is not None and fault.kind == "reset":
            self._note(request, key, HTTPResponse(0, b""))
            cut_connection(environ)
        response = None if fault is None else self._faulty(fault, request)
        if response is None:
            try:
                response = self._answer(request, key, environ)
            except RefusedError as error:
                response = error_response(request.service, error, is_json=request.is_json)
            except NotJudgedError as error:
                if is_operation(request):
                    self.failures.append(error)
                    refused = RefusedError(501, "NotKnownHere", str(error))
                else:
                    refused = unknown_operation(request.operation, is_json=request.is_json)
                response = error_response(request.service, refused, is_json=request.service not in _XML)
        self._note(request, key, response)
        return self._sent(response, environ, start_response)

    def _sent(
        self, response: HTTPResponse, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        headers = {"Content-Type": response.content_type, "Content-Length": str(len(response.body)), **response.headers}
        headers["Date"] = email.utils.formatdate(self._now(), usegmt=True)
        start_response(f"{response.status} -", list(headers.items()))
        return [b""] if environ["REQUEST_METHOD"] == "HEAD" else [response.body]

    def _answer(self, request: APIRequest, key: AccessKey | None, environ: dict[str, Any]) -> HTTPResponse:
        environment = RequestEnvironment(self._now(), request.region_name, request.source_ip)
        if request.signature is None and request.operation in UNSIGNED_OPERATIONS:
            _check_protocol(request)
            return self._sts.answer(request.operation, request.parameters, None, environment)
        key = self._authenticated(request, key)
        _check_protocol(request)
        if request.service == "sts":
            return self._sts.answer(request.operation, request.parameters, key, environment)
        if request.s3 is not None:
            for bucket in request.s3.buckets:
                if self._moto.bucket_owner(bucket) not in (None, key.principal.account_id):
                    raise RefusedError(403, "AccessDenied", "Access Denied")
        if request.service == "iam":
            check_token(key)
            request = self._iam.read(request, key)
        self._authorizer.check(key, request, environment.time)
        return self._done(request, key, environ, environment)

    def _done(
        self, request: APIRequest, key: AccessKey, environ: dict[str, Any], environment: RequestEnvironment
    ) -> HTTPResponse:
        """What a request that is allowed is answered."""
        account_id = key.principal.account_id
        if request.service == "cloudtrail":
            return self._trail.answer(request.operation, request.fields or {}, key, request.region_name)
        if request.service in self._organizations.SERVICES:
            return self._organizations.answer(request.service, request.operation, request.fields or {}, account_id)
        if request.service == "iam":
            return self._iam.answer(request, key, lambda: self._moto.answer(environ, request, account_id))
        response = self._moto.answer(environ, request, account_id)
        if response.status == 404 and request.operation in _READING and self._moto.bucket_owner(request.bucket):
            # A caller that may not list a bucket is not told that it lacks an object.
            listing = RequiredAction("s3:ListBucket", f"arn:{key.principal.partition}:s3:::{request.bucket}")
            self._authorizer.check(key, request, environment.time, [listing])
        return response

    def _authenticated(self, request: APIRequest, key: AccessKey | None) -> AccessKey:
        service, is_json, signature = request.service, request.is_json, request.signature
        if signature is None and service == "s3":
            # A presigned POST: its policy is not judged here, and so nothing is stored.
            raise not_implemented()
        if signature is None:
            message = "The request must contain a valid AWS signature of version 4"
            raise RefusedError(403, "MissingAuthenticationToken", message)
        # Clients sign by the machine's clock, whichever clock the server lives by.
        now = time.time() + self.skew
        malformed = signature_refusal(request.http, signature, now, is_json=is_json)
        if malformed is not None:
            raise malformed
        if key is None or (key.session_token or "") != (signature.session_token or ""):
            raise unknown_key(service, is_json=is_json)
        refusal = time_refusal(signature, request.http.query, now)
        if refusal is not None:
            raise clock_skewed(service, refusal, is_json=is_json, presigned=signature.presigned)
        check_signature(request.http, signature, key.secret_access_key, is_json=is_json)
        if key.expires is not None and self._now() >= key.expires:
            raise token_expired(service, is_json=is_json)
        return key

    def _note(self, request: APIRequest, key: AccessKey | None, response: HTTPResponse) -> None:
        if key is not None and key.own:
            return
        self._trail.record(request, key, response)
        self._calls.add(
            Call(
                service=request.service,
                operation=request.operation,
                access_key_id=request.access_key_id,
                account_id=None if key is None else key.principal.account_id,
                region_name=request.region_name,
                status=response.status,
                error_code=response.error_code,
                role_arn=request.parameters.get("RoleArn"),
            )
        )

    def _fault(self, request: APIRequest) -> Fault | None:
        return self._faults.hit(request.service, request.operation, request.parameters.get("RoleArn"))

    def _faulty(self, fault: Fault, request: APIRequest) -> HTTPResponse | None:
        if fault.kind == "latency":
            time.sleep(fault.seconds)
            return None
        if fault.kind == "hang":
            self._faults.released.wait(_HANG_SECONDS)
            return None
        if fault.kind == "garbage":
            return HTTPResponse(200, b"<html>this is not what you asked for", "text/html")
        error = RefusedError(fault.status, fault.code, fault.message)
        return error_response(request.service, error, is_json=request.is_json)


def _check_protocol(request: APIRequest) -> None:
    refusal = protocol_refusal(request)
    if refusal is not None:
        raise refusal
