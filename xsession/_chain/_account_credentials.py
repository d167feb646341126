"""Credentials objects of accounts, which botocore's clients ask at each signing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xsession._botocore import CurrentCredentials, SigningCredentials
from xsession.credentials import Credentials
from xsession.errors import MfaError, XSessionError, reaching
from xsession.refresh import Cell, Reader, Snapshot

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

    from ._mfa_session import AccountMfa
    from ._source import Source
    from ._source_code import SourceMfa


class AccountCredentials(CurrentCredentials):
    """The credentials object of one account's clients: current at each signing, never a copy.

    Args:
        account: The account's name, for errors.
    """

    method = "assume-role"

    def __init__(self, account: str) -> None:
        # Not the base's, as there: it would copy the secret.
        self._account = account

    def current(self) -> Credentials:
        """The credentials that the next request is signed with, as our own value."""
        raise NotImplementedError

    def ask_for_mfa(self) -> None:
        """Has a person asked for the code of an MFA device, where that is needed."""

    def rejected(self, access_key_id: str) -> bool:
        """Takes note that a service refused these as dead; returns whether there are others now."""
        raise NotImplementedError

    def denied(self, _access_key_id: str) -> bool:
        """Takes note that a service denied a request explicitly; returns whether others may fare better."""
        return False

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
    """

    def __init__(self, account: str, cell: Cell[SigningCredentials], mfa: AccountMfa | None = None) -> None:
        super().__init__(account)
        self._cell = cell
        self._mfa = mfa
        self._boot = cell.clock.boot
        self._wall = cell.clock.wall

    def get_frozen_credentials(self) -> SigningCredentials:
        """The credentials to sign the next request with; waits for a refresh only where they are about to end."""
        # As in _read: this is called at each signing, and a call would cost as much again.
        snapshot = self._cell.snapshot
        if self._boot() < snapshot.fresh_until_boot and self._wall() < snapshot.fresh_until_wall:
            return snapshot.signing
        return self._read().signing

    def current(self) -> Credentials:
        """The credentials that the next request is signed with, as our own value."""
        return self._read().credentials

    def ask_for_mfa(self) -> None:
        """Has a person asked for an MFA code, where the credentials can't be obtained without one."""
        if self._mfa is not None:
            self._mfa.ask()

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

    def rejected(self, access_key_id: str) -> bool:
        """Throws them away, unless newer ones are held already; the retry waits for the new ones."""
        self._cell.invalidate(access_key_id, reason="rejected by a service")
        return True

    def denied(self, access_key_id: str) -> bool:
        """Throws them away after an explicit deny, where the policy wants that."""
        return self._cell.denied(access_key_id)


class SourceCredentials(AccountCredentials):
    """Those of an account that needs no hop: the source's own.

    Args:
        account: The account's name, for errors.
        source: Whose they are; its own refresh is respected.
        check: Called with them before they are used for the first time, and whenever the key id changed.
        mfa: The MFA that the source's own profile asks for; None: it asks for none.
    """

    method = "source"

    def __init__(
        self,
        account: str,
        source: Source,
        check: Callable[[ReadOnlyCredentials], None] | None,
        mfa: SourceMfa | None = None,
    ) -> None:
        super().__init__(account)
        self._mfa = mfa
        self._source = source
        self._check = check
        self._checked: str | None = None

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """The source's current credentials, once they are known to be of the right account."""
        with reaching(self._account):
            self.ask_for_mfa()
            frozen = self._source.own()
            if self._check is not None and self._checked != frozen.access_key:
                self._check(frozen)
                self._checked = frozen.access_key
        return frozen

    def current(self) -> Credentials:
        """The source's current credentials as our own value; their expiry is the source's business and not known."""
        frozen = self.get_frozen_credentials()
        return Credentials(
            access_key_id=frozen.access_key or "",
            secret_access_key=frozen.secret_key or "",
            session_token=frozen.token,
            account_id=getattr(frozen, "account_id", None),
        )

    def ask_for_mfa(self) -> None:
        """Has a person asked for an MFA code, where the source needs one."""
        if self._mfa is not None:
            self._mfa.ask()

    def rejected(self, access_key_id: str) -> bool:
        """Has the source look for other credentials; where it can't be read any more, AWS's own answer says enough."""
        try:
            return self._source.rejected(access_key_id)
        except XSessionError:
            return False
