from __future__ import annotations

import pytest

from xsession._aws._error_codes import (
    BAD_REQUEST,
    FINAL,
    hint_for,
    is_busy,
    is_dead_caller,
    is_dead_session,
    is_dead_web_identity,
    is_denied,
    is_final,
    is_missing,
    is_passing_in_iam,
    is_skewed,
    is_throttling,
    is_unknown_principal,
    same_code,
    wants_other_keys,
)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("AccessDenied", "AccessDeniedException"),
        ("ExpiredToken", "ExpiredTokenException"),
        ("InvalidClientTokenId", "UnrecognizedClientException"),
        ("RegionDisabled", "RegionDisabledException"),
        ("ValidationError", "ValidationException"),
        ("NoSuchEntity", "NoSuchEntityException"),
    ],
)
def test_both_spellings_mean_the_same(one: str, other: str) -> None:
    """For every decision and hint."""
    assert same_code(one) == same_code(other) == one
    for decide in (is_final, is_denied, is_dead_caller, is_dead_session, is_dead_web_identity, is_missing):
        assert decide(one) is decide(other)
    assert hint_for(one) == hint_for(other)


def test_no_code_means_nothing() -> None:
    """AWS did not answer, or in words alone."""
    for decide in (is_final, is_denied, is_dead_caller, is_dead_session, is_dead_web_identity, is_throttling, is_busy):
        assert not decide(None)
        assert not decide("")
    assert same_code(None) == ""
    assert hint_for(None) is None


@pytest.mark.parametrize(
    "code",
    [
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottledException",
        "SlowDown",
        "EC2ThrottledException",
        "ProvisionedThroughputExceededException",
    ],
)
def test_too_many_requests(code: str) -> None:
    """Services have many names for it; it is never final."""
    assert is_throttling(code)
    assert is_passing_in_iam(code)
    assert not is_final(code)


@pytest.mark.parametrize(
    "code", ["LimitExceeded", "LimitExceededException", "AccessDenied", "Slow", "ServiceUnavailable"]
)
def test_other_codes_are_no_throttling(code: str) -> None:
    """A quota of IAM that is used up does not free itself."""
    assert not is_throttling(code)


def test_what_is_dead() -> None:
    """The same code means another thing after another call."""
    codes = [
        "ExpiredToken",
        "InvalidClientTokenId",
        "InvalidToken",
        "RequestExpired",
        "TokenRefreshRequired",
        "IDPRejectedClaim",
        "InvalidIdentityToken",
        "AccessDenied",
    ]
    assert [code for code in codes if is_dead_caller(code)] == codes[:2]
    assert [code for code in codes if is_dead_session(code)] == [codes[0], *codes[2:5]]
    assert [code for code in codes if is_dead_web_identity(code)] == [codes[0], *codes[5:7]]


def test_a_denial_has_three_names() -> None:
    """The last one is EC2's."""
    assert all(map(is_denied, ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")))
    assert not is_denied("AuthFailure")


def test_what_passes_in_iam() -> None:
    """What is busy is done soon; what exists or does not is another matter."""
    assert is_busy("DeleteConflict")
    assert not is_passing_in_iam("DeleteConflict")
    assert is_busy("ConcurrentModificationException")
    assert is_passing_in_iam("ConcurrentModification")
    assert not is_busy("NoSuchEntity")
    assert is_missing("NoSuchEntity")


@pytest.mark.parametrize("code", sorted(FINAL))
def test_a_lasting_refusal_says_what_to_do(code: str) -> None:
    """But where the request's own words say it."""
    assert is_final(code)
    assert (hint_for(code, "AssumeRoleWithWebIdentity") is None) is (code in BAD_REQUEST)


def test_hints_depend_on_the_call() -> None:
    """Where they don't differ, what holds for STS holds for a web identity."""
    assert hint_for("ExpiredToken") == "renew the credentials of the source"
    assert hint_for("ExpiredToken", "AssumeRoleWithWebIdentity") == "supply a fresh web identity token"
    assert hint_for("RegionDisabled", "AssumeRoleWithWebIdentity") == hint_for("RegionDisabled")
    assert hint_for("MalformedPolicyDocument") == "correct policy= of this role"
    assert "every principal" in (hint_for("MalformedPolicyDocument", "IAM") or "")
    assert hint_for("IDPRejectedClaim") is None
    assert hint_for("ExpiredToken", "IAM") is None


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("RequestTimeTooSkewed", "", True),
        ("SignatureDoesNotMatch", "Signature expired: 2030", True),
        ("InvalidSignatureException", "Signature not yet current: 2030", True),
        ("SignatureDoesNotMatch", "The request signature we calculated does not match", False),
        (None, "", False),
    ],
)
def test_a_clock_that_is_wrong(code: str | None, message: str, *, expected: bool) -> None:
    """AWS has a code for it, and sentences."""
    assert is_skewed(code, message) is expected


@pytest.mark.parametrize(
    ("code", "message", "final"),
    [
        ("InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://x", True),
        ("InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider", False),
        ("InvalidIdentityTokenException", "Could not retrieve verification key", False),
        ("AccessDenied", "Couldn't retrieve verification key", True),
        ("IDPCommunicationError", "", False),
    ],
)
def test_a_final_code_may_be_said_of_a_moment(code: str, message: str, *, final: bool) -> None:
    """STS could not fetch the keys of the token's issuer, and blames the token."""
    assert is_final(code, message) is final


def test_a_session_is_replaced_where_a_service_asks_for_it() -> None:
    """Which says that the keys are old, and not that they are unknown."""
    assert wants_other_keys("TokenRefreshRequired")
    assert not wants_other_keys("InvalidAccessKeyId")


@pytest.mark.parametrize(
    ("code", "message", "unknown"),
    [
        ("MalformedPolicyDocument", 'Invalid principal in policy: "AWS":"arn:aws:iam::111111111111:role/New"', True),
        ("MalformedPolicyDocumentException", 'Invalid principal in policy: "FEDERATED":"arn:x"', True),
        ("MalformedPolicyDocument", 'Invalid principal in policy: "SERVICE":"ec3.amazonaws.com"', False),
        ("MalformedPolicyDocument", "Has prohibited field Resource", False),
        ("NoSuchEntity", "Invalid principal in policy", False),
        (None, "Invalid principal in policy", False),
    ],
)
def test_a_principal_may_not_be_known_yet(code: str | None, message: str, unknown: bool) -> None:
    """By IAM's words: its code is that of every mistake in a policy."""
    assert is_unknown_principal(code, message) is unknown
