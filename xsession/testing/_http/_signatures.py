"""Checks signatures as AWS does: of version 4, and of version 2 in S3's presigned URLs.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
"""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import posixpath
import time
from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime
from email.utils import parsedate
from urllib.parse import quote, unquote

from xsession._base import frozen

from ._errors import signature_mismatch
from ._http_request import HTTPRequest
from ._payloads import UNSIGNED, ChunkSigner, check_payload

ALGORITHM = "AWS4-HMAC-SHA256"
TIMESTAMP = "%Y%m%dT%H%M%SZ"
LEEWAY_SECONDS = 900
VERSION_2 = "-/-/s3/-"
S3_SERVICES = frozenset({"s3", "s3express", "s3-object-lambda", "s3-outposts"})
WITH_FORM = frozenset({"sts", "iam", "ec2"})


@frozen
class Signature:
    """What a request says about its signature.

    Args:
        access_key_id: The key.
        scope: "<date>/<region>/<service>/aws4_request".
        signed_headers: The names of the headers that it covers.
        timestamp: When it was made.
        value: The signature.
        session_token: The token of temporary credentials.
        presigned: Whether it stands in the query.
    """

    access_key_id: str
    scope: str
    signed_headers: tuple[str, ...]
    timestamp: str
    value: str = field(repr=False)
    session_token: str | None = field(repr=False)
    presigned: bool

    @property
    def is_version_2(self) -> bool:
        """Whether it is one of the version before."""
        return self.scope == VERSION_2

    @property
    def region_name(self) -> str:
        """The region that it is for; "": it does not say."""
        return self._of_scope(1)

    @property
    def service(self) -> str:
        """The service that it is for; "": it does not say."""
        return self._of_scope(2)

    def _of_scope(self, number: int) -> str:
        parts = self.scope.split("/")
        return parts[number] if len(parts) == 4 else ""


def read_signature(request: HTTPRequest) -> Signature | None:
    """The signature of a request, however malformed; None: it has none of these versions."""
    authorization = request.headers.get("authorization", "")
    if authorization.startswith(ALGORITHM):
        return _in_header(request, authorization)
    values = {name: unquote(value) for name, value in pairs(request.query)}
    if "AWSAccessKeyId" in values:
        return Signature(
            access_key_id=values["AWSAccessKeyId"],
            scope=VERSION_2,
            signed_headers=(),
            timestamp=values.get("Expires", ""),
            value=values.get("Signature", ""),
            session_token=values.get("x-amz-security-token"),
            presigned=True,
        )
    if values.get("X-Amz-Algorithm") != ALGORITHM:
        return None
    key, _, scope = values.get("X-Amz-Credential", "").partition("/")
    return Signature(
        access_key_id=key,
        scope=scope,
        signed_headers=_names(values.get("X-Amz-SignedHeaders", "")),
        timestamp=values.get("X-Amz-Date", ""),
        value=values.get("X-Amz-Signature", ""),
        session_token=values.get("X-Amz-Security-Token"),
        presigned=True,
    )


def _in_header(request: HTTPRequest, authorization: str) -> Signature:
    parts = dict(pair.strip().partition("=")[::2] for pair in authorization[len(ALGORITHM) :].split(","))
    key, _, scope = parts.get("Credential", "").partition("/")
    return Signature(
        access_key_id=key,
        scope=scope,
        signed_headers=_names(parts.get("SignedHeaders", "")),
        timestamp=_timestamp(request.headers),
        value=parts.get("Signature", ""),
        session_token=request.headers.get("x-amz-security-token"),
        presigned=False,
    )


def _names(listed: str) -> tuple[str, ...]:
    return tuple(name for name in listed.split(";") if name)


def _timestamp(headers: Mapping[str, str]) -> str:
    if "x-amz-date" in headers:
        return headers["x-amz-date"]
    # Clients that set a Date of their own sign that one, which is written in another form.
    moment = parsedate(headers.get("date", ""))
    return headers.get("date", "") if moment is None else time.strftime(TIMESTAMP, moment)


