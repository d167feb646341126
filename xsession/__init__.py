"""Name the account, get the client: AWS cross-account sessions whose credentials never expire."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._default_session import default_session, get_client, reset_default_session, use_session
    from ._ipython import load_ipython_extension as load_ipython_extension
    from .account_session import AccountSession
    from .accounts import SOURCE, Account, Accounts
    from .credentials import Credentials, Identity
    from .errors import (
        ActivityError,
        AssumeRoleError,
        AuditLogError,
        ConfigError,
        CredentialsError,
        CredentialsTimeoutError,
        DeadlinePassedError,
        GrantError,
        InvalidPolicyError,
        InvalidRoleError,
        MfaError,
        OrganizationError,
        ProvisionError,
        RevocationError,
        SessionClosedError,
        SourceCredentialsError,
        STSUnavailableError,
        UnknownAccountError,
        WrongAccountError,
        XSessionError,
    )
    from .fanout import FailureGroup, Outcome, Outcomes
    from .grants import Grant, Revocation
    from .provision import RoleSpec
    from .redaction import RedactingFilter
    from .refresh import HopStatus, RefreshPolicy, RefreshState, Status
    from .roles import Defaults, Role, RoleChain
    from .session import CrossAccountSession
    from .stores import MemoryStore, Store

__all__ = [
    "SOURCE",
    "Account",
    "AccountSession",
    "Accounts",
    "ActivityError",
    "AssumeRoleError",
    "AuditLogError",
    "ConfigError",
    "Credentials",
    "CredentialsError",
    "CredentialsTimeoutError",
    "CrossAccountSession",
    "DeadlinePassedError",
    "Defaults",
    "FailureGroup",
    "Grant",
    "GrantError",
    "HopStatus",
    "Identity",
    "InvalidPolicyError",
    "InvalidRoleError",
    "MemoryStore",
    "MfaError",
    "OrganizationError",
    "Outcome",
    "Outcomes",
    "ProvisionError",
    "RedactingFilter",
    "RefreshPolicy",
    "RefreshState",
    "Revocation",
    "RevocationError",
    "Role",
    "RoleChain",
    "RoleSpec",
    "STSUnavailableError",
    "SessionClosedError",
    "SourceCredentialsError",
    "Status",
    "Store",
    "UnknownAccountError",
    "WrongAccountError",
    "XSessionError",
    "default_session",
    "get_client",
    "reset_default_session",
    "use_session",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_default_session": ("default_session", "get_client", "reset_default_session", "use_session"),
        "_ipython": ("load_ipython_extension",),
        "account_session": ("AccountSession",),
        "accounts": ("SOURCE", "Account", "Accounts"),
        "credentials": ("Credentials", "Identity"),
        "errors": (
            "ActivityError",
            "AssumeRoleError",
            "AuditLogError",
            "ConfigError",
            "CredentialsError",
            "CredentialsTimeoutError",
            "DeadlinePassedError",
            "GrantError",
            "InvalidPolicyError",
            "InvalidRoleError",
            "MfaError",
            "OrganizationError",
            "ProvisionError",
            "RevocationError",
            "STSUnavailableError",
            "SessionClosedError",
            "SourceCredentialsError",
            "UnknownAccountError",
            "WrongAccountError",
            "XSessionError",
        ),
        "fanout": ("FailureGroup", "Outcome", "Outcomes"),
        "grants": ("Grant", "Revocation"),
        "provision": ("RoleSpec",),
        "redaction": ("RedactingFilter",),
        "refresh": ("HopStatus", "RefreshPolicy", "RefreshState", "Status"),
        "roles": ("Defaults", "Role", "RoleChain"),
        "session": ("CrossAccountSession",),
        "stores": ("MemoryStore", "Store"),
    },
    modules=(
        "activity",
        "audit",
        "diagnosis",
        "errors",
        "escape",
        "events",
        "integrations",
        "policies",
        "provision",
        "serving",
        "testing",
    ),
)
