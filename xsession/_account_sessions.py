"""What the accounts of a session resolve to, and their boto3 sessions: each made once while it is in use."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from cachetools import LRUCache

from ._base import is_held, renew_after_fork
from .account_session import AccountSession
from .errors import SessionClosedError, reaching

if TYPE_CHECKING:
    from ._chain import Chains, ResolvedAccount
    from ._client_cache import ClientCache
    from .account_session import SessionOwner
    from .accounts import Account

__all__: list[str] = []

_MAX_RESOLVED = 4_096
_MAX_ACCOUNT_SESSIONS = 128
# Accounts that are not registered and have a boto3 session of their own, each of half a megabyte, such as a tenant's.
_MAX_PASSING = 32


class AccountSessions:
    """Resolves accounts and makes their sessions; bounded.

    Args:
        chains: Resolve accounts.
        clients: Where the sessions' shared clients are kept.
        owner: What the sessions need of the `CrossAccountSession`.
    """

    def __init__(self, chains: Chains, clients: ClientCache, owner: SessionOwner) -> None:
        self._chains = chains
        self._clients = clients
        self._owner = owner
        self.closed = False
        self._forget()
        # Re-entrant, as all locks here are: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        renew_after_fork(self)

    def resolve(self, account: Account) -> ResolvedAccount:
        """What an account resolves to; makes no network call.

        Raises:
            ConfigError: Its roles and defaults do not fit together.
            SourceCredentialsError: Its profile does not exist.
            SessionClosedError: The session is closed.
        """
        if self.closed:
            raise SessionClosedError.closed(account=account.name)
        known = self._passing if _is_passing(account) else self._resolved
        with self._lock:
            resolved = known.get(account)
        if resolved is None:
            with reaching(account.name):
                resolved = self._chains.resolve(account)
            with self._lock:
                known[account] = resolved
        return resolved

    def kept(self, account: Account) -> AccountSession:
        """The session of an account; the same object while it is in use."""
        resolved = self.resolve(account)
        known = self._passing_sessions if _is_passing(account) else self._sessions
        with self._lock:
            session = known.get(account)
            if session is None:
                session = known[account] = self.new(resolved)
            return session

    def new(self, resolved: ResolvedAccount) -> AccountSession:
        """A session of its own for what an account resolves to."""
        return AccountSession(resolved, self._clients, self._owner)

    def resolved(self) -> list[ResolvedAccount]:
        """All that is kept."""
        with self._lock:
            return [*self._resolved.values(), *self._passing.values()]

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        if is_held(self._lock):
            # A thread of the parent was changing them: half of that change may be here.
            self._forget()
        self._lock = threading.RLock()

    def _forget(self) -> None:
        self._resolved: LRUCache[Account, ResolvedAccount] = LRUCache(_MAX_RESOLVED)
        self._passing: LRUCache[Account, ResolvedAccount] = LRUCache(_MAX_PASSING)
        self._sessions: LRUCache[Account, AccountSession] = LRUCache(_MAX_ACCOUNT_SESSIONS)
        self._passing_sessions: WeakValueDictionary[Account, AccountSession] = WeakValueDictionary()


def _is_passing(account: Account) -> bool:
    # One for each request or tenant must not add up.
    return not account.registered and account.has_own_session
