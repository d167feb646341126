from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from xsession import AssumeRoleError, Credentials, SessionClosedError
from xsession.serving._answer import credentials_answer, error_answer, refusal_answer
from xsession.serving._request import Refusal

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)


def read(answer: bytes) -> tuple[int, dict[str, Any]]:
    """The status and the document, once the length is checked."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = re.match(rb"HTTP/1\.1 (\d{3}) [A-Z]", head)
    assert status is not None
    assert f"Content-Length: {len(body)}".encode() in head.split(b"\r\n")
    return int(status[1]), json.loads(body)


def issued(lifetime: float, *, expiry: datetime | None = None) -> Credentials:
    """Credentials that were issued now."""
    end = NOW + timedelta(seconds=lifetime) if expiry is None else expiry
    return Credentials(
        access_key_id="ASIA1",
        secret_access_key="secret",
        session_token="token",
        expiry=end,
        issued_at=NOW,
        lifetime=lifetime,
        account_id="222222222222",
    )


def test_credentials_have_the_names_that_sdks_read() -> None:
    """All of them strings; nothing else is in it."""
    assert read(credentials_answer(issued(3_600), NOW.timestamp())) == (
        200,
        {
            "AccessKeyId": "ASIA1",
            "SecretAccessKey": "secret",
            "Token": "token",
            "Expiration": "2030-01-01T12:59:55Z",
            "AccountId": "222222222222",
        },
    )


@pytest.mark.parametrize(
    ("lifetime", "told"), [(43_200.0, "23:59:55"), (900.0, "12:14:55"), (6.0, "12:00:05"), (3_600.9, "12:59:55")]
)
def test_the_end_that_is_told_is_a_little_before_the_true_one(lifetime: float, told: str) -> None:
    """By as much as nothing is signed with them any more: then a refresh has begun long ago. In whole seconds, UTC."""
    _, document = read(credentials_answer(issued(lifetime), NOW.timestamp()))
    assert document["Expiration"] == f"2030-01-01T{told}Z"


@pytest.mark.parametrize("ahead", [-4, 4])
def test_the_end_is_told_by_the_clock_that_the_reader_has(ahead: int) -> None:
    """AWS's clock may differ by hours: the reader compares with that of this machine."""
    credentials = issued(3_600, expiry=NOW + timedelta(hours=1 + ahead))
    _, document = read(credentials_answer(credentials, NOW.timestamp()))
    assert document["Expiration"] == "2030-01-01T12:59:55Z"


def test_a_sources_own_credentials_are_told_to_end_soon() -> None:
    """Their end is not known; SDKs refuse an answer without one, and one without a token."""
    _, document = read(credentials_answer(Credentials(access_key_id="AKIA1", secret_access_key="s"), NOW.timestamp()))
    assert document == {
        "AccessKeyId": "AKIA1",
        "SecretAccessKey": "s",
        "Token": "",
        "Expiration": "2030-01-01T12:10:00Z",
    }


@pytest.mark.parametrize(
    "answer",
    [
        credentials_answer(issued(3_600), NOW.timestamp()),
        error_answer(AssumeRoleError("no", account="vegeta")),
        refusal_answer(Refusal(403, "Forbidden", "no")),
    ],
    ids=["credentials", "error", "refusal"],
)
def test_each_answer_says_that_it_is_json(answer: bytes) -> None:
    """Some SDKs look, and none keeps it: https://github.com/s3fs-fuse/s3fs-fuse/issues/1290."""
    head = answer.partition(b"\r\n\r\n")[0].decode().splitlines()
    assert "Content-Type: application/json" in head
    assert "Cache-Control: no-store" in head


def test_an_error_is_told_in_its_own_words() -> None:
    """What can go away by itself has a status that SDKs ask again after."""
    refused = AssumeRoleError("AccessDenied: no", account="vegeta", code="AccessDenied", hint="look at the trust")
    assert read(error_answer(refused)) == (
        403,
        {"Code": "AccessDenied", "Message": "account 'vegeta': AccessDenied: no; look at the trust"},
    )
    assert read(error_answer(AssumeRoleError("Throttling", code="Throttling", retryable=True)))[0] == 503
    assert read(error_answer(SessionClosedError.closed()))[1]["Code"] == "SessionClosedError"


def test_an_error_moves_no_cursor() -> None:
    """SDKs print it, and AWS's words may hold what an attacker wrote."""
    _, document = read(error_answer(AssumeRoleError("role \x1b[2J\u202e", code="Bad\x07")))
    assert document == {"Code": "Bad\\x07", "Message": "role \\x1b[2J\\u202e"}


def test_a_refusal_says_why() -> None:
    """As JSON too."""
    assert read(refusal_answer(Refusal(431, "TooLarge", "too large"))) == (
        431,
        {"Code": "TooLarge", "Message": "too large"},
    )
