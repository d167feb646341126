"""Name the account, get the client: AWS cross-account sessions whose credentials never expire."""

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
    InvalidPolicyError,
    InvalidRoleError,
    SessionClosedError,
    SourceCredentialsError,
    UnknownAccountError,
    WrongAccountError,
    XSessionError,
)
from .fanout import Outcome, Outcomes
from .refresh import RefreshPolicy
from .roles import Role, RoleChain
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
    "Defaults",
    "Identity",
    "InvalidPolicyError",
    "InvalidRoleError",
    "MemoryStore",
    "Outcome",
    "Outcomes",
    "RefreshPolicy",
    "Role",
    "RoleChain",
    "SessionClosedError",
    "SourceCredentialsError",
    "Store",
    "UnknownAccountError",
    "WrongAccountError",
    "XSessionError",
]
