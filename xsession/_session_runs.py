"""What runs of a function over many accounts need of the `CrossAccountSession` that they are runs of."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._client_cache import ClientCache
from ._session_owner import account_of_worker, enabled_regions_of
from ._worker_copies import worker_copies
from .account_session import AccountSession
from .errors import ConfigError, SessionClosedError, XSessionError, reaching
from .fanout import Rate, Reached, RunSession, Ticket

if TYPE_CHECKING:
    from ._chain import ResolvedAccount
    from .account_session import SessionOwner
    from .accounts import Account
    from .fanout import Claim, Task, Unit

__all__: list[str] = []

_MOST_OWN_CLIENTS = 256


class SessionRuns:
    """Reaches the accounts of a run.

    Args:
        session: The `CrossAccountSession`, which is of a layer above.
        accounts: The accounts, by the names that the run has for them.
        resolve: What an account resolves to.
        clients: Where shared clients are kept.
        principals: Who the sources in use are; asks STS.
        own_clients: Whether clients are the run's own: where it is done with an account and region, they are of no
            more use, and many regions make many.
        rate: How many requests clients may send, for each account, region and service; None: as many as they like.
    """

    def __init__(
        self,
        session: Any,
        accounts: Mapping[str, Account],
        *,
        resolve: Callable[[Account], ResolvedAccount],
        clients: ClientCache,
        owner: SessionOwner,
        principals: Callable[[], Mapping[Any, str]],
        own_clients: bool,
        rate: float | None,
    ) -> None:
        self._session = session
        # As other processes have them: those of the session may change meanwhile.
        self._registered = session.accounts
        self._accounts = accounts
        self._resolve = resolve
        self._owner = owner
        self._principals = principals
        # What is slowed down must not be shared with others.
        self._own_clients = own_clients or rate is not None
        self._clients = ClientCache(_MOST_OWN_CLIENTS) if self._own_clients else clients
        self._rate = None if rate is None else Rate(rate)

    def ask_for_mfa(self) -> None:
        """Has a person asked for the codes of MFA devices, each once, in this thread, where Ctrl-C works."""
        asked = set()
        for account in self._accounts.values():
            # Only those that are registered take the session's default.
            device = account.source, account.registered, tuple(role.mfa_serial for role in account.roles[:1])
            if account.has_own_session or device not in asked:
                asked.add(device)
                # An error comes up again when the account is reached.
                with suppress(XSessionError):
                    self._resolve(account).credentials.ask_for_mfa()

    def reach(self, unit: Unit) -> AccountSession:
        """The session of a unit's account, whose credentials are there."""
        resolved = self._resolve(self._accounts[unit.account])
        with reaching(unit.account):
            resolved.credentials.get_frozen_credentials()
        if unit.region is not None:
            resolved = replace(resolved, region_name=unit.region)
        session = AccountSession(resolved, self._clients, self._owner)
        return RunSession.of(session, self._rate) if self._own_clients else session

    def regions_of(self) -> Callable[[AccountSession], tuple[str, ...]]:
        """What asks for the enabled regions of an account; it travels to other processes."""
        return enabled_regions_of

    def notes(self, unit: Unit) -> tuple[str, ...]:
        """What a person should know of a unit's account, such as that the list which names it is old."""
        return self._accounts[unit.account].notes

    def principal(self) -> str:
        """Who the sources of the run's accounts are, and no others that the session has used; asks STS."""
        known = self._principals()
        sources = {account.source for account in self._accounts.values()} & known.keys()
        return ", ".join(sorted({known[source] for source in sources or {None}}))

    def account_ids(self) -> Mapping[str, str | None]:
        """The accounts' ids by their names; None: not known."""
        return {name: account.account_id for name, account in self._accounts.items()}

    def remote(self) -> Reached:
        """Reaches accounts in another process: by the session's configuration, without a secret.

        Raises:
            ConfigError: The session can't be pickled.
            CredentialsError: A source has no credentials, so that nobody could say whose workers have them.
        """
        try:
            pickled = pickle.dumps(self._session)
        except TypeError as error:
            msg = f"the processes of an executor can't have this session: {error}"
            raise ConfigError(msg) from error
        worker_copies().add(pickled, self._session)
        return Reached(account_of_worker, pickled)

    def ticket(self, task: Task, claim: Claim | None) -> Ticket:
        """A task as it travels: with the account's name, or itself where it is not registered.

        Raises:
            SessionClosedError: The session is closed, and sends nobody anywhere any more.
        """
        account = self._accounts[task.unit.account]
        known = self._registered.get(account.name) == account
        try:
            default = self._resolve(account).region_name
        except SessionClosedError:
            raise
        except XSessionError:
            default = None  # the worker says why
        # A worker's own default must not send requests elsewhere.
        region = task.unit.region or account.region_name or default
        return Ticket(task, account.name if known else account, account.account_id, region, repr(account.source), claim)
