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
import re
from dataclasses import field
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from xsession._base import frozen

from ._http_request import HTTPRequest

_ALGORITHM = "AWS4-HMAC-SHA256"
_TIMESTAMP = "%Y%m%dT%H%M%SZ"
_LEEWAY_SECONDS = 900
_VERSION_2 = "-/-/s3/-"
_AUTHORIZATION = re.compile(
    rf"{_ALGORITHM} Credential=(?P<credential>[^,]+), *SignedHeaders=(?P<headers>[^,]+), *Signature=(?P<signature>\w+)"
)


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
    def region_name(self) -> str:
        """The region that it is for."""
        return self.scope.split("/")[1]

    @property
    def service(self) -> str:
        """The service that it is for."""
        return self.scope.split("/")[2]


def read_signature(request: HTTPRequest) -> Signature | None:
    """The signature of a request; None: it has none of this version."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if match is not None:
        key, _, scope = match["credential"].partition("/")
        return Signature(
            access_key_id=key,
            scope=scope,
            signed_headers=tuple(match["headers"].split(";")),
            timestamp=request.headers.get("x-amz-date", ""),
            value=match["signature"],
            session_token=request.headers.get("x-amz-security-token"),
            presigned=False,
        )
    values = {name: unquote(value) for name, value in _pairs(request.query)}
    if "AWSAccessKeyId" in values:
        return Signature(
            access_key_id=values["AWSAccessKeyId"],
            scope=_VERSION_2,
            signed_headers=(),
            timestamp=values["Expires"],
            value=values["Signature"],
            session_token=values.get("x-amz-security-token"),
            presigned=True,
        )
    if values.get("X-Amz-Algorithm") != _ALGORITHM:
        return None
    key, _, scope = values["X-Amz-Credential"].partition("/")
    return Signature(
        access_key_id=key,
        scope=scope,
        signed_headers=tuple(values["X-Amz-SignedHeaders"].split(";")),
        timestamp=values["X-Amz-Date"],
        value=values["X-Amz-Signature"],
        session_token=values.get("X-Amz-Security-Token"),
        presigned=True,
    )


def is_signature_valid(request: HTTPRequest, signature: Signature, secret_access_key: str) -> bool:
    """Whether the signature was made with this secret."""
    if signature.scope == _VERSION_2:
        return hmac.compare_digest(_version_2(request, signature, secret_access_key), signature.value)
    canonical = "\n".join(
        (
            request.method,
            _canonical_path(request.path, signature.service),
            "&".join(f"{name}={value}" for name, value in sorted(_pairs(request.query)) if name != "X-Amz-Signature"),
            "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signature.signed_headers),
            ";".join(signature.signed_headers),
            _payload_hash(request, signature),
        )
    )
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{_ALGORITHM}\n{signature.timestamp}\n{signature.scope}\n{digest}"
    expected = hmac.new(_signing_key(secret_access_key, signature.scope), to_sign.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, signature.value)


def time_refusal(signature: Signature, query: str, now: float) -> str | None:
    """Why a signature is not for this moment, in AWS's words; None: it is.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html

    Args:
        signature: The signature.
        query: Of its request, which says how long a presigned URL is good for.
        now: The server's clock, in seconds since 1970.
    """
    values = dict(_pairs(query)) if signature.presigned else {}
    if signature.scope == _VERSION_2:
        return None if now <= float(signature.timestamp) else "Request has expired"
    try:
        made = datetime.strptime(signature.timestamp, _TIMESTAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return f"Date must be in ISO-8601 'basic format'. Got '{signature.timestamp}'."
    until = made + (float(values.get("X-Amz-Expires", 0)) if signature.presigned else _LEEWAY_SECONDS)
    if now > until:
        limit = _written(now - _LEEWAY_SECONDS)
        return f"Signature expired: {signature.timestamp} is now earlier than {limit} ({_written(now)} - 15 min.)"
    if made - now > _LEEWAY_SECONDS:
        limit = _written(now + _LEEWAY_SECONDS)
        return (
            f"Signature not yet current: {signature.timestamp} is still later than {limit} ({_written(now)} + 15 min.)"
        )
    return None


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime(_TIMESTAMP)


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
    if service in ("s3", "s3express"):
        return path
    normal = posixpath.normpath(path) if path else "/"
    if path.endswith("/") and not normal.endswith("/"):
        normal += "/"
    return quote(normal.replace("//", "/"), safe="/-_.~")


def _payload_hash(request: HTTPRequest, signature: Signature) -> str:
    declared = request.headers.get("x-amz-content-sha256")
    if declared is not None:
        return declared
    if signature.presigned and signature.service == "s3":
        return "UNSIGNED-PAYLOAD"
    return hashlib.sha256(request.body).hexdigest()


def _pairs(query: str) -> list[tuple[str, str]]:
    return [(name, value) for name, _, value in (pair.partition("=") for pair in query.split("&") if pair)]
