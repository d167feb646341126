"""Credentials objects of accounts, which botocore's clients ask at each signing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from xsession._base import Latch
from xsession._botocore import CurrentCredentials, SigningCredentials
from xsession.credentials import Credentials
from xsession.errors import ConfigError, MfaError, reaching
from xsession.refresh import SHARED_WORKERS, Cell, Endpoint, Reader, Rejection, RejectionMemory, Snapshot, Workers

from ._fields import field

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

    from xsession.refresh import ThreadCalls

    from ._account_mfa import AccountMfa

T = TypeVar("T")


class Mfa(Protocol):
    """The MFA that credentials ask for."""

    def ask(self, *, attended: bool = True) -> None:
        """Has a person asked for a code, where the credentials can't be obtained without one.

        Args:
            attended: Whether the person at the notebook or the terminal may be asked.

        Raises:
            XSessionError: There is no right code.
        """


class AccountCredentials(CurrentCredentials):
    """The credentials object of one account's clients: current at each signing, never a copy.

    Args:
        account: The account's name, for errors.
        mfa: The MFA that is asked for; None: none is.
        region_name: The region of the account's clients.
        workers: Start what an event loop waits for.
        ended: Set when the session is closed.
    """

    method = "assume-role"

    def __init__(
        self,
        account: str,
        mfa: Mfa | None = None,
        region_name: str | None = None,
        *,
        workers: Workers = SHARED_WORKERS,
        ended: Latch | None = None,
    ) -> None:
        # Not the base's, as there: it would copy the secret.
        self._account = account
        self._mfa = mfa
        self._region_name = region_name
        self._workers = workers
        self._ended = Latch() if ended is None else ended

    def current(self) -> Credentials:
        """The credentials that the next request is signed with, as our own value."""
        raise NotImplementedError

    def held(self) -> Credentials | None:
        """Those that a request can be signed with now, without waiting; None: there are none, or to look takes time.

        Raises:
            XSessionError: There will be none.
        """
        return None

    def unattended(self) -> Credentials:
        """As `current`, for a caller for whom no person can be asked for an MFA code.

        Raises:
            MfaError: One is needed.
            CredentialsError: They could not be obtained.
        """
        raise NotImplementedError

    async def awaited(self) -> ReadOnlyCredentials:
        """As `get_frozen_credentials`, in an event loop, which goes on meanwhile; nobody at a terminal is asked.

        Raises:
            XSessionError: There is nothing to sign with.
        """
        raise NotImplementedError

    @property
    def _in_memory(self) -> ReadOnlyCredentials | None:
        """What was awaited or read last, if it can still be used; waits for nothing."""
        raise NotImplementedError

    @property
    def awaited_last(self) -> ReadOnlyCredentials:
        """Likewise.

        Raises:
            ConfigError: There is nothing.
        """
        held = self._in_memory
        if held is None:
            msg = "no credentials are held, and to read an attribute waits for none"
            raise ConfigError(msg, account=self._account, hint="await get_frozen_credentials() first")
        return held

    async def aside(self, work: Callable[[], T]) -> T | None:
        """Calls what tells these of an answer, and does not hold up the event loop."""
        return work()

    def ask_for_mfa(self) -> None:
        """Has a person asked for an MFA code, where the credentials can't be obtained without one."""
        if self._mfa is not None:
            self._mfa.ask()

    def _calls(self, work: Callable[[], T]) -> ThreadCalls[T]:
        # No other program than one with event loops needs what waits in them.
        from xsession.refresh import ThreadCalls  # noqa: PLC0415

        return ThreadCalls(work, self._workers, self._ended)

    @property
    def methods(self) -> frozenset[str]:
        """How these are obtained, in botocore's words, as far as that is known without a network call."""
        return frozenset()

    def issue(self) -> object:
        """Stands for what requests are signed with now: another object once that is, or should be, something else.

        Raises:
            XSessionError: There is nothing to sign with.
        """
        raise NotImplementedError

    def renew(self) -> None:
        """Has `issue` answer with another object from now on, where the credentials themselves stay."""

    @property
    def rejections(self) -> RejectionMemory:
        """What is remembered of rejections."""
        raise NotImplementedError

    def rejected(self, rejection: Rejection) -> float | None:
        """Records that a service refused these as dead; returns seconds until a request should be signed again."""
        raise NotImplementedError

    def accepted(self, endpoint: Endpoint) -> None:
        """Records that an endpoint accepted these, which rejected some before."""
        raise NotImplementedError

    def is_new(self, _access_key_id: str) -> bool:
        """Whether this key was issued a moment ago, and may not be known everywhere yet."""
        return False

    def denied(self, _access_key_id: str) -> bool:
        """Records that a service denied a request explicitly; returns whether others may succeed."""
        return False

    access_key, secret_key, token = field("access_key"), field("secret_key"), field("token")
    # Before 1.35 botocore's own form lacks it.
    account_id = property(lambda self: self.current().account_id)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._account!r})"


