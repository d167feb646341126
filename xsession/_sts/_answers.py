"""What STS answers, as credentials or as an error of ours.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from xsession._aws import AwsCall, answered_at, hint_for, is_dead_caller, is_final, is_skewed, same_code
from xsession._base import without_frames
from xsession.credentials import Credentials
from xsession.errors import (
    AssumeRoleError,
    CredentialsError,
    SourceCredentialsError,
    STSUnavailableError,
    XSessionError,
)
from xsession.roles import MAX_CHAINED_DURATION_SECONDS, Role

DEFAULT_DURATION_SECONDS = MAX_CHAINED_DURATION_SECONDS
_MAX_AHEAD_SECONDS = 36 * 3_600
_DATE_TOLERANCE_SECONDS = 60


def read_assumed(answer: Any, role: Role, sent_wall: float, hop: int) -> Credentials:
    """The credentials of an assumed role, with whose they are.

    Args:
        answer: What botocore made of STS's answer.
        role: The role that was asked for.
        sent_wall: The local wall clock's reading when the request was sent.
        hop: The role's place in its chain, for errors.

    Raises:
        CredentialsError: The answer makes no sense.
    """
    asked = role.duration_seconds if isinstance(role.duration_seconds, int) else DEFAULT_DURATION_SECONDS
    try:
        user = answer["AssumedRoleUser"]
        arn = user["Arn"]
        if not isinstance(arn, str) or arn.count(":") < 5:
            _reject(role, hop, answer.get("ResponseMetadata", {}), None)
        identity = {
            "account_id": role.account_id,
            "arn": arn,
            "user_id": user.get("AssumedRoleId"),
            "source_identity": answer.get("SourceIdentity"),
            "packed_policy_size": answer.get("PackedPolicySize"),
        }
    except (KeyError, TypeError, AttributeError):
        _reject(role, hop, {}, None)
    return read_credentials(answer, asked, sent_wall, role, hop, **identity)


def read_credentials(
    answer: Any, asked: int, sent_wall: float, role: Role | None, hop: int, **identity: Any
) -> Credentials:
    """The credentials in an answer.

    Args:
        answer: What botocore made of STS's answer.
        asked: Seconds that were asked for.
        sent_wall: The local wall clock's reading when the request was sent.
        role: The role that was asked for; None: none was.
        hop: Its place in its chain, for errors.
        identity: Whose they are, as `Credentials` takes it.

    Raises:
        CredentialsError: The answer makes no sense.
    """
    try:
        issued, metadata = answer["Credentials"], answer.get("ResponseMetadata", {})
        expiry = issued["Expiration"]
        lifetime = lifetime_of(expiry, answered_at(metadata), asked=asked, sent_wall=sent_wall)
        texts = (issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
        if lifetime is None or not all(isinstance(text, str) and text for text in texts):
            _reject(role, hop, metadata, expiry)
        return Credentials(
            access_key_id=texts[0],
            secret_access_key=texts[1],
            session_token=texts[2],
            expiry=expiry,
            issued_at=datetime.fromtimestamp(sent_wall, UTC),
            lifetime=lifetime,
            request_id=metadata.get("RequestId"),
            **identity,
        )
    except (KeyError, TypeError, AttributeError):
        _reject(role, hop, {}, None)


def _reject(role: Role | None, hop: int, metadata: Mapping[str, Any], expiry: object) -> NoReturn:
    ends = f" that end at {expiry}" if isinstance(expiry, datetime) else ""
    msg = f"STS's answer makes no sense: credentials{ends}" if ends else "STS's answer lacks what it must hold"
    hint = "compare the local clock with the true time" if ends else None
    request_id = metadata.get("RequestId")
    role_arn = None if role is None else role.role_arn
    raise STSUnavailableError(
        msg, role_arn=role_arn, hop=hop, request_id=request_id, retryable=True, hint=hint
    ) from None


def lifetime_of(expiry: object, date: datetime | None, *, asked: int, sent_wall: float) -> float | None:
    """Seconds that credentials live, or None where the answer makes no sense.

    Expiration and Date are both AWS's clock, so that a wrong local clock cancels out. Where there is no believable
    Date, the local clock must do, and never for longer than was asked.

    Args:
        expiry: The answer's Expiration.
        date: The answer's Date header.
        asked: Seconds that were asked for.
        sent_wall: The local wall clock's reading when the request was sent.
    """
    if not isinstance(expiry, datetime) or expiry.tzinfo is None:
        return None
    ends = expiry.timestamp() // 1
    now = sent_wall if date is None else date.timestamp() // 1
    if ends - now > _MAX_AHEAD_SECONDS:
        return None
    if date is not None and 0 < ends - now <= asked + _DATE_TOLERANCE_SECONDS:
        # Date lacks the fraction of its second, which the local clock knows where the two agree.
        return ends - (sent_wall if now <= sent_wall < min(now + 1, ends) else now)
    lifetime = min(ends - sent_wall, float(asked))
    return lifetime if lifetime > 0 else None


def refusal(
    error: ClientError, role: Role | None, hop: int | None, sent_wall: float, secrets: tuple[str, ...]
) -> XSessionError:
    """What becomes of STS's refusal: AWS's code and words, and what to do.

    Args:
        error: botocore's.
        role: The role that was asked for; None: none was.
        hop: Its place in its chain.
        sent_wall: The local wall clock's reading when the request was sent.
        secrets: Values of the request that AWS's words may repeat.
    """
    details = error.response.get("Error", {})
    code = str(details.get("Code", "Unknown"))
    message = str(details.get("Message", ""))
    for secret in secrets:
        message = message.replace(secret, "****")
    metadata = error.response.get("ResponseMetadata", {})
    call: AwsCall = "AssumeRoleWithWebIdentity" if role is not None and role.has_web_identity else "AssumeRole"
    skewed = is_skewed(code, message)
    kind = _kind(role, hop, "" if skewed else code)
    failure = kind(
        f"{code}: {message}",
        role_arn=None if role is None else role.role_arn,
        hop=hop,
        code=code,
        request_id=metadata.get("RequestId"),
        # A source that is dead stays so; the hop before may be replaced, or not be known everywhere yet.
        retryable=not (is_final(code, message) or skewed or kind is SourceCredentialsError),
        hint=_clock_hint(code, message, metadata, sent_wall) or hint_for(code, call),
    )
    if not secrets:
        failure.__cause__ = without_frames(error)
    return failure


def _clock_hint(code: str, message: str, metadata: Mapping[str, Any], sent_wall: float) -> str | None:
    if not is_skewed(code, message):
        return None
    date = answered_at(metadata)
    if date is None:
        return "set the local clock"
    seconds = sent_wall - date.timestamp()
    return f"set the local clock: it is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} AWS's"


def no_answer(error: BotoCoreError | OSError | Warning, role: Role | None, hop: int | None) -> XSessionError:
    """What becomes of a call that got no answer, or never left."""
    invalid = isinstance(error, ParamValidationError)
    # botocore's report of an invalid parameter quotes its value.
    text = "botocore refuses the request's parameters" if invalid else f"{type(error).__name__}: {error}"
    role_arn = None if role is None else role.role_arn
    retryable = not (invalid or isinstance(error, Warning))
    return STSUnavailableError(f"STS could not be asked: {text}", role_arn=role_arn, hop=hop, retryable=retryable)


def garbled(error: Exception, role: Role | None, hop: int | None) -> XSessionError:
    """What becomes of an answer that botocore could not read."""
    # Neither its text nor the error itself goes on: a cut answer may hold half of a secret.
    msg = f"STS's answer could not be read ({type(error).__name__})"
    return STSUnavailableError(msg, role_arn=None if role is None else role.role_arn, hop=hop, retryable=True)


def _kind(role: Role | None, hop: int | None, code: str) -> type[CredentialsError]:
    if role is None:
        return CredentialsError
    of_source = is_dead_caller(code) or same_code(code) == "SignatureDoesNotMatch"
    return SourceCredentialsError if hop == 1 and of_source else AssumeRoleError
