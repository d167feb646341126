"""From an account to the credentials of its clients: sources, chains of cells, and what they share."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from cachetools import LRUCache

from xsession._aws import account_of
from xsession._base import Latch, is_held, made_once, renew_after_fork
from xsession._botocore import SigningCredentials, region_of, signing_credentials
from xsession.accounts import Account, Profile
from xsession.errors import SessionClosedError, WrongAccountError, reaching
from xsession.refresh import MAX_TRY_SECONDS, Cell, Deadline, Issued, Label, given_up_with
from xsession.roles import Defaults, Hop, HopResolver, Role
from xsession.stores import NoStore, as_shared

from ._account_credentials import CellCredentials
from ._assume_role import AssumeRoleRequest, Signer
from ._hop_fetch import HopFetch, HopRequest, HopSigner
from ._resolved_account import ResolvedAccount, UncachedChain, region_without_role
from ._settings import ChainSettings, Runtime
from ._source import Source
from ._source_credentials import SourceCredentials
from ._sources import Sources

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import ReadOnlyCredentials

    from xsession.credentials import Credentials
    from xsession.stores import SharedStore, Store

    from ._mfa_sessions import MfaSessions
    from ._stored_chains import StoredChains, StoredHop
    from ._token_functions import TokenFunctions

MAX_CELLS = 4_096


class Chains:
    """Resolves accounts; chains that begin alike share their cells.

    Args:
        asked: The session's own source; None: boto3's default, looked for where an account uses it.
        settings: What the user chose.
        runtime: What refreshes run with.

    Raises:
        SourceCredentialsError: There is no such profile.
    """

    def __init__(self, asked: boto3.Session | str | None, settings: ChainSettings, runtime: Runtime) -> None:
        self._settings = settings
        self._runtime = runtime
        self._resolver = HopResolver(settings.defaults, settings.runner)
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        self._closed = False
        self._ended = Latch()
        self._sources = Sources(asked, settings, runtime, changed=self._supersede, holds=self._holds)
        # None: what is kept is this process's alone.
        shared = as_shared(runtime.store)
        self._stored = None if shared is None else _stored_chains(shared, runtime)
        self._stored_hops: weakref.WeakKeyDictionary[Cell[SigningCredentials], StoredHop] = weakref.WeakKeyDictionary()
        self._source_of_cell: weakref.WeakKeyDictionary[Cell[SigningCredentials], Source] = weakref.WeakKeyDictionary()
        self._recent: LRUCache[str, Cell[SigningCredentials]] = LRUCache(MAX_CELLS)
        # A cell that fell out of the cache and is still held by a client must be found again: two cells for one
        # chain would each assume it.
        self._cells: weakref.WeakValueDictionary[str, Cell[SigningCredentials]] = weakref.WeakValueDictionary()
        renew_after_fork(self)

    def resolve(self, account: Account, deadline: Deadline | None = None) -> ResolvedAccount:
        """Everything for one account; makes no network call.

        Args:
            account: The account.
            deadline: From when on its last hop gives no credentials any more. No other account may have the very same
                last hop: what tells them apart is in its role's options.

        Raises:
            ConfigError: The account's roles and defaults do not fit together.
            SourceCredentialsError: The account's profile does not exist.
            SessionClosedError: The session is closed.
        """
        source = self._sources.of(account)
        settings, name = self._settings, account.name
        defaults = self._resolver.defaults(account.defaults, registered=account.registered)
        hops = self._resolver.hops(account.chain, defaults, name)
        own = region_of(account.region_name or settings.region_name, settings.config, defaults.region_name)
        region = own or source.region_name
        regions, named = self._regions(source), self._named_sts_region(defaults)
        source.use(hops[0].role if hops else None, regions, named)
        if not hops:
            key = f"{source.key}:{account.account_id or ''}"
            if not source.has_region:
                source.session.use_region(region)
            own_credentials = self._source_credentials(account, source, defaults, region)
            return ResolvedAccount(account, key, (), (), own_credentials, region, source, regions, named)
        keys, cells = self._cells_of(name, source, hops, deadline)
        mfa = None
        if hops[0].role.mfa_serial is not None or (source.mfa_serial and not hops[0].role.has_web_identity):
            mfa = self._mfa_sessions.of_account(
                hops=hops, cells=cells, keys=keys, source=source, regions=regions, defaults=defaults
            )
        credentials = CellCredentials(
            name,
            cells[-1],
            mfa,
            partial(_methods, hops, source),
            region,
            workers=self._runtime.workers,
            ended=self._ended,
        )
        return ResolvedAccount(account, keys[-1], hops, cells, credentials, region, source, regions, named)

    def uncached(self, account: Account) -> UncachedChain:
        """The chain of one account, without the credentials that are kept for it; makes no network call.

        Args:
            account: The account.

        Raises:
            ConfigError: The account's roles and defaults do not fit together.
            SourceCredentialsError: The account's profile does not exist.
            SessionClosedError: The session is closed.
        """
        source = self._sources.of(account)
        defaults = self._resolver.defaults(account.defaults, registered=account.registered)
        hops = self._resolver.hops(account.chain, defaults, account.name)
        regions = self._regions(source)
        named = self._named_sts_region(defaults)
        source.use(hops[0].role if hops else None, regions, named)
        source_region = source.sts_region_name
        if not hops:
            source_region = region_without_role(account, source, regions, named)

        def assume(hop: Hop, signer: Signer) -> Issued:
            serial = hop.role.mfa_serial
            code = None if serial is None else self._mfa_sessions.prompt.called(serial)
            with given_up_with(self._ended):
                return self._request(hop, signer, source, None)(MAX_TRY_SECONDS, code)

        ask = partial(self._ask_for_source, source, defaults)
        return UncachedChain(account, source, hops, regions, assume, source_region, ask)

    def assumed_once(self, resolved: ResolvedAccount) -> Credentials:
        """Credentials of an account's last hop that are kept nowhere, with the duration that STS has by default.

        Args:
            resolved: The account, with a hop at least.

        Raises:
            CredentialsError: STS refused or failed, or an MFA code is missing.
        """
        hop, source = resolved.hops[-1], resolved.source
        hop = replace(hop, role=hop.role.replace(duration_seconds=None))
        before = resolved.cells[-2] if len(resolved.cells) > 1 else None
        request = self._kept_request(hop, self._signer(source, before, hop, resolved.hops), source, None)
        label = Label(resolved.account.name, hop.role.role_arn, hop.number)
        fetch = self._fetch(label, "", request, NoStore(), before)
        with reaching(resolved.account.name), given_up_with(self._ended):
            return fetch(False, MAX_TRY_SECONDS, None).credentials

    def invalidate(self, resolved: ResolvedAccount, still_used: Sequence[ResolvedAccount]) -> None:
        """Throws away the credentials of the account's last hop, and of the hops that no other account uses."""
        shared = {id(cell) for other in still_used for cell in other.cells}
        for cell in resolved.cells:
            if cell is resolved.cells[-1] or id(cell) not in shared:
                cell.invalidate()
        resolved.credentials.renew()

    def invalidate_role(self, role_arn: str, source_identity: str | None = None) -> None:
        """Throws away what is held of a role, in whichever chain it is, because AWS refuses it from now on.

        Args:
            role_arn: The role.
            source_identity: Only of sessions that have it; None: of all.
        """
        if self._stored is not None:
            self._stored.end_role(role_arn, source_identity)
        with self._lock:
            cells = [cell for cell in self._cells.values() if cell.label.role_arn == role_arn]
        for cell in cells:
            if source_identity in (None, cell.snapshot.credentials.source_identity):
                cell.invalidate(reason="revoked")

    def invalidate_passing(self) -> None:
        """Throws away the credentials of accounts whose sources are boto3 sessions that callers passed along."""
        with self._lock:
            cells = [cell for cell, source in self._source_of_cell.items() if source.is_passing]
        for cell in cells:
            cell.invalidate()

    def expect(self, principals: Mapping[str | Profile | None, str]) -> None:
        """Says who the sources must be, by the account's `source`; asked of STS when they have other credentials."""
        self._sources.expect(principals)

    def principals(self) -> dict[str | Profile | None, str]:
        """Who the sources in use are, the session's own included, by the account's `source`; asks STS.

        Raises:
            CredentialsError: One of them has no credentials, or STS refused them.
        """
        return self._sources.principals(self._ask_for_source)

    def close(self) -> None:
        """Throws away all credentials and refreshes nothing any more."""
        with self._lock:
            self._closed = True
            cells = list(self._cells.values())
            self._recent.clear()
        self._ended.set()
        mfa_sessions = self._made_mfa_sessions
        if mfa_sessions is not None:
            mfa_sessions.prompt.close()
            mfa_sessions.close()
        for cell in cells:
            cell.close()
        self._runtime.workers.forget(set(cells))
        self._sources.close()

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        if is_held(self._lock):
            # A thread of the parent was changing it: half of that change may be here.
            self._recent = LRUCache(MAX_CELLS)
            vars(self).pop("_token_functions", None)
        self._lock = threading.RLock()

    @made_once
    def _mfa_sessions(self) -> MfaSessions:
        from ._mfa_sessions import MfaSessions  # noqa: PLC0415 # few roles ask for MFA

        runtime = self._runtime
        return MfaSessions(self._settings.mfa_code, store=runtime.store, clock=runtime.clock, stored=self._stored)

    @made_once
    def _token_functions(self) -> TokenFunctions:
        from ._token_functions import TokenFunctions  # noqa: PLC0415 # few roles have one

        return TokenFunctions()

    @property
    def _made_mfa_sessions(self) -> MfaSessions | None:
        return vars(self).get("_mfa_sessions")

    def _check_open(self, account: str) -> None:
        if self._closed:
            raise SessionClosedError.closed(account=account)

    def _supersede(self, source: Source) -> None:
        # Credentials of one person must not go to the next one who logs in.
        alike = self._sources.alike(source)
        mfa_sessions = self._made_mfa_sessions
        if mfa_sessions is not None:
            for other in alike:
                mfa_sessions.forget(other.key)
        for other in alike:
            if other.stored is not None:
                other.stored.forget()
        for cell in self._cells_from(source):
            cell.supersede()

    def _holds(self, source: Source) -> bool:
        mfa_sessions = self._made_mfa_sessions
        held = mfa_sessions is not None and mfa_sessions.holds(source.key)
        return held or any(cell.is_given for cell in self._cells_from(source))

    def _cells_from(self, source: Source) -> list[Cell[SigningCredentials]]:
        with self._lock:
            return [cell for cell, of in self._source_of_cell.items() if of.session is source.session]

    def _ask_for_source(self, source: Source, defaults: Defaults | None = None) -> None:
        if source.session.needs_code:
            self._mfa_sessions.of_source(source, self._settings.defaults if defaults is None else defaults).ask()

    def _named_sts_region(self, defaults: Defaults) -> str | None:
        # Who a source is may be asked for accounts that take no defaults, too.
        return defaults.sts_region_name or self._settings.defaults.sts_region_name

    def _regions(self, source: Source) -> tuple[str | None, ...]:
        return self._settings.region_name, source.region_name

    def _source_credentials(
        self, account: Account, source: Source, defaults: Defaults, region: str | None
    ) -> SourceCredentials:
        expected, regions, named = account.account_id, self._regions(source), self._named_sts_region(defaults)

        def check(frozen: ReadOnlyCredentials) -> None:
            identity = source.identity(frozen, region_without_role(account, source, regions, named))
            if expected is not None and identity.account_id != expected:
                raise WrongAccountError.between(identity.account_id, expected, arn=identity.arn, hop=0)

        mfa = None if source.mfa_serial is None else self._mfa_sessions.of_source(source, defaults)
        return SourceCredentials(
            account.name,
            source,
            check if expected else None,
            mfa,
            region,
            workers=self._runtime.workers,
            ended=self._ended,
        )

    def _cells_of(
        self, account: str, source: Source, hops: tuple[Hop, ...], deadline: Deadline | None
    ) -> tuple[tuple[str, ...], tuple[Cell[SigningCredentials], ...]]:
        key = source.key
        keys: list[str] = []
        cells: list[Cell[SigningCredentials]] = []
        with self._lock:
            # Since the source was looked up, it may have been closed.
            self._check_open(account)
            for hop in hops:
                key = hop.role.key(self._parent_key(hop.role, key, source))
                cell = self._cells.get(key)
                if cell is None:
                    # Hops before the last may serve many accounts: events about them name none.
                    last = hop is hops[-1]
                    ends = deadline if last else None
                    label = Label(account if last else None, hop.role.role_arn, hop.number)
                    before = cells[-1] if cells else None
                    signer = self._signer(source, before, hop, hops)
                    request = self._kept_request(hop, signer, source, ends)
                    stored = self._stored_hop(hop, source, before, ends)
                    cell = self._cells[key] = self._new_cell(label, key, request, ends, before, stored=stored)
                    if stored is not None:
                        self._stored_hops[cell] = stored
                    self._source_of_cell[cell] = source
                if not source.is_passing:
                    self._recent[key] = cell
                keys.append(key)
                cells.append(cell)
        return tuple(keys), tuple(cells)

    def _signer(
        self, source: Source, before: Cell[SigningCredentials] | None, hop: Hop, hops: tuple[Hop, ...]
    ) -> Signer:
        if before is None:
            return source
        return HopSigner(before, hop.role.role_arn, partial(_methods, hops, source))

    def _parent_key(self, role: Role, before: str, source: Source) -> str:
        # What a role's credentials come from, as a part of its key. The path of a file is in the role's own part.
        if not role.has_web_identity:
            return before
        function = role.web_identity_token
        name = "web-identity" if function is None else self._token_functions.name(function)
        return f"{name}:{source.sts_key}" if source.sts_key else name

    def _kept_request(self, hop: Hop, signer: Signer, source: Source, deadline: Deadline | None) -> HopRequest:
        if hop.role.mfa_serial is not None:
            session = self._mfa_sessions.signer_of(hop.role, source)
            if session is not None:
                return self._request(hop.behind_session(), session, source, deadline)
        return self._request(hop, signer, source, deadline)

    def _request(self, hop: Hop, signer: Signer, source: Source, deadline: Deadline | None) -> HopRequest:
        regions, lanes = self._regions(source), self._runtime.lanes
        if hop.role.has_web_identity:
            from ._web_identity import WebIdentityRequest  # noqa: PLC0415 # most chains begin with credentials

            return WebIdentityRequest(hop, sts=source.sts, regions=regions, lanes=lanes)
        return AssumeRoleRequest(
            hop, signer, sts=source.sts, regions=regions, lanes=lanes, deadline=deadline, clock=self._runtime.clock
        )

    def _new_cell(
        self,
        label: Label,
        key: str,
        request: HopRequest,
        deadline: Deadline | None,
        before: Cell[SigningCredentials] | None,
        *,
        stored: StoredHop | None,
    ) -> Cell[SigningCredentials]:
        runtime = self._runtime
        # What has a deadline should not lie anywhere after it.
        store = runtime.store if deadline is None else NoStore()
        return Cell(
            label,
            self._fetch(label, key, request, store, before, stored=stored),
            signing_credentials,
            policy=self._settings.refresh,
            workers=runtime.workers,
            emit=runtime.emit,
            clock=runtime.clock,
            deadline=deadline,
        )

    def _fetch(
        self,
        label: Label,
        key: str,
        request: HopRequest,
        store: Store,
        before: Cell[SigningCredentials] | None,
        *,
        stored: StoredHop | None = None,
    ) -> HopFetch:
        clock, emit, account_id = self._runtime.clock, self._runtime.emit, account_of(label.role_arn)
        if stored is None:
            return HopFetch(label, account_id, request, hop_before=before, store=store, key=key, clock=clock, emit=emit)
        from ._shared_refresh import SharedHopFetch, SharedRequest  # noqa: PLC0415 # most stores are one process's

        in_turn = SharedRequest(request, stored, label=label, policy=self._settings.refresh, clock=clock)
        return SharedHopFetch(label, account_id, in_turn, hop_before=before, clock=clock, emit=emit)

    def _stored_hop(
        self, hop: Hop, source: Source, before: Cell[SigningCredentials] | None, deadline: Deadline | None
    ) -> StoredHop | None:
        # What has a deadline lies nowhere.
        if self._stored is None or deadline is not None:
            return None
        return self._stored.hop(hop, source, None if before is None else self._stored_hops[before])


def _stored_chains(store: SharedStore, runtime: Runtime) -> StoredChains:
    from ._stored_chains import StoredChains  # noqa: PLC0415 # most stores are one process's

    return StoredChains(store, clock=runtime.clock, emit=runtime.emit)


def _methods(hops: tuple[Hop, ...], source: Source) -> frozenset[str]:
    """How the credentials at the end of a chain are obtained, in botocore's words, as far as that is known."""
    if hops[0].role.has_web_identity:
        return frozenset({"assume-role-with-web-identity", *("assume-role" for _ in hops[1:])})
    return source.methods | {"assume-role"}