class CellCredentials(AccountCredentials):
    """Those of an account at the end of a chain.

    Args:
        account: The account's name, for errors.
        cell: The last hop.
        mfa: The MFA that the first hop asks for; None: it asks for none.
        methods: How these are obtained, in botocore's words, as far as that is known.
        region_name: The region of the account's clients.
        workers: Start what an event loop waits for.
        ended: Set when the session is closed.
    """

    _mfa: AccountMfa | None

    def __init__(
        self,
        account: str,
        cell: Cell[SigningCredentials],
        mfa: AccountMfa | None = None,
        methods: Callable[[], frozenset[str]] = frozenset,
        region_name: str | None = None,
        *,
        workers: Workers = SHARED_WORKERS,
        ended: Latch | None = None,
    ) -> None:
        super().__init__(account, mfa, region_name, workers=workers, ended=ended)
        self._asking: ThreadCalls[None] | None = None
        # Those of the cell, which accounts of other regions may share, and the same with the region.
        self._latest: tuple[Credentials | None, Credentials | None] = (None, None)
        self._cell = cell
        self._methods = methods
        self._boot = cell.clock.boot
        self._wall = cell.clock.wall

    def get_frozen_credentials(self) -> SigningCredentials:
        """The credentials to sign the next request with; waits for a refresh only where they are about to end."""
        # As in _read: this is called at each signing, and a call would cost as much again.
        snapshot = self._cell.snapshot
        if self._boot() < snapshot.fresh_until_boot and self._wall() < snapshot.fresh_until_wall:
            return snapshot.signing
        return self._read().signing

    async def awaited(self) -> SigningCredentials:
        """As `get_frozen_credentials`, in an event loop, which goes on meanwhile."""
        snapshot = self._cell.snapshot
        if self._boot() < snapshot.fresh_until_boot and self._wall() < snapshot.fresh_until_wall:
            return snapshot.signing
        # No other program needs what waits in event loops.
        from xsession.refresh import read_in_loop  # noqa: PLC0415

        with reaching(self._account):
            await self._asked_aside()
            try:
                return (await read_in_loop(self._cell, self._workers)).signing
            except MfaError:
                # As in _read.
                await self._asked_aside()
                return (await read_in_loop(self._cell, self._workers)).signing

    async def _asked_aside(self) -> None:
        # Functions and programs that give codes take their time, and so may a store.
        mfa = self._mfa
        if mfa is None or not mfa.may_ask:
            return
        if self._asking is None:
            self._asking = self._calls(partial(mfa.ask, attended=False))
        await self._asking.answer()

    @property
    def _in_memory(self) -> SigningCredentials | None:
        """What the cell holds; waits for nothing."""
        snapshot = self._cell.snapshot
        return snapshot.signing if snapshot.generation and snapshot.remaining(self._cell.clock) > 0 else None

    def current(self) -> Credentials:
        """The credentials that the next request is signed with, as our own value."""
        shared = self._read().credentials
        known, ours = self._latest
        if ours is None or known is not shared:
            ours = replace(shared, region_name=self._region_name)
            self._latest = shared, ours
        return ours

    def held(self) -> Credentials | None:
        """Those that a request can be signed with now, without waiting; what is due is refreshed meanwhile."""
        with reaching(self._account):
            snapshot = Reader(self._cell).held()
        return None if snapshot is None else snapshot.credentials

    def unattended(self) -> Credentials:
        """As `current`, but where that takes an MFA code, an error."""
        with reaching(self._account):
            return Reader(self._cell).read().credentials

    def _read(self) -> Snapshot[SigningCredentials]:
        snapshot = self._cell.snapshot
        if self._boot() < snapshot.fresh_until_boot and self._wall() < snapshot.fresh_until_wall:
            return snapshot
        with reaching(self._account):
            self.ask_for_mfa()
            try:
                return Reader(self._cell).read()
            except MfaError:
                # The MFA session ended in this very moment, or was revoked.
                self.ask_for_mfa()
                return Reader(self._cell).read()

    @property
    def methods(self) -> frozenset[str]:
        """How these are obtained, in botocore's words, as far as that is known without a network call."""
        return self._methods()

    def issue(self) -> object:
        """What one answer of STS brought, and nothing else."""
        return self.get_frozen_credentials()

    @property
    def rejections(self) -> RejectionMemory:
        """What is remembered of rejections, by all accounts that end with this hop."""
        return self._cell.rejections

    def rejected(self, rejection: Rejection) -> float | None:
        """Throws them away where the cell finds it right; the retry waits for the new ones."""
        return self._cell.rejected(rejection)

    def accepted(self, endpoint: Endpoint) -> None:
        """Records that an endpoint accepted these, which rejected some before."""
        self._cell.accepted(endpoint)

    def is_new(self, access_key_id: str) -> bool:
        """Whether this key was issued a moment ago, and may not be known everywhere yet."""
        return self._cell.is_new(access_key_id)

    def denied(self, access_key_id: str) -> bool:
        """Throws them away after an explicit deny, where the policy wants that."""
        return self._cell.denied(access_key_id)
