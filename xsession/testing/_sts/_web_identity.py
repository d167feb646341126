"""Tokens of OIDC providers, for AssumeRoleWithWebIdentity. They are decoded; their signature is not verified.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
"""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any

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
    keys = {"sub": _texts(claims.get("sub")), "aud": for_whom, "amr": _texts(claims.get("amr"))}
    if "azp" in claims:
        keys["oaud"] = audiences
    named = {f"{provider.lower()}:{name}": values for name, values in keys.items() if values}
    return WebIdentity(provider, str(claims.get("sub", "")), for_whom, named)


def make_token(issuer: str, subject: str, audience: str, expires: float) -> str:
    """A token that no provider has signed.

    Args:
        issuer: The provider's URL.
        subject: Whom it is about.
        audience: Whom it is for.
        expires: When it ends, in seconds since 1970.
    """
    claims = {"iss": issuer, "sub": subject, "aud": audience, "exp": int(expires)}
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


def _texts(value: object) -> list[str]:
    return [] if value is None else [str(one) for one in value] if isinstance(value, list) else [str(value)]
