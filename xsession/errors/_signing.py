"""Errors that a client may raise while it signs: botocore's too, for the handlers that programs have.

Apart from the others, since botocore's take a third of the time in which `xsession credential-process` answers.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Self

from botocore.exceptions import BotoCoreError

from xsession._base.lazy import public

from ._errors import XSessionError


@public
class CredentialsError(XSessionError, BotoCoreError):
    """Credentials for an account could not be obtained."""

    kwargs: Any = MappingProxyType({})
    """botocore's errors have the arguments of their message here; the fields of this one say more."""


@public
class AssumeRoleError(CredentialsError):
    """STS refused one hop of a chain, or failed at it."""


@public
class STSUnavailableError(CredentialsError):
    """STS gave no answer, or none that could be read."""


@public
class SourceCredentialsError(CredentialsError):
    """The credentials that a chain starts from are missing or dead."""


@public
class MfaError(CredentialsError):
    """The code of an MFA device is needed, and could not be asked for, or no right one was given."""


@public
class CredentialsTimeoutError(CredentialsError):
    """No credentials within the time that a caller waits; the refresh itself goes on."""


@public
class DeadlinePassedError(CredentialsError):
    """The deadline of a grant has passed, or it was revoked: nothing is signed with it any more, nothing refreshed."""


@public
class WrongAccountError(XSessionError, BotoCoreError):
    """Credentials are for another account than the one that was asked for; nothing was signed with them."""

    kwargs: Any = MappingProxyType({})

    @classmethod
    def between(
        cls,
        found: str,
        expected: str,
        *,
        arn: str | None = None,
        account: str | None = None,
        role_arn: str | None = None,
        hop: int | None = None,
        request_id: str | None = None,
    ) -> Self:
        """The error of credentials that are for one account and should be for another.

        Args:
            found: The id of the account that they are for.
            expected: The id of the account that was asked for.
            arn: Whose they are, where they are the source's own: another source is what helps then.
            account: As for every error.
            role_arn: Likewise.
            hop: Likewise.
            request_id: Likewise.
        """
        msg = f"the credentials are for account {found}, not {expected}"
        hint = None if arn is None else f"give this account another source: they belong to {arn}"
        return cls(msg, account=account, role_arn=role_arn, hop=hop, request_id=request_id, hint=hint)


@public
class SessionClosedError(XSessionError, BotoCoreError):
    """The `CrossAccountSession` was closed."""

    kwargs: Any = MappingProxyType({})

    @classmethod
    def closed(cls, *, account: str | None = None, role_arn: str | None = None, hop: int | None = None) -> Self:
        """The error of using a session after `close()`.

        Args:
            account: As for every error.
            role_arn: Likewise.
            hop: Likewise.
        """
        msg = "the CrossAccountSession is closed"
        return cls(msg, account=account, role_arn=role_arn, hop=hop, hint="make a new one")
