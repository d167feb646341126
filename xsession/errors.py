"""Every error that xsession raises.

::

    XSessionError
    ├── ConfigError (also ValueError)          bad input, refused before the network
    │   ├── InvalidRoleError                   a role, a chain or one of their options
    │   └── InvalidPolicyError                 an IAM policy document
    ├── UnknownAccountError (also LookupError) no account of that name or id
    ├── CredentialsError                       no credentials could be had
    │   ├── AssumeRoleError                    STS refused or failed at one hop
    │   ├── SourceCredentialsError             the source has none, or they are dead
    │   ├── CredentialsTimeoutError            no answer within the time that a caller waits
    │   └── DeadlinePassedError                the deadline of a grant has passed, or it was revoked
    ├── GrantError                             a grant was not made, or not handed over
    ├── RevocationError                        AWS still accepts what should have been revoked
    ├── ProvisionError                         a role could not be set up, compared or removed
    ├── WrongAccountError                      credentials turned out to be for another account
    ├── AuditLogError                          the audit log can't be written to or read
    ├── ActivityError                          CloudTrail could not be read at all
    └── SessionClosedError                     the session was closed

Catch `XSessionError` for all of them.
"""

from __future__ import annotations

import copy
from typing import Self


class XSessionError(Exception):
    """Root of all errors of this library; says where it happened and what to do next.

    Args:
        message: What is wrong, in words.
        account: Name of the account that was being reached.
        role_arn: The role whose assumption was under way.
        hop: Its place in the chain, counted from 1; 0 is the source.
        code: AWS's error code, such as "AccessDenied".
        request_id: AWS's request id, which AWS support asks for.
        retryable: Whether the same call may succeed later without a change.
        hint: What to do next.
    """

    def __init__(
        self,
        message: str,
        *,
        account: str | None = None,
        role_arn: str | None = None,
        hop: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retryable: bool = False,
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.account = account
        self.role_arn = role_arn
        self.hop = hop
        self.code = code
        self.request_id = request_id
        self.retryable = retryable
        self.hint = hint

    def __str__(self) -> str:
        place = []
        if self.account is not None:
            place.append(f"account {self.account!r}")
        if self.hop is not None:
            place.append(f"hop {self.hop}" if self.hop else "source")
        if self.role_arn is not None:
            place.append(self.role_arn)
        text = f"{', '.join(place)}: {self.message}" if place else self.message
        if self.request_id is not None:
            text += f" (request id {self.request_id})"
        if self.hint is not None:
            text += f"; {self.hint}"
        return text

    def __reduce__(self) -> tuple[object, ...]:
        # BaseException would rebuild us from `args` alone, which lack the keyword arguments.
        return _rebuild, (type(self), self.args, dict(self.__dict__))

    def for_caller(self, account: str | None = None) -> Self:
        """A fresh copy for one more caller, with the same cause.

        One exception object raised in many threads would collect all of their tracebacks.

        Args:
            account: The account which that caller asked for; None keeps the one named here.
        """
        fresh = copy.copy(self)
        if account is not None:
            fresh.account = account
        fresh.__cause__ = self.__cause__
        fresh.__suppress_context__ = True
        return fresh


def _rebuild(cls: type[XSessionError], args: tuple[object, ...], attributes: dict[str, object]) -> XSessionError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


class ConfigError(XSessionError, ValueError):
    """Bad input: a file, an account, an option. Raised before the network."""


class InvalidRoleError(ConfigError):
    """A role or a chain that STS would refuse. Raised before the network."""


class InvalidPolicyError(ConfigError):
    """An IAM policy document that AWS would refuse. Raised before the network."""


class UnknownAccountError(XSessionError, LookupError):
    """No account of that name or id is registered."""


class CredentialsError(XSessionError):
    """Credentials for an account could not be had."""


class AssumeRoleError(CredentialsError):
    """STS refused, or failed at, one hop of a chain."""


class SourceCredentialsError(CredentialsError):
    """The credentials that a chain starts from are missing or dead."""


class CredentialsTimeoutError(CredentialsError):
    """No credentials within the time that a caller waits; the refresh itself goes on."""


class DeadlinePassedError(CredentialsError):
    """The deadline of a grant has passed, or it was revoked: nothing is signed with it any more, nothing refreshed."""


class GrantError(XSessionError):
    """A grant was not made since it could not be written down, or it could not be handed over."""


class RevocationError(XSessionError):
    """Sessions were not revoked: AWS still accepts their keys. Grants have ended in this process all the same."""


class ProvisionError(XSessionError):
    """A role could not be set up, compared or removed: IAM refused, or something stands in the way."""


class WrongAccountError(XSessionError):
    """Credentials are for another account than the one that was asked for; nothing was signed with them."""


class AuditLogError(XSessionError):
    """The audit log can't be written to or read; what must be written down before it happens did not happen."""


class ActivityError(XSessionError):
    """CloudTrail could not be read in any region that was asked."""


class SessionClosedError(XSessionError):
    """The `CrossAccountSession` was closed."""
