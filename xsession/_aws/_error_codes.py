"""AWS's error codes, and what follows from each; the HTTP status says less.

https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

# Services that answer in XML and those that answer in JSON spell some differently, and so do pages of AWS's own.
_ALIASES = {
    "AccessDeniedException": "AccessDenied",
    "ConcurrentModificationException": "ConcurrentModification",
    "DeleteConflictException": "DeleteConflict",
    "EntityAlreadyExistsException": "EntityAlreadyExists",
    "ExpiredTokenException": "ExpiredToken",
    "IDPCommunicationErrorException": "IDPCommunicationError",
    "IDPRejectedClaimException": "IDPRejectedClaim",
    "IncompleteSignatureException": "IncompleteSignature",
    "InvalidIdentityTokenException": "InvalidIdentityToken",
    "InvalidSignatureException": "SignatureDoesNotMatch",
    "LimitExceededException": "LimitExceeded",
    "MalformedPolicyDocumentException": "MalformedPolicyDocument",
    "NoSuchEntityException": "NoSuchEntity",
    "NotAuthorized": "AccessDenied",
    "PackedPolicyTooLargeException": "PackedPolicyTooLarge",
    "RegionDisabledException": "RegionDisabled",
    "ServiceFailureException": "ServiceFailure",
    "ServiceUnavailableException": "ServiceUnavailable",
    "UnauthorizedOperation": "AccessDenied",  # EC2's
    "UnknownOperationException": "UnknownOperation",
    "UnrecognizedClientException": "InvalidClientTokenId",
    "ValidationException": "ValidationError",
}

# What services add to these differs: "Exception", "Error" and others.
_THROTTLING = (
    "Throttling",
    "ThrottledException",
    "TooManyRequests",
    "RequestLimitExceeded",
    "RequestThrottled",
    "SlowDown",
    "BandwidthLimitExceeded",
    "EC2Throttled",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceeded",
)

BAD_REQUEST = frozenset(
    {
        "IncompleteSignature",
        "InvalidAction",
        "InvalidParameterCombination",
        "InvalidParameterValue",
        "InvalidQueryParameter",
        "MalformedQueryString",
        "MissingAction",
        "MissingAuthenticationToken",
        "MissingParameter",
        "UnknownOperation",
        "ValidationError",
    }
)
"""Codes that only another request can fix; AWS's own words say which."""

FINAL = BAD_REQUEST | {
    "AccessDenied",
    "IDPRejectedClaim",
    "InvalidIdentityToken",
    "MalformedPolicyDocument",
    "OptInRequired",
    "PackedPolicyTooLarge",
    "RegionDisabled",
    # The secret is another key's, or the local clock is wrong: both wait for a person.
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}
"""Codes of STS that stay as they are until something is changed. Everything else may go away by itself."""

# STS could not fetch the keys of the token's issuer just then, and says so under the code of an invalid token.
_PASSING_MESSAGES: Mapping[str, tuple[str, ...]] = {
    "InvalidIdentityToken": ("retrieve verification key", "retrieve openid configuration"),
}

_DEAD_CALLER = frozenset({"ExpiredToken", "InvalidClientTokenId"})
_DEAD_WEB_IDENTITY = frozenset({"ExpiredToken", "IDPRejectedClaim", "InvalidIdentityToken"})
# RequestExpired is EC2's, TokenRefreshRequired is S3's.
_DEAD_SESSION = frozenset({"ExpiredToken", "InvalidToken", "RequestExpired", "TokenRefreshRequired"})
# What services say of a key that does not exist, or not yet: EC2's, S3's, and that of the others.
_UNKNOWN_KEY = frozenset({"AuthFailure", "InvalidAccessKeyId", "InvalidClientTokenId"})
_PASSING_IN_IAM = frozenset(
    {"ConcurrentModification", "EntityAlreadyExists", "InternalFailure", "ServiceFailure", "ServiceUnavailable"}
)
_BUSY = frozenset({"ConcurrentModification", "DeleteConflict"})
# STS says so under the code SignatureDoesNotMatch, other services under codes of their own.
_SKEWED = ("signature expired", "signature not yet current")

AwsCall = Literal["AssumeRole", "AssumeRoleWithWebIdentity", "IAM"]
"""What was called, as far as it matters for what to do: every call of STS but one is like AssumeRole."""

