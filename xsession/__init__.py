"""Name the account, get the client: AWS cross-account sessions whose credentials never expire."""

from .account_session import AccountSession
from .accounts import SOURCE, Account, Accounts
from .credentials import Credentials, Identity
from .defaults import Defaults
from .errors import (
    AssumeRoleError,
    ConfigError,
    CredentialsError,
    CredentialsTimeoutError,
    DeadlinePassedError,
    InvalidPolicyError,
    InvalidRoleError,
    MfaError,
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

__all__ = [
    "SOURCE",
    "Account",
    "AccountSession",
    "Accounts",
    "AssumeRoleError",
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
    "MfaError",
    "Outcome",
    "Outcomes",
    "RedactingFilter",
    "RefreshPolicy",
    "RefreshState",
    "Role",
    "RoleChain",
    "SessionClosedError",
    "SourceCredentialsError",
    "Status",
    "Store",
    "UnknownAccountError",
    "WrongAccountError",
    "XSessionError",
]
