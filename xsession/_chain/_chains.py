"""From an account to the credentials of its clients: sources, chains of cells, and what they share."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from cachetools import LRUCache

from xsession._aws import account_of
from xsession._base import Latch, frozen, is_held, made_once, renew_after_fork
from xsession._botocore import Loaders, SigningCredentials, SourceSession, region_of, signing_credentials
from xsession.accounts import Account, Profile
from xsession.errors import SessionClosedError, WrongAccountError
from xsession.refresh import MAX_TRY_SECONDS, Cell, Deadline, Issued, Label, given_up_with
from xsession.roles import Hop, HopResolver, Role
from xsession.stores import NoStore

from ._account_credentials import AccountCredentials, CellCredentials, SourceCredentials
from ._assume_role import AssumeRoleRequest, Signer
from ._hop_fetch import HopFetch, HopRequest, HopSigner
from ._settings import ChainSettings, Runtime
from ._source import Source

if TYPE_CHECKING:
    import boto3
    from botocore.credentials import ReadOnlyCredentials

    from ._mfa_session import MfaSessions
    from ._token_functions import TokenFunctions

MAX_CELLS = 4_096


@frozen
class ResolvedAccount:
    """An account with everything that its clients and its status need.

    Args:
        account: The account.
        key: What tells its identity from all others.
        hops: The resolved roles, in order.
        cells: Their credentials, in order.
        credentials: What its clients ask at each signing.
        region_name: The region of its clients where a call names none.
        source: Where its chain begins.
    """

    account: Account
    key: str
    hops: tuple[Hop, ...]
    cells: tuple[Cell[SigningCredentials], ...]
    credentials: AccountCredentials
    region_name: str | None
    source: Source


@frozen
class UncachedChain:
    """An account's chain for a caller that only wants to know whether it works: nothing of it is kept or reused.

    Args:
        account: The account.
        source: Where it begins.
        hops: The resolved roles, in order.
        regions: The session's and the source's region, as the STS region after the role's own.
        assume: Assumes one hop with a signer's credentials, by the very request that clients cause; but a code of an
            MFA device goes with it where clients ask with an MFA session.
    """

    account: Account
    source: Source
    hops: tuple[Hop, ...]
    regions: tuple[str | None, ...]
    assume: Callable[[Hop, Signer], Issued]


class Chains:
    """Resolves accounts; chains that begin alike share their cells.

    Args:
        session: The session's own source.
        settings: What the user chose.
        runtime: What refreshes run with.
    """

    def __init__(self, session: SourceSession, settings: ChainSettings, runtime: Runtime) -> None:
        self._settings = settings
        self._runtime = runtime
        self._resolver = HopResolver(settings.defaults, settings.runner)
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        self._closed = False
        self._ended = Latch()
        self._loaders = Loaders()
        self._source_of_cell: weakref.WeakKeyDictionary[Cell[SigningCredentials], Source] = weakref.WeakKeyDictionary()
        self._expected: Mapping[str | Profile | None, str] = {}
        self._sources: dict[str | Profile | boto3.Session | None, Source] = {None: self._new_source(session)}
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
        source = self._source_of(account)
        settings, name = self._settings, account.name
        defaults = self._resolver.defaults(account.defaults, registered=account.registered)
        hops = self._resolver.hops(account.chain, defaults, name)
        own = region_of(account.region_name or settings.region_name, settings.config, defaults.region_name)
        region = own or source.region_name
        if not hops:
            key = f"{source.key}:{account.account_id or ''}"
            return ResolvedAccount(account, key, (), (), self._source_credentials(account, source), region, source)
        keys, cells = self._cells_of(name, source, hops, deadline)
        mfa = None
        if hops[0].role.mfa_serial is not None:
            regions = self._regions(source)
            mfa = self._mfa_sessions.of_account(
                hops=hops, cells=cells, keys=keys, source=source, regions=regions, defaults=defaults
            )
        credentials = CellCredentials(name, cells[-1], mfa)
        return ResolvedAccount(account, keys[-1], hops, cells, credentials, region, source)

    def uncached(self, account: Account) -> UncachedChain:
        """The chain of one account, without the credentials that are kept for it; makes no network call.

        Args:
            account: The account.

        Raises:
            ConfigError: The account's roles and defaults do not fit together.
            SourceCredentialsError: The account's profile does not exist.
            SessionClosedError: The session is closed.
        """
        source = self._source_of(account)
        defaults = self._resolver.defaults(account.defaults, registered=account.registered)
        hops = self._resolver.hops(account.chain, defaults, account.name)

        def assume(hop: Hop, signer: Signer) -> Issued:
            serial = hop.role.mfa_serial
            code = None if serial is None else self._mfa_sessions.prompt.called(serial)
            with given_up_with(self._ended):
                return self._request(hop, signer, source, None)(MAX_TRY_SECONDS, code)

        return UncachedChain(account, source, hops, self._regions(source), assume)

    def invalidate(self, resolved: ResolvedAccount, still_used: Sequence[ResolvedAccount]) -> None:
        """Throws away the credentials of the account's last hop, and of the hops that no other account uses."""
        shared = {id(cell) for other in still_used for cell in other.cells}
        for cell in resolved.cells:
            if cell is resolved.cells[-1] or id(cell) not in shared:
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
        for name, source in self._sources.items():
            source.expected = self._expected_of(name)

    def principals(self) -> dict[str | Profile | None, str]:
        """Who the sources in use are, by the account's `source`; asks STS.

        Raises:
            CredentialsError: One of them has no credentials, or STS refused them.
        """
        with self._lock:
            sources = list(self._sources.items())
        return {
            name: source.principal(self._settings.region_name)
            for name, source in sources
            if isinstance(name, str | Profile | None)
        }

    def close(self) -> None:
        """Throws away all credentials and refreshes nothing any more."""
        with self._lock:
            self._closed = True
            cells, sources = list(self._cells.values()), list(self._sources.values())
            self._recent.clear()
        self._ended.set()
        mfa_sessions = self._made_mfa_sessions
        if mfa_sessions is not None:
            mfa_sessions.prompt.close()
            mfa_sessions.close()
        for cell in cells:
            cell.close()
        self._runtime.workers.forget(set(cells))
        for source in sources:
            source.close()

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds."""
        if is_held(self._lock):
            # A thread of the parent was changing it: half of that change may be here.
            self._recent = LRUCache(MAX_CELLS)
            vars(self).pop("_token_functions", None)
        self._lock = threading.RLock()

    @made_once
    def _mfa_sessions(self) -> MfaSessions:
        from ._mfa_session import MfaSessions  # noqa: PLC0415 # few roles ask for MFA

        return MfaSessions(self._settings.mfa_code, store=self._runtime.store, clock=self._runtime.clock)

    @made_once
    def _token_functions(self) -> TokenFunctions:
        from ._token_functions import TokenFunctions  # noqa: PLC0415 # few roles have one

        return TokenFunctions()

    @property
    def _made_mfa_sessions(self) -> MfaSessions | None:
        return vars(self).get("_mfa_sessions")

    def _source_of(self, account: Account) -> Source:
        name = account.source
        with self._lock:
            self._check_open(account.name)
            source = self._sources.get(name)
            if source is None:
                source = self._sources[name] = self._new_source(SourceSession(name))
                source.expected = self._expected_of(name)
            return source

    def _check_open(self, account: str) -> None:
        if self._closed:
            raise SessionClosedError.closed(account=account)

    def _new_source(self, session: SourceSession) -> Source:
        runtime = self._runtime
        return Source(
            session,
            self._settings.config,
            loaders=self._loaders,
            clock=runtime.clock,
            emit=runtime.emit,
            changed=self._supersede,
        )

    def _supersede(self, source: Source) -> None:
        # What one person was given is not for the next one who logs in.
        with self._lock:
            cells = [cell for cell, of in self._source_of_cell.items() if of is source]
        mfa_sessions = self._made_mfa_sessions
        if mfa_sessions is not None:
            mfa_sessions.forget(source.key)
        for cell in cells:
            cell.supersede()

    def _expected_of(self, name: str | Profile | boto3.Session | None) -> str | None:
        return self._expected.get(name) if isinstance(name, str | Profile | None) else None

    def _regions(self, source: Source) -> tuple[str | None, ...]:
        return self._settings.region_name, source.region_name

    def _source_credentials(self, account: Account, source: Source) -> SourceCredentials:
        expected = account.account_id

        def check(frozen: ReadOnlyCredentials) -> None:
            identity = source.identity(frozen, self._settings.region_name)
            if expected is not None and identity.account_id != expected:
                raise WrongAccountError.between(identity.account_id, expected, arn=identity.arn, hop=0)

        return SourceCredentials(account.name, source, check if expected else None)

    def _cells_of(
        self, account: str, source: Source, hops: tuple[Hop, ...], deadline: Deadline | None
    ) -> tuple[tuple[str, ...], tuple[Cell[SigningCredentials], ...]]:
        key = source.key
        signer: Signer = source
        keys: list[str] = []
        cells: list[Cell[SigningCredentials]] = []
        with self._lock:
            # Since the source was looked up, it may have been closed.
            self._check_open(account)
            for hop in hops:
                key = hop.role.key(self._parent_key(hop.role, key))
                cell = self._cells.get(key)
                if cell is None:
                    # Hops before the last may serve many accounts: events about them name none.
                    last = hop is hops[-1]
                    ends = deadline if last else None
                    label = Label(account if last else None, hop.role.role_arn, hop.number)
                    request = self._kept_request(hop, signer, source, ends)
                    before = cells[-1] if cells else None
                    cell = self._cells[key] = self._new_cell(label, key, request, ends, before)
                    self._source_of_cell[cell] = source
                self._recent[key] = cell
                keys.append(key)
                cells.append(cell)
                signer = HopSigner(cell)
        return tuple(keys), tuple(cells)

    def _parent_key(self, role: Role, before: str) -> str:
        # What a role's credentials come from, as a part of its key. The path of a file is in the role's own part.
        if role.web_identity_token is not None:
            return self._token_functions.name(role.web_identity_token)
        return "web-identity" if role.has_web_identity else before

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
    ) -> Cell[SigningCredentials]:
        runtime, account_id = self._runtime, account_of(label.role_arn)
        # What has a deadline should not lie anywhere after it.
        store = runtime.store if deadline is None else NoStore()
        fetch = HopFetch(
            label,
            account_id,
            request,
            hop_before=before,
            store=store,
            key=key,
            clock=runtime.clock,
            emit=runtime.emit,
        )
        return Cell(
            label,
            fetch,
            signing_credentials,
            policy=self._settings.refresh,
            workers=runtime.workers,
            emit=runtime.emit,
            clock=runtime.clock,
            deadline=deadline,
        )