def check_signature(request: HTTPRequest, signature: Signature, secret_access_key: str, *, is_json: bool) -> None:
    """Refuses a request whose signature was not made with this secret, or not over this payload.

    Raises:
        RefusedError: It was not.
    """
    if signature.is_version_2:
        if not _is_equal(_version_2(request, signature, secret_access_key), signature.value):
            raise signature_mismatch()
        return
    names = sorted(signature.signed_headers)
    canonical = "\n".join(
        (
            request.method,
            _canonical_path(request.path, signature.service),
            "&".join(f"{name}={value}" for name, value in sorted(pairs(request.query)) if name != "X-Amz-Signature"),
            "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names),
            ";".join(names),
            _payload_hash(request, signature, is_json=is_json),
        )
    )
    key = _signing_key(secret_access_key, signature.scope)
    # As it came over the wire, which Python reads as Latin-1.
    digest = hashlib.sha256(canonical.encode("latin-1", "replace")).hexdigest()
    to_sign = f"{ALGORITHM}\n{signature.timestamp}\n{signature.scope}\n{digest}"
    expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    if not _is_equal(expected, signature.value):
        raise signature_mismatch(is_json=is_json)
    if signature.service in S3_SERVICES:
        check_payload(request, ChunkSigner(key, signature.timestamp, signature.scope, expected))


def _is_equal(expected: str, given: str) -> bool:
    return hmac.compare_digest(expected.encode(), given.encode())


def time_refusal(signature: Signature, query: str, now: float) -> str | None:
    """Why a signature is not for this moment, in AWS's words; None: it is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html

    Args:
        signature: The signature, whose form is right.
        query: Of its request, which says how long a presigned URL is good for.
        now: The server's clock, in seconds since 1970.
    """
    if signature.is_version_2:
        return None if now <= float(signature.timestamp) else "Request has expired"
    made = datetime.strptime(signature.timestamp, TIMESTAMP).replace(tzinfo=UTC).timestamp()
    until = made + (expires_in(query) if signature.presigned else LEEWAY_SECONDS)
    if now > until:
        limit = _written(now - LEEWAY_SECONDS)
        return f"Signature expired: {signature.timestamp} is now earlier than {limit} ({_written(now)} - 15 min.)"
    if made - now > LEEWAY_SECONDS:
        limit = _written(now + LEEWAY_SECONDS)
        return (
            f"Signature not yet current: {signature.timestamp} is still later than {limit} ({_written(now)} + 15 min.)"
        )
    return None


def expires_in(query: str) -> int:
    """For how many seconds a presigned URL, whose form is right, is good."""
    return int(dict(pairs(query)).get("X-Amz-Expires", LEEWAY_SECONDS))


def pairs(query: str) -> list[tuple[str, str]]:
    """The names and values of a query, as they are written."""
    return [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)]


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(TIMESTAMP)


def _version_2(request: HTTPRequest, signature: Signature, secret_access_key: str) -> str:
    token = f"x-amz-security-token:{signature.session_token}\n" if signature.session_token else ""
    content = "\n".join(request.headers.get(name, "") for name in ("content-md5", "content-type"))
    to_sign = f"{request.method}\n{content}\n{signature.timestamp}\n{token}{request.path}"
    return base64.b64encode(hmac.new(secret_access_key.encode(), to_sign.encode(), hashlib.sha1).digest()).decode()


@functools.lru_cache(maxsize=4_096)
def _signing_key(secret_access_key: str, scope: str) -> bytes:
    key = f"AWS4{secret_access_key}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def _canonical_path(path: str, service: str) -> str:
    if service in S3_SERVICES:
        return path
    normal = posixpath.normpath(path) if path else "/"
    if path.endswith("/") and not normal.endswith("/"):
        normal += "/"
    return quote(normal.replace("//", "/"), safe="/-_.~")


def _payload_hash(request: HTTPRequest, signature: Signature, *, is_json: bool) -> str:
    declared = request.headers.get("x-amz-content-sha256")
    if signature.service in S3_SERVICES:
        return declared or UNSIGNED
    # Some of the services with REST interfaces take payloads that are not signed; what others declare says nothing.
    if declared == UNSIGNED and not is_json and signature.service not in WITH_FORM:
        return UNSIGNED
    return hashlib.sha256(request.body).hexdigest()
