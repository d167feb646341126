"""What the sessions of accounts need of the `CrossAccountSession` that made them: their pickles, and an endpoint."""

from __future__ import annotations

import pickle
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._base import renew_after_fork
from ._worker_copies import worker_copies
from .errors import WrongAccountError

if TYPE_CHECKING:
    from ._chain import ResolvedAccount
    from .account_session import AccountSession
    from .accounts import Account
    from .serving import ContainerEndpoint, CredentialServer

__all__: list[str] = []


class CrossAccountOwner:
    """What the sessions of accounts need of their `CrossAccountSession`, which they keep alive.

    Args:
        session: The `CrossAccountSession`, which is of a layer above.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        # Re-entrant, as all locks here are.
        self._lock = threading.RLock()
        self._server: CredentialServer | None = None
        renew_after_fork(self)

    def reduced(self, resolved: ResolvedAccount) -> tuple[object, ...]:
        """What a pickle of an account's session carries: its session's configuration, and which account it is."""
        account = resolved.account
        if account.has_own_session:
            msg = f"an AccountSession is not pickled: the source of {account.name!r} is a boto3 session"
            raise TypeError(msg)
        pickled = pickle.dumps(self._session)
        worker_copies().add(pickled, self._session)
        ref = account.name if self._session.accounts.get(account.name) == account else account
        return account_of_worker, (pickled, ref, account.account_id, resolved.region_name)

    def endpoint(self, resolved: ResolvedAccount) -> ContainerEndpoint:
        """Where a library of this process asks for an account's credentials, until the session is closed."""
        with self._lock:
            # One for all: sessions that were narrowed for each request or tenant must not add up to as many threads.
            server = self._server = self._server or self._session.serve([])
        return server._endpoint_of(resolved)  # noqa: SLF001 # public ones are for what serve() was told

    def enabled_regions(self, resolved: ResolvedAccount) -> tuple[str, ...]:
        """The regions that an account has enabled, which its session asks for once a day."""
        regions: tuple[str, ...] = self._session.enabled_regions(resolved.account)
        return regions

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds, and none of the parent's servers."""
        self._lock = threading.RLock()
        self._server = None


def account_of_worker(
    pickled: bytes, ref: str | Account, account_id: str | None, region_name: str | None
) -> AccountSession:
    """The session of a pickled account, of the one session in this process that the pickle stands for."""
    xs: Any = worker_copies().find(pickled, lambda known: not known._account_sessions.closed)  # noqa: SLF001 # nothing public says it
    # One that was made with options of its own takes the defaults, as there: to find it here would make it a stranger.
    account = xs.accounts.find(ref) if isinstance(ref, str) else ref
    session: AccountSession = xs._account_sessions.kept(account)  # noqa: SLF001 # likewise
    if account_id is not None and session.account_id != account_id:
        raise WrongAccountError.between(session.account_id or "unknown", account_id, account=session.name)
    if region_name in (None, session.region_name):
        return session
    elsewhere: AccountSession = xs._account_sessions.kept(replace(account, region_name=region_name))  # noqa: SLF001 # likewise
    return elsewhere


def enabled_regions_of(session: AccountSession) -> tuple[str, ...]:
    """The regions that an account has enabled; asked, in each process, by the one session that the account is of."""
    return session._owner.enabled_regions(session._resolved)  # type: ignore[union-attr] # noqa: SLF001 # runs have one
