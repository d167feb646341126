"""Which operations of STS temporary credentials may call, whatever policies say.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_sts-comparison.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
"""

from __future__ import annotations

from xsession.testing._http import RefusedError
from xsession.testing._iam import AccessKey

_OF_LONG_TERM_KEYS = frozenset({"GetFederationToken", "GetSessionToken"})
_OF_SESSION_TOKENS = frozenset(
    {"AssumeRole", "GetCallerIdentity", "GetDelegatedAccessToken", "GetScopedCredentials", "GetWebIdentityToken"}
)


def check_operation(operation: str, caller: AccessKey) -> None:
    """Refuses an operation that is not for a caller's kind of credentials.

    Args:
        operation: "AssumeRole", ...
        caller: Who calls.

    Raises:
        RefusedError: It is not.
    """
    if caller.session_token is None:
        return
    if operation in _OF_LONG_TERM_KEYS or (caller.is_user_session and operation not in _OF_SESSION_TOKENS):
        raise RefusedError(403, "AccessDenied", f"Cannot call {operation} with session credentials")
