"""The condition keys of a request.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from xsession._aws import iso_of, name_of
from xsession._base import frozen

from ._access_keys import AccessKey


@frozen
class RequestEnvironment:
    """What a request comes with, no matter who makes it.

    Args:
        time: When it came, by the server's clock, in seconds since 1970.
        region_name: The region that it was signed for.
        source_ip: Where it came from.
    """

    time: float
    region_name: str
    source_ip: str


def context_of(
    caller: AccessKey, environment: RequestEnvironment, *, tags: Mapping[str, str], organization_id: str | None
) -> dict[str, Sequence[str]]:
    """The condition keys that every request of a caller has, in lower case, to their values.

    Args:
        caller: Who calls.
        environment: When and from where.
        tags: Those of the user or the role.
        organization_id: Of the caller's account.
    """
    principal = caller.principal
    values: dict[str, str | None] = {
        "aws:principalaccount": principal.account_id,
        "aws:principalarn": principal.role_arn or principal.arn,
        "aws:principalorgid": organization_id,
        "aws:principaltype": _kind(caller),
        "aws:userid": caller.user_id,
        "aws:username": name_of(principal.arn) if ":user/" in principal.arn else None,
        "aws:sourceidentity": caller.source_identity,
        "aws:tokenissuetime": None if caller.issued is None else _moment(caller.issued),
        "aws:multifactorauthpresent": None if caller.mfa is None else str(caller.mfa).lower(),
        "aws:multifactorauthage": str(int(environment.time - caller.issued)) if caller.mfa and caller.issued else None,
    }
    for key, value in {**tags, **caller.tags}.items():
        values[f"aws:principaltag/{key.lower()}"] = value
    return {**environment_keys(environment), **{key: (value,) for key, value in values.items() if value is not None}}


def environment_keys(environment: RequestEnvironment) -> dict[str, Sequence[str]]:
    """The condition keys that every request has, no matter who makes it."""
    return {
        "aws:sourceip": (environment.source_ip,),
        "aws:requestedregion": (environment.region_name,),
        "aws:viaawsservice": ("false",),
        "aws:currenttime": (_moment(environment.time),),
        "aws:epochtime": (str(int(environment.time)),),
    }


def _kind(caller: AccessKey) -> str:
    if caller.principal.is_root:
        return "Account"
    return "User" if caller.principal.role_arn is None else "AssumedRole"


def _moment(seconds: float) -> str:
    # AWS's clock has seconds: what is issued in the second of a revocation is not older than it.
    return iso_of(int(seconds))
