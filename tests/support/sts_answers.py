"""What an STS answers if all is well, and to dead keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.support.aws_hosts import Request
from tests.support.scripted_sts import answer, refusal


def now() -> datetime:
    """The time of the hosts."""
    return datetime.now(UTC)


def assumed(request: Request, *, seconds: float = 3_600) -> str:
    """AssumeRole's or GetSessionToken's answer to a request, each with keys of its own."""
    ends = now() + timedelta(seconds=seconds)
    arn = request.form.get("RoleArn", "arn:aws:iam::111111111111:role/None")
    session = arn.replace(":iam:", ":sts:").replace(":role/", ":assumed-role/") + "/name"
    made = f"ASIA{abs(hash((request.key_id, arn, ends))) % 10**12:012d}"
    return answer(AccessKeyId=made, Arn=session, Expiration=f"{ends:%Y-%m-%dT%H:%M:%SZ}")


def identity(arn: str) -> str:
    """GetCallerIdentity's answer."""
    account_id = arn.split(":")[4]
    return (
        "<GetCallerIdentityResponse><GetCallerIdentityResult>"
        f"<Arn>{arn}</Arn><UserId>AIDA</UserId><Account>{account_id}</Account>"
        "</GetCallerIdentityResult></GetCallerIdentityResponse>"
    )


def usual(request: Request) -> tuple[int, str]:
    """What STS says if all is well: each key is a user's of its own."""
    if request.action == "GetCallerIdentity":
        return 200, identity(f"arn:aws:iam::111111111111:user/{request.key_id}")
    return 200, assumed(request)


def dead(code: str = "InvalidClientTokenId", message: str = "The security token is invalid.") -> tuple[int, str]:
    """What STS says to dead keys."""
    return 403, refusal(code, message)
