"""Every error that xsession raises.

::

    XSessionError
    ├── ConfigError (also ValueError)          bad input, refused before the network
    │   ├── InvalidRoleError                   a role, a chain or one of their options
    │   └── InvalidPolicyError                 an IAM policy document
    ├── UnknownAccountError (also KeyError)    no account of that name or id
    ├── CredentialsError (also BotoCoreError)  credentials could not be obtained
    │   ├── AssumeRoleError                    STS refused one hop, or failed at it: `code` says how
    │   ├── STSUnavailableError                STS gave no answer, or none that could be read
    │   ├── SourceCredentialsError             the source has none, or they are dead
    │   ├── MfaError                           an MFA device's code is needed, and no right one was given
    │   ├── CredentialsTimeoutError            no answer within the time that a caller waits
    │   └── DeadlinePassedError                the deadline of a grant has passed, or it was revoked
    ├── GrantError                             a grant was not made, or not handed over
    ├── RevocationError                        AWS still accepts what should have been revoked
    ├── ProvisionError                         a role could not be set up, compared or removed
    ├── OrganizationError                      AWS Organizations or IAM Identity Center could not be asked
    ├── WrongAccountError (also BotoCoreError) credentials turned out to be for another account
    ├── RunError                               a function for many accounts could not be called, or was ended
    │   ├── CallTimeoutError                   a call took longer than its time limit
    │   ├── WorkerLostError                    the process that made a call died
    │   ├── RemoteCallError                    what a call raised elsewhere can't be rebuilt in this process
    │   └── CommandError                       a command ended with a status other than 0
    ├── JournalError                           the journal of a run can't be used
    ├── AuditLogError                          the audit log can't be written to or read
    ├── ActivityError                          CloudTrail could not be read at all
    └── SessionClosedError (BotoCoreError)     the session was closed

Catch `XSessionError` for all of them. What a client may raise while it signs is a `BotoCoreError` too, so that code
which catches `(ClientError, BotoCoreError)` goes on working; none is a `ClientError`, whose response botocore's waiters
would take for the service's answer. `code` is AWS's own, or None.
"""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._errors import (
        ActivityError,
        AuditLogError,
        CallTimeoutError,
        ChangedFunctionWarning,
        CommandError,
        ConfigError,
        FrozenCredentialsWarning,
        GrantError,
        InvalidPolicyError,
        InvalidRoleError,
        JournalError,
        KeyFileWarning,
        OrganizationError,
        ProvisionError,
        RefusedAddressWarning,
        RemoteCallError,
        RevocationError,
        RunError,
        UnknownAccountError,
        UnknownRegionWarning,
        WorkerLostError,
        XSessionError,
    )
    from ._errors import reaching as reaching
    from ._errors import shown as shown
    from ._signing import (
        AssumeRoleError,
        CredentialsError,
        CredentialsTimeoutError,
        DeadlinePassedError,
        MfaError,
        SessionClosedError,
        SourceCredentialsError,
        STSUnavailableError,
        WrongAccountError,
    )

__all__ = [
    "ActivityError",
    "AssumeRoleError",
    "AuditLogError",
    "CallTimeoutError",
    "ChangedFunctionWarning",
    "CommandError",
    "ConfigError",
    "CredentialsError",
    "CredentialsTimeoutError",
    "DeadlinePassedError",
    "FrozenCredentialsWarning",
    "GrantError",
    "InvalidPolicyError",
    "InvalidRoleError",
    "JournalError",
    "KeyFileWarning",
    "MfaError",
    "OrganizationError",
    "ProvisionError",
    "RefusedAddressWarning",
    "RemoteCallError",
    "RevocationError",
    "RunError",
    "STSUnavailableError",
    "SessionClosedError",
    "SourceCredentialsError",
    "UnknownAccountError",
    "UnknownRegionWarning",
    "WorkerLostError",
    "WrongAccountError",
    "XSessionError",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_errors": (
            "ActivityError",
            "AuditLogError",
            "CallTimeoutError",
            "ChangedFunctionWarning",
            "CommandError",
            "ConfigError",
            "FrozenCredentialsWarning",
            "GrantError",
            "InvalidPolicyError",
            "InvalidRoleError",
            "JournalError",
            "KeyFileWarning",
            "OrganizationError",
            "ProvisionError",
            "RefusedAddressWarning",
            "RemoteCallError",
            "RevocationError",
            "RunError",
            "UnknownAccountError",
            "UnknownRegionWarning",
            "WorkerLostError",
            "XSessionError",
            "reaching",
            "shown",
        ),
        "_signing": (
            "AssumeRoleError",
            "CredentialsError",
            "CredentialsTimeoutError",
            "DeadlinePassedError",
            "MfaError",
            "STSUnavailableError",
            "SessionClosedError",
            "SourceCredentialsError",
            "WrongAccountError",
        ),
    },
)
