"""How things stand with the credentials of every hop of every account, for people to look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, overload

from xsession._base import Clock, Table, Tabular, frozen, public

from ._failure import Failure, Label
from ._policy import RefreshState
from ._snapshot import Snapshot

_HEADERS = ("account", "hop", "role", "state", "expires", "remaining", "last error", "next try")


@frozen(kw_only=True)
class HopStatus:
    """One hop of one account; where accounts share a hop, each has a row for it.

    Args:
        account: The account's name.
        hop: The hop's place in the chain, counted from 1.
        role_arn: The role.
        state: What a caller would meet now.
        access_key_id: The key id held; None: none is.
        local_expiry: When what is held ends, by the local wall clock.
        remaining: Seconds until then; 0: nothing usable is held.
        refreshing: Whether STS is being asked.
        last_error: Why the last try failed; None: it did not.
        next_try: Seconds until STS is asked again at the earliest, after a failure.
    """

    account: str | None
    hop: int
    role_arn: str
    state: RefreshState
    access_key_id: str | None
    local_expiry: datetime | None
    remaining: float
    refreshing: bool
    last_error: str | None
    next_try: float | None

    @classmethod
    def of(
        cls,
        label: Label,
        clock: Clock,
        snapshot: Snapshot[Any],
        state: RefreshState,
        failure: Failure | None,
        *,
        refreshing: bool,
    ) -> HopStatus:
        """How a cell stands.

        Args:
            label: Its name in events and errors.
            clock: Both clocks.
            snapshot: What it holds.
            state: What a reader would meet.
            failure: What failed last.
            refreshing: Whether STS is being asked.
        """
        return cls(
            account=label.account,
            hop=label.hop,
            role_arn=label.role_arn,
            state=state,
            access_key_id=snapshot.credentials.access_key_id or None,
            local_expiry=snapshot.credentials.local_expiry,
            remaining=max(0.0, snapshot.remaining(clock)) if snapshot.generation else 0.0,
            refreshing=refreshing,
            last_error=None if failure is None else failure.error.message,
            next_try=None if failure is None else max(0.0, failure.next_try - clock.boot()),
        )

    @property
    def ok(self) -> bool:
        """Whether a request could be signed at once."""
        return self.state in (RefreshState.FRESH, RefreshState.ADVISORY, RefreshState.MANDATORY)


@public
class Status(Tabular, Sequence[HopStatus]):
    """The hops of all accounts that were used so far. Prints, and shows in a notebook, as a table.

    Args:
        hops: In the order of the accounts, and of the hops in their chains.
    """

    def __init__(self, hops: Iterable[HopStatus]) -> None:
        self._hops = tuple(hops)

    @overload
    def __getitem__(self, index: int) -> HopStatus: ...
    @overload
    def __getitem__(self, index: slice) -> Status: ...
    def __getitem__(self, index: int | slice) -> HopStatus | Status:
        return Status(self._hops[index]) if isinstance(index, slice) else self._hops[index]

    def __len__(self) -> int:
        return len(self._hops)

    def of(self, account: str) -> Status:
        """Those of one account, by its name."""
        return Status(hop for hop in self._hops if hop.account == account)

    def __str__(self) -> str:
        return self._as_text()

    def __repr__(self) -> str:
        return f"<Status: {len(self._hops)} hops, {sum(hop.ok for hop in self._hops)} ok>"

    def _table(self) -> Table:
        return _HEADERS, map(_row, self._hops)


def _row(hop: HopStatus) -> tuple[object, ...]:
    state = f"{hop.state.value}, refreshing" if hop.refreshing else hop.state.value
    return (
        hop.account,
        hop.hop,
        hop.role_arn,
        state,
        hop.local_expiry,
        _span(hop.remaining),
        hop.last_error,
        None if hop.next_try is None else _span(hop.next_try),
    )


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
