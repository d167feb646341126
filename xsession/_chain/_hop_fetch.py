"""How one hop's credentials are fetched: the hop before signs, STS answers, the store remembers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from xsession import events
from xsession._aws import account_of
from xsession._base import Clock
from xsession._botocore import SigningCredentials
from xsession.credentials import Credentials
from xsession.errors import MfaError, XSessionError
from xsession.refresh import Cell, Issued, Label, Lane, Reader, Rejection, is_given_up
from xsession.stores import Store

from ._assume_role import SETTLING_SECONDS

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials


class HopRequest(Protocol):
    """Requests one hop's credentials from STS."""

    def __call__(self, try_limit: float, mfa_code: str | None, /) -> Issued:
        """New credentials.

        Args:
            try_limit: Seconds that STS has for an answer to each try.
            mfa_code: The code that a person gave for this very call, if any.
        """

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""

    @property
    def lane(self) -> Lane:
        """Where its calls wait while STS throttles."""


class HopFetch:
    """Fetches one hop's credentials; called by its cell in a worker thread.

    Args:
        label: What events and errors call the hop.
        account_id: The account that the credentials must be of.
        request: Requests them from STS.
        hop_before: The hop before, which signs the request; None: it is the first.
        store: Asked first when nothing was fetched yet, and told of what was.
        key: The store's key.
        clock: Both clocks.
        emit: Takes events.
    """

    may_be_kept = False

    def __init__(
        self,
        label: Label,
        account_id: str,
        request: HopRequest,
        *,
        hop_before: Cell[SigningCredentials] | None = None,
        store: Store,
        key: str,
        clock: Clock,
        emit: events.Hook,
    ) -> None:
        self._label = label
        self._account_id = account_id
        self._request = request
        self.hop_before = hop_before
        self._store = store
        self._key = key
        self._clock = clock
        self._emit = emit
        self._looked_in_store = self._called_for_help = False

    def __call__(self, background: bool, try_limit: float, mfa_code: str | None, /) -> Issued:
        """New credentials.

        Args:
            background: Whether no caller waits; then an event says where a person is needed.
            try_limit: Seconds that STS has for an answer to each try.
            mfa_code: The code that a person gave for this very call, if any.

        Raises:
            XSessionError: None could be obtained.
        """
        if not self._looked_in_store:
            self._looked_in_store = True
            kept = issued_earlier(self._store.get(self._key), self._account_id, self._clock)
            if kept is not None:
                return kept
        try:
            issued = self._request(try_limit, mfa_code)
        except XSessionError as error:
            if error.hop is None:
                error.role_arn, error.hop = self._label.role_arn, self._label.hop
            if background and isinstance(error, MfaError):
                self._call_for_help(error)
            raise
        self._called_for_help = False
        self._store.put(self._key, issued.credentials)
        if is_given_up():
            # Thrown away meanwhile: whoever did so may have looked into the store before.
            self._store.delete(self._key, issued.credentials.access_key_id)
        return issued

    @property
    def is_kept(self) -> bool:
        """Whether the store has credentials for a cell that has fetched none yet; later ones are not looked for."""
        if self._looked_in_store:
            return False
        return issued_earlier(self._store.get(self._key), self._account_id, self._clock) is not None

    def forget(self, access_key_id: str | None) -> None:
        """Has the store forget what it keeps, too."""
        self._store.delete(self._key, access_key_id)

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return self._request.awaits_source

    @property
    def lane(self) -> Lane:
        """Where its calls wait while STS throttles."""
        return self._request.lane

    def _call_for_help(self, error: XSessionError) -> None:
        # Once: the refresh is tried again and again, and the event was sent.
        if self._called_for_help:
            return
        self._called_for_help = True
        at, label = datetime.fromtimestamp(self._clock.wall(), UTC), self._label
        self._emit(
            events.NeedsAttention(
                at=at,
                account=label.account,
                role_arn=label.role_arn,
                hop=label.hop,
                message=error.message,
                hint=error.hint,
            )
        )


class HopSigner:
    """The hop before, as the signer of the next one.

    Args:
        cell: That hop's cell.
        role_arn: The next hop's role.
        methods: How its credentials are obtained, in botocore's words, as far as that is known.
    """

    def __init__(self, cell: Cell[SigningCredentials], role_arn: str, methods: Callable[[], frozenset[str]]) -> None:
        self._cell = cell
        self._endpoint = "sts", role_arn
        self._methods = methods

    @property
    def methods(self) -> frozenset[str]:
        """How these are obtained, in botocore's words, as far as that is known."""
        return self._methods()

    @property
    def quota_account_id(self) -> str:
        """The account that the hop before is in."""
        return account_of(self._cell.label.role_arn)

    def frozen(self) -> ReadOnlyCredentials:
        """That hop's current credentials, fetched in this thread where they must be."""
        return Reader(self._cell, nested=True).read().signing

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return self._cell.awaits_source

    @property
    def settling(self) -> bool:
        """Whether they are so new that STS may not know them yet."""
        snapshot = self._cell.snapshot
        asked = snapshot.expires_boot - snapshot.lifetime
        return snapshot.generation > 0 and self._cell.clock.boot() - asked < SETTLING_SECONDS

    def rejected(self, access_key_id: str) -> bool:
        """Throws them away, so that they are fetched again; but seldom, and not for a role that takes no others."""
        return self._cell.rejected(Rejection(access_key_id, self._endpoint), reason="rejected by STS") is not None

    def accepted(self) -> None:
        """Records that STS accepted them."""
        if self._cell.rejections.rejected:
            self._cell.accepted(self._endpoint)


def issued_earlier(kept: Credentials | None, account_id: str | None, clock: Clock) -> Issued | None:
    """What a store keeps, as if it had been issued to us; None where that is not to be believed."""
    if kept is None or kept.issued_at is None or kept.account_id != account_id:
        return None
    age = clock.wall() - kept.issued_at.timestamp()
    # From the future: the wall clock was set back, and nothing says when these really end.
    return Issued(kept, clock.boot() - age) if age >= 0 else None
