"""Name the account, get the client: AWS cross-account sessions whose credentials never expire."""

import importlib
import typing

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
from .refresh import RefreshPolicy, RefreshState
from .roles import Role, RoleChain
from .session import CrossAccountSession
from .stores import MemoryStore, Store

if typing.TYPE_CHECKING:
    from .fanout import Outcome, Outcomes
    from .grants import Grant
    from .provision import RoleSpec
    from .redaction import RedactingFilter
    from .revocation import Revocation
    from .status import HopStatus, Status

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

_IMPORTED_LATE = {
    "Grant": ".grants",
    "HopStatus": ".status",
    "Outcome": ".fanout",
    "Outcomes": ".fanout",
    "RedactingFilter": ".redaction",
    "Revocation": ".revocation",
    "RoleSpec": ".provision",
    "Status": ".status",
}


def __getattr__(name: str) -> object:
    # Few programs need these, and none of the others should wait for them.
    if name in _IMPORTED_LATE:
        return getattr(importlib.import_module(_IMPORTED_LATE[name], __name__), name)
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
