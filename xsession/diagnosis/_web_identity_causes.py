"""Why a role does not take a web identity.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

from xsession._aws import is_dead_web_identity, is_denied
from xsession.errors import XSessionError

from ._report import Cause

_TRUST = Cause(
    kind="not-trusted",
    message="the role's trust policy does not let this token in: it does not name its provider, audience or subject",
    hint="compare the token's iss, aud and sub with the trust policy; see policies.trust(<ARN of the provider>, "
    "subject=..., audience=...)",
)
_MISSING = Cause(
    kind="role-missing",
    message="the role does not exist",
    hint="compare the ARN with the account's roles",
)
_REJECTED = Cause(
    kind="web-identity-token",
    message="the token is not valid any more, or is not of a provider that the account knows",
    hint="get a new token, and see that the account has an OIDC provider with the token's iss",
    certain=True,
)


def web_identity_causes(error: XSessionError) -> tuple[Cause, ...]:
    """Why a role was refused to a web identity: what is certain first, then what is possible.

    Args:
        error: What came of it.
    """
    if is_denied(error.code):
        return (_TRUST, _MISSING)
    if is_dead_web_identity(error.code):
        return (_REJECTED,)
    kind = "not-answered" if error.retryable else "other"
    return (Cause(kind=kind, message=error.message, hint=error.hint or "see the message", certain=True),)
