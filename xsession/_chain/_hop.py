"""How one hop's credentials are fetched: the hop before signs, STS answers, the store remembers."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

from xsession import events
from xsession._aws import account_of, is_dead_caller, same_code
from xsession._base import Clock
from xsession._botocore import SigningCredentials
from xsession._sts import DEFAULT_DURATION_SECONDS, Sts, sts_region
from xsession.credentials import Credentials
from xsession.errors import CredentialsError, MfaError, XSessionError
from xsession.refresh import MAX_TRY_SECONDS, Cell, Issued, Label, Lane, Lanes
from xsession.roles import MAX_CHAINED_DURATION_SECONDS, MIN_DURATION_SECONDS, Hop, Role
from xsession.stores import Store

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

T = TypeVar("T")

# Credentials are not used to their very end: those that end with the deadline would be replaced shortly before it.
_BEYOND_DEADLINE_SECONDS = 60


class Signer(Protocol):
    """Whose credentials sign an AssumeRole call: the source's, or those of the hop before."""

    def frozen(self) -> ReadOnlyCredentials:
        """Current credentials."""

    def rejected(self, access_key_id: str) -> bool:
        """Takes note that STS rejected these; tells whether there are others now."""

    @property
    def payer(self) -> str:
        """The account to whose quota of STS its calls count, or what stands for it where that is not known."""


class HopSigner:
    """The hop before, as a caller.

    Args:
        cell: That hop's cell.
    """

    def __init__(self, cell: Cell[SigningCredentials]) -> None:
        self._cell = cell

    @property
    def payer(self) -> str:
        """The account that the hop before is in."""
        return account_of(self._cell.label.role_arn)

    def frozen(self) -> ReadOnlyCredentials:
        """That hop's current credentials, fetched in this thread where they must be."""
        return self._cell.read_nested().signing

    def rejected(self, access_key_id: str) -> bool:
        """Throws them away, so that they are fetched anew."""
        self._cell.invalidate(access_key_id, reason="rejected by STS")
        return True


def signed_by(caller: Signer, call: Callable[[ReadOnlyCredentials], T]) -> T:
    """The answer to a call; a second one is made where the caller's credentials are dead and it has others by now.

    Raises:
        CredentialsError: STS refused or failed.
    """
    frozen = caller.frozen()
    try:
        return call(frozen)
    except CredentialsError as error:
        if not is_dead_caller(error.code) or not caller.rejected(frozen.access_key or ""):
            raise
    return call(caller.frozen())


def issued_earlier(kept: Credentials | None, account_id: str | None, clock: Clock) -> Issued | None:
    """What a store keeps, as if it had been issued to us; None where that is not to be believed."""
    if kept is None or kept.issued_at is None or kept.account_id != account_id:
        return None
    age = clock.wall() - kept.issued_at.timestamp()
    # From the future: the wall clock was set back, and nothing says when these really end.
    return Issued(kept, clock.boot() - age) if age >= 0 else None


class Ask(Protocol):
    """Asks STS for one hop's credentials."""

    def __call__(self, try_limit: float, /) -> Issued:
        """New credentials; STS has so many seconds for an answer to each try."""

    @property
    def held_back(self) -> bool:
        """Whether calls wait because STS throttles."""


