"""Name the account, get the client: AWS cross-account sessions whose credentials never expire."""

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
    InvalidPolicyError,
    InvalidRoleError,
    ProvisionError,
    SessionClosedError,
    SourceCredentialsError,
    UnknownAccountError,
    WrongAccountError,
    XSessionError,
)
from .fanout import Outcome, Outcomes
from .redaction import RedactingFilter
from .refresh import RefreshPolicy, RefreshState
from .roles import Role, RoleChain
from .session import CrossAccountSession
from .status import HopStatus, Status
from .stores import MemoryStore, Store

if typing.TYPE_CHECKING:
    from .provision import RoleSpec

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
    "HopStatus",
    "Identity",
    "InvalidPolicyError",
    "InvalidRoleError",
    "MemoryStore",
    "Outcome",
    "Outcomes",
    "ProvisionError",
    "RedactingFilter",
    "RefreshPolicy",
    "RefreshState",
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


def __getattr__(name: str) -> object:
    # Few programs set up roles, and none of the others should wait for what that needs.
    if name == "RoleSpec":
        from .provision import RoleSpec  # noqa: PLC0415 # see above

        return RoleSpec
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