# What holds for AssumeRole holds for a web identity too, where nothing else is said.
_HINTS: Mapping[str, Mapping[AwsCall, str]] = {
    "AccessDenied": {
        "AssumeRole": "check that the role's trust policy names this caller, that the caller is allowed sts:AssumeRole "
        "on the role, and that external id, MFA and tags are as the trust policy asks; a role that does not exist is "
        "refused in the same way",
        "AssumeRoleWithWebIdentity": "check that the role's trust policy allows sts:AssumeRoleWithWebIdentity to the "
        "token's issuer, for its audience (aud) and subject (sub); a role that does not exist is refused in the same "
        "way",
    },
    "EntityAlreadyExists": {"IAM": "apply again: the role was created at the same time"},
    "ExpiredToken": {
        "AssumeRole": "renew the credentials of the source",
        "AssumeRoleWithWebIdentity": "supply a fresh web identity token",
    },
    "IDPRejectedClaim": {
        "AssumeRoleWithWebIdentity": "supply a fresh one: the token has ended, or its issuer has taken it back",
    },
    "InvalidClientTokenId": {
        "AssumeRole": "check that the access key still exists, and that the region is enabled",
    },
    "InvalidIdentityToken": {
        "AssumeRoleWithWebIdentity": "add an OIDC provider for the token's issuer, with its audience, to the "
        "role's account",
    },
    "LimitExceeded": {"IAM": "free or raise the IAM quota of the account that is used up"},
    "MalformedPolicyDocument": {
        "AssumeRole": "correct policy= of this role",
        "IAM": "check that every principal of the trust policy exists; one that was just made may need some seconds",
    },
    "PackedPolicyTooLarge": {"AssumeRole": "shorten policy= of this role or send fewer tags"},
    "RegionDisabled": {"AssumeRole": "choose another sts_region_name: STS is off in this region for the account"},
    "OptInRequired": {"AssumeRole": "sign the account up for the service, or choose a region that is enabled"},
    "RequestTimeTooSkewed": {"AssumeRole": "set the local clock"},
    "SignatureDoesNotMatch": {
        "AssumeRole": "check that the secret belongs to the access key, and that the local clock is right",
    },
}


def same_code(code: str | None) -> str:
    """The one spelling of a code that all tables go by; "": there is no code."""
    return _ALIASES.get(code or "", code or "")


def hint_for(code: str | None, call: AwsCall = "AssumeRole") -> str | None:
    """What to do about a code; None: nothing is known.

    Args:
        code: AWS's code, in either spelling.
        call: What was called.
    """
    hints = _HINTS.get(same_code(code), {})
    return hints.get(call) or (hints.get("AssumeRole") if call == "AssumeRoleWithWebIdentity" else None)


def is_throttling(code: str | None) -> bool:
    """Whether a code says that AWS gets too many requests."""
    return (code or "").startswith(_THROTTLING)


def is_final(code: str | None, message: str = "") -> bool:
    """Whether STS's refusal stays until something is changed.

    Args:
        code: AWS's code, in either spelling.
        message: AWS's words; some say that it is a passing one.
    """
    passing = _PASSING_MESSAGES.get(same_code(code), ())
    return same_code(code) in FINAL and not any(text in message.lower() for text in passing)


def is_dead_caller(code: str | None) -> bool:
    """Whether STS says that the credentials which the call was signed with are dead."""
    return same_code(code) in _DEAD_CALLER


def is_dead_web_identity(code: str | None) -> bool:
    """Whether STS says that the web identity token is not valid; there may be another one in its place."""
    return same_code(code) in _DEAD_WEB_IDENTITY


def is_dead_session(code: str | None) -> bool:
    """Whether a service says that temporary credentials are dead."""
    return same_code(code) in _DEAD_SESSION


def is_unknown_principal(code: str | None, message: str) -> bool:
    """Whether IAM does not know a user, role or provider that a trust policy names: it may have been made a moment ago.

    The names of AWS's services are known at once, or are wrong.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency

    Args:
        code: AWS's code, in either spelling.
        message: AWS's words.
    """
    said = message.lower()
    return same_code(code) == "MalformedPolicyDocument" and "invalid principal" in said and '"service":' not in said


def is_unknown_key(code: str | None) -> bool:
    """Whether a service says that it does not know the key: it does not exist, or was made a moment ago."""
    return same_code(code) in _UNKNOWN_KEY


def wants_other_keys(code: str | None) -> bool:
    """Whether a code that says so does it because a session should be replaced, and not because it is unknown."""
    return same_code(code) == "TokenRefreshRequired"


def is_denied(code: str | None) -> bool:
    """Whether policies may be the reason."""
    return same_code(code) == "AccessDenied"


def is_missing(code: str | None) -> bool:
    """Whether IAM says that there is no such role, user or policy."""
    return same_code(code) == "NoSuchEntity"


def is_busy(code: str | None) -> bool:
    """Whether IAM refuses a change because another one is under way."""
    return same_code(code) in _BUSY


def is_passing_in_iam(code: str | None) -> bool:
    """Whether IAM's refusal may go away by itself."""
    return is_throttling(code) or same_code(code) in _PASSING_IN_IAM


def is_skewed(code: str | None, message: str) -> bool:
    """Whether AWS finds that the request's time is not its own."""
    return code == "RequestTimeTooSkewed" or any(text in message.lower() for text in _SKEWED)