class AssumeRole:
    """Asks with the credentials of a caller.

    Args:
        hop: The role with all its options.
        caller: Signs the call.
        sts: Makes it.
        regions: The session's and the source's region, as the STS region after the role's own.
        lanes: Where calls wait while STS throttles.
        mfa_code: Gives the code that somebody gave for this very call, if any.
        left: Seconds for which the credentials are of use; none are asked for that live much longer.
    """

    def __init__(
        self,
        hop: Hop,
        caller: Signer,
        *,
        sts: Sts,
        regions: tuple[str | None, ...],
        lanes: Lanes,
        mfa_code: Callable[[], str | None] = lambda: None,
        left: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._hop = hop
        self._role = hop.role
        self._caller = caller
        self._sts = sts
        self._region = sts_region(hop.role, *regions)
        self._lanes = lanes
        self._mfa_code = mfa_code
        self._left = left

    def __call__(self, try_limit: float, /) -> Issued:
        """New credentials.

        Raises:
            XSessionError: None could be had.
        """
        return signed_by(self._caller, lambda caller: self._ask(caller, try_limit))

    @property
    def held_back(self) -> bool:
        """Whether calls wait because STS throttles."""
        return self._lane.busy

    @property
    def _lane(self) -> Lane:
        return self._lanes.lane(self._caller.payer, self._region)

    def _ask(self, caller: ReadOnlyCredentials, try_limit: float) -> Issued:
        code = self._mfa_code()
        if self._role.mfa_serial is not None and code is None:
            raise code_missing(self._role.mfa_serial)
        try:
            return self._sts.assume_role(
                self._wanted(),
                caller,
                hop=self._hop.number,
                region_name=self._region,
                mfa_code=code,
                lane=self._lane,
                try_limit=try_limit,
            )
        except CredentialsError as error:
            if not (self._hop.duration_is_default and same_code(error.code) == "ValidationError"):
                raise
            shortened = self._role.duration_seconds == MAX_CHAINED_DURATION_SECONDS
            if shortened or "role chaining" not in error.message.lower():
                raise
        # The source is a role's session itself, which nothing showed before.
        self._role = self._role.replace(duration_seconds=MAX_CHAINED_DURATION_SECONDS)
        return self._ask(caller, try_limit)

    def _wanted(self) -> Role:
        left = self._left()
        if left == math.inf:
            return self._role
        seconds = self._role.duration_seconds
        longest = seconds if isinstance(seconds, int) else DEFAULT_DURATION_SECONDS
        enough = max(MIN_DURATION_SECONDS, math.ceil(left) + _BEYOND_DEADLINE_SECONDS)
        return self._role.replace(duration_seconds=min(longest, enough))


def code_missing(serial: str) -> MfaError:
    """The error of a refresh that would need a code: those who give codes are asked before, in the foreground."""
    msg = f"the MFA device {serial} needs a code, which only a caller in the foreground can give"
    return MfaError(msg, hint="call warm() where somebody can answer")


class HopFetch:
    """Fetches one hop's credentials; called by its cell in a worker thread.

    Args:
        label: What events and errors call the hop.
        account_id: The account that the credentials must be of.
        ask: Asks STS.
        store: Asked first when nothing was fetched yet, and told of what was.
        key: The store's key.
        clock: Both clocks.
        emit: Takes events.
    """

    def __init__(
        self, label: Label, account_id: str, ask: Ask, *, store: Store, key: str, clock: Clock, emit: events.Hook
    ) -> None:
        self._label = label
        self._account_id = account_id
        self._ask = ask
        self._store = store
        self._key = key
        self._clock = clock
        self._emit = emit
        self._looked_in_store = self._called_for_help = False

    def __call__(self, background: bool, try_limit: float = MAX_TRY_SECONDS) -> Issued:
        """New credentials.

        Args:
            background: Whether no caller waits; then an event says where a person is needed.
            try_limit: Seconds that STS has for an answer to each try.

        Raises:
            XSessionError: None could be had.
        """
        if not self._looked_in_store:
            self._looked_in_store = True
            kept = issued_earlier(self._store.get(self._key), self._account_id, self._clock)
            if kept is not None:
                return kept
        try:
            issued = self._ask(try_limit)
        except XSessionError as error:
            if error.hop is None:
                error.role_arn, error.hop = self._label.role_arn, self._label.hop
            if background and isinstance(error, MfaError):
                self._call_for_help(error)
            raise
        self._called_for_help = False
        self._store.put(self._key, issued.credentials)
        return issued

    def forget(self, access_key_id: str | None) -> None:
        """Has the store forget what it keeps, too."""
        self._store.delete(self._key, access_key_id)

    @property
    def held_back(self) -> bool:
        """Whether calls wait because STS throttles."""
        return self._ask.held_back

    def _call_for_help(self, error: XSessionError) -> None:
        # Once: the refresh is tried again and again, and the person who could help has been told.
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
