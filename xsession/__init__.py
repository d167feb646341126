"""Name the account, get the client: AWS cross-account sessions whose credentials never expire."""

import importlib
import typing

if typing.TYPE_CHECKING:
    from .account_session import AccountSession
    from .accounts import SOURCE, Account, Accounts
    from .credentials import Credentials, Identity
    from .defaults import Defaults
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
        ProvisionError,
        RevocationError,
        SessionClosedError,
        SourceCredentialsError,
        UnknownAccountError,
        WrongAccountError,
        XSessionError,
    )
    from .fanout import Outcome, Outcomes
    from .grants import Grant
    from .provision import RoleSpec
    from .redaction import RedactingFilter
    from .refresh import RefreshPolicy, RefreshState
    from .revocation import Revocation
    from .roles import Role, RoleChain
    from .session import CrossAccountSession
    from .status import HopStatus, Status
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
    "Grant",
    "GrantError",
    "HopStatus",
    "Identity",
    "InvalidPolicyError",
    "InvalidRoleError",
    "MemoryStore",
    "MfaError",
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
    "SessionClosedError",
    "SourceCredentialsError",
    "Status",
    "Store",
    "UnknownAccountError",
    "WrongAccountError",
    "XSessionError",
]

# Where each name is. It is imported when it is used for the first time, so that a library which depends on this one
# costs those of its users little who never reach for another account.
_NAMES = {
    "account_session": ("AccountSession",),
    "accounts": ("SOURCE", "Account", "Accounts"),
    "credentials": ("Credentials", "Identity"),
    "defaults": ("Defaults",),
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
        "ProvisionError",
        "RevocationError",
        "SessionClosedError",
        "SourceCredentialsError",
        "UnknownAccountError",
        "WrongAccountError",
        "XSessionError",
    ),
    "fanout": ("Outcome", "Outcomes"),
    "grants": ("Grant",),
    "provision": ("RoleSpec",),
    "redaction": ("RedactingFilter",),
    "refresh": ("RefreshPolicy", "RefreshState"),
    "revocation": ("Revocation",),
    "roles": ("Role", "RoleChain"),
    "session": ("CrossAccountSession",),
    "status": ("HopStatus", "Status"),
    "stores": ("MemoryStore", "Store"),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}
_MODULES = (*_NAMES, "account", "activity", "audit", "diagnose", "escape", "events", "policies", "session_name")


def __getattr__(name: str) -> object:
    if name in _MODULE_OF:
        value = globals()[name] = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
        return value
    if name in _MODULES:
        return importlib.import_module(f".{name}", __name__)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_MODULES})
