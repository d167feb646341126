"""Tokens of OIDC providers, for AssumeRoleWithWebIdentity. They are decoded; their signature is not verified.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from xsession._aws import oidc_claims
from xsession._base import frozen
from xsession.testing._http import RefusedError
from xsession.testing._iam import UnknownRequestError

_FOR_AWS = "https://aws.amazon.com/"


@frozen
class WebIdentity:
    """Whom a token is about.

    Args:
        provider: The provider's URL without "https://".
        subject: Whom it is about.
        audiences: Whom it is for.
        keys: The condition keys that it gives, in lower case, to values.
    """

    provider: str
    subject: str
    audiences: Collection[str]
    keys: Mapping[str, Sequence[str]]


def read_token(token: str, now: float) -> WebIdentity:
    """What a token says.

    Args:
        token: A JSON Web Token.
        now: The clock, in seconds since 1970.

    Raises:
        RefusedError: It is none, or has ended.
        UnknownRequestError: It asks for session tags or a source identity, which are not supported here.
    """
    claims = _claims(token)
    if any(name.startswith(_FOR_AWS) for name in claims):
        msg = f"the local AWS does not know the claims of {_FOR_AWS} in a token"
        raise UnknownRequestError(msg)
    if not isinstance(claims.get("exp"), int | float) or claims["exp"] <= now:
        raise RefusedError(400, "ExpiredTokenException", "Token expired")
    provider = str(claims.get("iss", "")).removeprefix("https://")
    audiences = _texts(claims.get("aud"))
    for_whom = _texts(claims.get("azp")) or audiences
    keys = {name: _texts(_claim(claims, name)) for name in oidc_claims(provider)}
    keys |= {"aud": for_whom, "oaud": audiences if "azp" in claims else []}
    named = {f"{provider.lower()}:{name}": values for name, values in keys.items() if values}
    return WebIdentity(provider, str(claims.get("sub", "")), for_whom, named)


def make_token(
    issuer: str, subject: str, audience: str, expires: float, further: Mapping[str, Any] | None = None
) -> str:
    """A token that no provider has signed.

    Args:
        issuer: The provider's URL.
        subject: Whom it is about.
        audience: Whom it is for.
        expires: When it ends, in seconds since 1970.
        further: Its other claims.
    """
    claims = {**(further or {}), "iss": issuer, "sub": subject, "aud": audience, "exp": int(expires)}
    parts = ({"alg": "none"}, claims)
    return ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), ""])


def _claims(token: str) -> Mapping[str, Any]:
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        claims = None
    if not isinstance(claims, dict):
        raise RefusedError(400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT.")
    return claims


def _claim(claims: Mapping[str, Any], name: str) -> object:
    outer, _, inner = name.partition("/")
    within = claims.get(outer)
    return within.get(inner) if name not in claims and isinstance(within, dict) else claims.get(name)


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]
