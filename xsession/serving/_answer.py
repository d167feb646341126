"""What the endpoint sends: credentials in the form that AWS's SDKs read, or an error that they show.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from xsession._aws import iso
from xsession.credentials import Credentials
from xsession.errors import XSessionError
from xsession.escape import for_json, for_terminal
from xsession.refresh import RefreshPolicy

from ._request import Refusal

_UNKNOWN_END_SECONDS = 600.0
"""For how long a source's own credentials are called valid: botocore refreshes its own before they have less."""


def credentials_answer(credentials: Credentials, now: float) -> bytes:
    """The answer with credentials; they end, so it says, a little earlier than they do.

    Args:
        credentials: What the reader signs with.
        now: The local wall clock, in seconds since 1970.
    """
    document = {
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        # Readers insist on both, also for long-term keys, which have neither.
        "Token": credentials.session_token or "",
        "Expiration": iso(_end(credentials, now)),
        "AccountId": credentials.account_id,
    }
    return _response(200, {name: value for name, value in document.items() if value is not None})


def refusal_answer(refusal: Refusal) -> bytes:
    """The answer to a request that gets no credentials."""
    return _response(refusal.status, {"Code": refusal.code, "Message": refusal.message})


def error_answer(error: XSessionError) -> bytes:
    """The answer while there are no credentials: the error's own words, which the reader shows to its user."""
    # 503: SDKs ask again.
    status = 503 if error.retryable else 403
    code = error.code or type(error).__name__
    return _response(status, {"Code": for_terminal(code), "Message": for_terminal(str(error))})


def _end(credentials: Credentials, now: float) -> datetime:
    # By the clock that the reader has too: AWS's may differ.
    end = credentials.local_expiry
    if end is None:
        return datetime.fromtimestamp(now + _UNKNOWN_END_SECONDS, UTC)
    lifetime = credentials.lifetime
    early = 0.0 if lifetime is None else RefreshPolicy().windows(lifetime, 1.0).hard
    return end - timedelta(seconds=early)


def _response(status: int, document: dict[str, str]) -> bytes:
    body = for_json(document).encode("ascii")
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\n"
        "Connection: close\r\n"
        "\r\n"
    )
    return head.encode("ascii") + body
