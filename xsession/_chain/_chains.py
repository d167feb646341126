"""From an account to the credentials of its clients: sources, chains of cells, and what they share."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from botocore.config import Config
from cachetools import LRUCache

from xsession import events
from xsession._aws import account_of
from xsession._base import Clock, frozen, renew_after_fork
from xsession._botocore import (
    ClientCore,
    Loaders,
    SigningCredentials,
    Source,
    region_of,
    signing_credentials,
)
from xsession.accounts import Account, Profile
from xsession.errors import WrongAccountError
from xsession.refresh import Cell, Deadline, Label, Lanes, RefreshPolicy, Workers
from xsession.roles import DEFAULT_TEMPLATE, Defaults, Hop, Runner
from xsession.stores import NoStore, Store

from ._account_credentials import AccountCredentials, CellCredentials, SourceCredentials
from ._hop import Ask, HopFetch, HopSigner, Signer
from ._requests import Asks
from ._start import Start, refuse_closed

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import ReadOnlyCredentials

    from ._mfa_prompt import MfaCode

MAX_CELLS = 4_096


@frozen
class Reached:
    """An account with everything that its clients and its status need.

    Args:
        account: The account.
        key: What tells its identity from all others.
        hops: The resolved roles, in order.
        cells: Their credentials, in order.
        credentials: What its clients ask at each signing.
        core: Makes its clients.
        region_name: The region of its clients where a call names none.
        start: Where its chain begins.
    """

    account: Account
    key: str
    hops: tuple[Hop, ...]
    cells: tuple[Cell[SigningCredentials], ...]
    credentials: AccountCredentials
    core: ClientCore
    region_name: str | None
    start: Start


@frozen
class Route:
    """The way to an account for somebody who only wants to know whether it is open: nothing on it is kept or reused.

    Args:
        account: The account.
        start: Where its chain begins.
        hops: The resolved roles, in order.
        regions: The session's and the source's region, as the STS region after the role's own.
        ask: How one hop is asked for, with the very request that clients cause; only a code of an MFA device goes with
            it, where clients ask with a session that a code opened.
    """

    account: Account
    start: Start
    hops: tuple[Hop, ...]
    regions: tuple[str | None, ...]
    ask: Callable[[Hop, Signer], Ask]


class Chains:
    """Reaches accounts; chains that begin alike share their cells.

    Args:
        source: The session's own source.
        region_name: The session's region.
        config: Client configuration for all accounts.
        defaults: Fill what the roles of registered accounts leave open.
        runner: Who runs us, for the session names.
        policy: When to refresh.
        store: Keeps credentials.
        mfa_code: Called for codes of MFA devices; None: whoever the defaults say, or sits in front of us.
        emit: Takes events.
        clock: Both clocks.
        workers: Where refreshes run.
        lanes: Where calls wait while STS throttles.
    """

    def __init__(
        self,
        source: Source,
        *,
        region_name: str | None,
        config: Config | None,
        defaults: Defaults,
        runner: Runner,
        policy: RefreshPolicy,
        store: Store,
        mfa_code: MfaCode | None,
        emit: events.Hook,
        clock: Clock,
        workers: Workers,
        lanes: Lanes,
    ) -> None:
        self._region_name = region_name
        self._config = config
        self._defaults = defaults
        self._runner = runner
        # Who asks for MFA codes is no option of a role: it counts for roles that are not registered, too.
        self._name_only = Defaults(
            role_session_name=runner.session_name(DEFAULT_TEMPLATE, ""),
            mfa_command=defaults.mfa_command,
            mfa_duration_seconds=defaults.mfa_duration_seconds,
        )
        self._own_defaults = self._name_only | defaults
        # By the defaults of an account's file: merging them validates them anew, for each account otherwise.
        self._merged: dict[Defaults, Defaults] = {}
        self._policy = policy
        self._store = store
        self._emit = emit
        self._clock = clock
        self._workers = workers
        self._asks = Asks(region_name=region_name, store=store, clock=clock, mfa_code=mfa_code, lanes=lanes)
        self._lock = threading.Lock()
        self._closed = False
        self._loaders = Loaders()
        self._start_of_cell: weakref.WeakKeyDictionary[Cell[SigningCredentials], Start] = weakref.WeakKeyDictionary()
        self._expected: Mapping[str | Profile | None, str] = {}
        self._starts: dict[str | Profile | boto3.Session | None, Start] = {None: self._new_start(source)}
        self._recent: LRUCache[str, Cell[SigningCredentials]] = LRUCache(MAX_CELLS)
        # A cell that fell out of the cache and is still held by a client must be found again: two cells for one
        # chain would each assume it.
        self._cells: weakref.WeakValueDictionary[str, Cell[SigningCredentials]] = weakref.WeakValueDictionary()
        renew_after_fork(self)

    def reach(self, account: Account, deadline: Deadline | None = None) -> Reached:
        """Everything for one account; asks nobody yet.

        Args:
            account: The account.
            deadline: From when on its last hop gives no credentials any more. No other account may have the very same
                last hop: what tells them apart is in its role's options.

        Raises:
            ConfigError: The account's roles and defaults do not fit together.
            SourceCredentialsError: The account's profile does not exist.
            SessionClosedError: The session is closed.
        """
        start = self._start_of(account)
        defaults = self._defaults_of(account)
        hops = self._hops_of(account, defaults)
        own = region_of(account.region_name or self._region_name, self._config, defaults.region_name)
        region = own or start.source.region_name
        if not hops:
            credentials: AccountCredentials = self._source_credentials(account, start)
            key = f"{start.source.identity}:{account.account_id or ''}"
            return Reached(account, key, (), (), credentials, start.core, region, start)
        cells, key = self._cells_of(account, start, hops, deadline)
        gate = self._asks.gate(hops, cells, start, defaults)
        credentials = CellCredentials(account.name, cells[-1], gate)
        return Reached(account, key, hops, cells, credentials, start.core, region, start)

    def route(self, account: Account) -> Route:
        """The way to one account, without the credentials that are kept for it; asks nobody yet.

        Args:
            account: The account.

        Raises:
            ConfigError: The account's roles and defaults do not fit together.
            SourceCredentialsError: The account's profile does not exist.
            SessionClosedError: The session is closed.
        """
        start = self._start_of(account)
        hops = self._hops_of(account, self._defaults_of(account))
        regions = (self._region_name, start.source.region_name)
        return Route(account, start, hops, regions, partial(self._asks.once, origin=start))

    def invalidate(self, reached: Reached, still_used: Sequence[Reached]) -> None:
        """Throws away the credentials of the account's last hop, and of the hops that no other account uses."""
        shared = {id(cell) for other in still_used for cell in other.cells}
        for cell in reached.cells:
            if cell is reached.cells[-1] or id(cell) not in shared:
                cell.invalidate()

    def invalidate_role(self, role_arn: str, source_identity: str | None = None) -> None:
        """Throws away what is held of a role, in whichever chain it is, because AWS refuses it from now on.

        Args:
            role_arn: The role.
            source_identity: Only of sessions that have it; None: of all.
        """
        with self._lock:
            cells = [cell for cell in self._cells.values() if cell.label.role_arn == role_arn]
        for cell in cells:
            if source_identity in (None, cell.snapshot.credentials.source_identity):
                cell.invalidate(reason="revoked")

    def expect(self, principals: Mapping[str | Profile | None, str]) -> None:
        """Says who the sources must be, by the account's `source`; asked of STS at their first use."""
        self._expected = principals
        for source, start in self._starts.items():
            start.expected = self._expected_of(source)

    def principals(self) -> dict[str | Profile | None, str]:
        """Who the sources in use are, by the account's `source`; asks STS.

        Raises:
            CredentialsError: One of them has no credentials, or STS refused them.
        """
        with self._lock:
            starts = list(self._starts.items())
        return {
            source: start.principal(self._region_name)
            for source, start in starts
            if isinstance(source, str | Profile | None)
        }

    def close(self) -> None:
        """Throws away all credentials and refreshes nothing any more."""
        with self._lock:
            self._closed = True
            cells, starts = list(self._cells.values()), list(self._starts.values())
            self._recent.clear()
        self._asks.close()
        for cell in cells:
            cell.close()
        self._workers.forget(set(cells))
        for start in starts:
            start.close()

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds."""
        if self._lock.locked():
            # A thread of the parent was changing it: half of that change may be here.
            self._recent = LRUCache(MAX_CELLS)
            self._asks.forget_functions()
        self._lock = threading.Lock()

    def _start_of(self, account: Account) -> Start:
        source = account.source
        with self._lock:
            if self._closed:
                refuse_closed(account.name)
            start = self._starts.get(source)
            if start is None:
                start = self._starts[source] = self._new_start(Source(source))
                start.expected = self._expected_of(source)
            return start

    def _new_start(self, source: Source) -> Start:
        return Start(
            source,
            self._config,
            loaders=self._loaders,
            clock=self._clock,
            emit=self._emit,
            changed=self._supersede,
        )

    def _supersede(self, start: Start) -> None:
        # What one person was given is not for the next one who logs in.
        with self._lock:
            cells = [cell for cell, of in self._start_of_cell.items() if of is start]
        self._asks.forget(start.source.identity)
        for cell in cells:
            cell.supersede()

    def _expected_of(self, source: str | Profile | boto3.Session | None) -> str | None:
        return self._expected.get(source) if isinstance(source, str | Profile | None) else None

    def _defaults_of(self, account: Account) -> Defaults:
        if not account.registered:
            return self._name_only
        if account.defaults is None:
            return self._own_defaults
        merged = self._merged.get(account.defaults)
        if merged is None:
            merged = self._merged[account.defaults] = self._name_only | account.defaults | self._defaults
        return merged

    def _source_credentials(self, account: Account, start: Start) -> SourceCredentials:
        expected = account.account_id

        def check(frozen: ReadOnlyCredentials) -> None:
            identity = start.identity(frozen, self._region_name)
            if identity.account_id != expected:
                msg = f"the source's credentials are for account {identity.account_id}, not {expected}"
                raise WrongAccountError(msg, hop=0, hint=f"they belong to {identity.arn}")

        return SourceCredentials(account.name, start, check if expected else None)

    def _cells_of(
        self, account: Account, start: Start, hops: tuple[Hop, ...], deadline: Deadline | None
    ) -> tuple[tuple[Cell[SigningCredentials], ...], str]:
        key = start.source.identity
        caller: Signer = start
        cells: list[Cell[SigningCredentials]] = []
        with self._lock:
            for hop in hops:
                key = hop.role.key(self._asks.parent(hop.role, key))
                cell = self._cells.get(key)
                if cell is None:
                    # Hops before the last may serve many accounts: events about them name none.
                    last = hop is hops[-1]
                    label = Label(account.name if last else None, hop.role.role_arn, hop.number)
                    ask = self._asks.ask(hop, key, caller, start, deadline if last else None)
                    cell = self._cells[key] = self._new_cell(label, key, ask, deadline if last else None)
                    self._start_of_cell[cell] = start
                self._recent[key] = cell
                cells.append(cell)
                caller = HopSigner(cell)
        return tuple(cells), key

    def _new_cell(self, label: Label, key: str, ask: Ask, deadline: Deadline | None) -> Cell[SigningCredentials]:
        account_id = account_of(label.role_arn)
        # What has a deadline shall not lie anywhere after it.
        store = self._store if deadline is None else NoStore()
        fetch = HopFetch(label, account_id, ask, store=store, key=key, clock=self._clock, emit=self._emit)
        return Cell(
            label,
            fetch,
            signing_credentials,
            policy=self._policy,
            workers=self._workers,
            emit=self._emit,
            clock=self._clock,
            deadline=deadline,
        )

    def _hops_of(self, account: Account, defaults: Defaults) -> tuple[Hop, ...]:
        hops = () if account.chain is None else defaults.fill(account.chain)
        return tuple(self._named(hop, account.name) for hop in hops)

    def _named(self, hop: Hop, account: str) -> Hop:
        template = hop.role.role_session_name or ""
        name = self._runner.session_name(template, account)
        # Most have no placeholders, and each copy is validated anew.
        return hop if name == template else replace(hop, role=hop.role.replace(role_session_name=name))
