"""What AWS asks of a signature's form, before it asks whose it is.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from ._errors import RefusedError, malformed_signature, signature_mismatch
from ._http_request import HTTPRequest
from ._signatures import ALGORITHM, S3_SERVICES, TIMESTAMP, Signature, pairs

_WEEK_SECONDS = 604_800
_LABEL = re.compile(r"[a-z0-9-]{1,63}")
_KEY_ID = re.compile(r"\w+", re.ASCII)
_MOMENT = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_QUERY = ("X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature", "X-Amz-SignedHeaders")
_AUTHENTICATION = frozenset({*_QUERY, "X-Amz-Algorithm", "X-Amz-Expires", "X-Amz-Security-Token"}) | {
    "AWSAccessKeyId",
    "Expires",
    "Signature",
}


def signature_refusal(request: HTTPRequest, signature: Signature, now: float, *, is_json: bool) -> RefusedError | None:
    """Why a signature is none that AWS would check; None: it is one.

    Args:
        request: The request.
        signature: What it says about its signature.
        now: The server's clock, in seconds since 1970.
        is_json: Whether the service answers in JSON.
    """
    service, presigned = signature.service, signature.presigned
    both = "authorization" in request.headers and bool(
        {"X-Amz-Algorithm", "AWSAccessKeyId"} & {name for name, _ in pairs(request.query)}
    )
    if both and service == "s3":
        return RefusedError(400, "InvalidArgument", "Only one auth mechanism allowed")
    if signature.is_version_2:
        return _version_2_refusal(request, signature, now)
    for message in _problems(request, signature):
        return malformed_signature(service, message, is_json=is_json, presigned=presigned)
    if service in S3_SERVICES:
        return _s3_refusal(request, signature)
    for message in _mismatches(request, signature):
        return signature_mismatch(message, is_json=is_json)
    return None


def _problems(request: HTTPRequest, signature: Signature) -> Iterator[str]:
    """What makes it no signature at all, most general first."""
    is_s3, place = signature.service in S3_SERVICES, "query" if signature.presigned else "header"
    missing = [
        name
        for name, value in (
            ("Credential", signature.access_key_id),
            ("SignedHeaders", signature.signed_headers),
            ("Signature", signature.value),
        )
        if not value
    ]
    if missing:
        yield " ".join(f"Authorization {place} requires '{name}' parameter." for name in missing)
    yield from _repetitions(request)
    if not _KEY_ID.fullmatch(signature.access_key_id) or signature.scope.count("/") != 3:
        yield (
            f'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request", '
            f'not "{signature.access_key_id}/{signature.scope}"'
        )
    if signature.presigned:
        expires = dict(pairs(request.query)).get("X-Amz-Expires")
        if is_s3 or expires is not None:
            yield from _expiry_problems(expires)
    if is_s3 and _is_moment(signature.timestamp):
        yield from _scope_problems(signature)
    elif is_s3 and signature.presigned:
        yield "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\""


def _repetitions(request: HTTPRequest) -> Iterator[str]:
    counted = Counter(name for name, _ in pairs(request.query) if name in _AUTHENTICATION)
    if "authorization" in request.headers:
        counted.update(_header_names(request.headers["authorization"]))
    for name, count in counted.items():
        if count > 1:
            yield f"{name} is there {count} times"


def _header_names(authorization: str) -> list[str]:
    return [part.strip().partition("=")[0] for part in authorization.removeprefix(ALGORITHM).split(",")]


def _expiry_problems(expires: str | None) -> Iterator[str]:
    if expires is None:
        yield "Query-string authentication requires the X-Amz-Expires parameter"
    elif not re.fullmatch(r"-?[0-9]+", expires):
        yield "X-Amz-Expires should be a number"
    elif expires.startswith("-"):
        yield "X-Amz-Expires must be non-negative"
    elif not expires.strip("0"):
        yield "X-Amz-Expires must be at least 1"
    elif len(expires.lstrip("0")) > 6 or int(expires) > _WEEK_SECONDS:
        yield (
            "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than "
            f"{_WEEK_SECONDS} seconds"
        )


def _scope_problems(signature: Signature) -> Iterator[str]:
    date, region, service, terminator = signature.scope.split("/")
    if date != signature.timestamp[:8]:
        yield (
            f'Invalid credential date "{date}". This date is not the same as X-Amz-Date: "{signature.timestamp[:8]}".'
        )
    if not _LABEL.fullmatch(region):
        yield f"the region '{region}' is wrong"
    if not _LABEL.fullmatch(service):
        yield f'incorrect service "{service}".'
    if terminator != "aws4_request":
        yield f'incorrect terminal "{terminator}". This endpoint uses "aws4_request".'


def _mismatches(request: HTTPRequest, signature: Signature) -> Iterator[str]:
    """What services other than S3 say of a signature, one after the other."""
    date, region, service, terminator = signature.scope.split("/")
    if not _is_moment(signature.timestamp):
        yield f"Date must be in ISO-8601 'basic format'. Got '{signature.timestamp}'."
    if not _LABEL.fullmatch(region):
        yield f"Credential should be scoped to a valid region, not '{region}'."
    if not _LABEL.fullmatch(service):
        yield f"Credential should be scoped to correct service, not '{service}'."
    if terminator != "aws4_request":
        yield f"Credential should be scoped with a valid terminator: 'aws4_request', not '{terminator}'."
    if date != signature.timestamp[:8]:
        yield (
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "
            f"'{date}' != '{signature.timestamp[:8]}', from '{signature.timestamp}'."
        )
    unsigned = _unsigned(request, signature)
    if "host" in unsigned:
        yield "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    if unsigned:
        yield f"'{unsigned[0]}' must be a 'SignedHeader' in the AWS Authorization."
    absent = [name for name in signature.signed_headers if name not in request.headers]
    if absent:
        yield f"'{absent[0]}' is a 'SignedHeader' but the request has none."


def _s3_refusal(request: HTTPRequest, signature: Signature) -> RefusedError | None:
    if not _is_moment(signature.timestamp):
        return RefusedError(403, "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
    if not signature.presigned and "x-amz-content-sha256" not in request.headers:
        return RefusedError(400, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
    if _unsigned(request, signature):
        message = "There were headers present in the request which were not signed"
        return RefusedError(403, "AccessDenied", message)
    if any(name not in request.headers for name in signature.signed_headers):
        return signature_mismatch()
    return None


def _version_2_refusal(request: HTTPRequest, signature: Signature, now: float) -> RefusedError | None:
    names = [name for name, _ in pairs(request.query)]
    if any(names.count(name) != 1 for name in ("AWSAccessKeyId", "Expires", "Signature")):
        message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        return RefusedError(403, "AccessDenied", message)
    if not re.fullmatch(r"[0-9]{1,18}", signature.timestamp):
        message = f"Invalid date (should be seconds since epoch): {signature.timestamp}"
        return RefusedError(403, "AccessDenied", message)
    if int(signature.timestamp) > now + _WEEK_SECONDS:
        return RefusedError(403, "AccessDenied", "Expires must be less than a week from now")
    return None


def _unsigned(request: HTTPRequest, signature: Signature) -> list[str]:
    """The headers that must be signed and are not."""
    wanted = {"host", *(name for name in request.headers if name.startswith("x-amz-"))}
    return sorted(wanted - set(signature.signed_headers))


def _is_moment(text: str) -> bool:
    if not _MOMENT.fullmatch(text):
        return False
    try:
        datetime.strptime(text, TIMESTAMP)  # noqa: DTZ007 # only whether there is such a day
    except ValueError:
        return False
    return True
