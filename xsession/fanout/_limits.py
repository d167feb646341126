"""How many calls may be under way: of all, of one account, and fewer of them once AWS says that it is too much."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Literal

Refusal = Literal["all", "accounts", "account"]
"""Why a call has to wait: for any other to end; for an account to be done; for another call in its own account."""


class Limits:
    """Counts what is under way. Where AWS throttles, half as many; each call that went well afterwards adds a little.

    One account that is throttled slows down no other; STS's limits are the source's, so they slow down all.

    Args:
        max_workers: How many calls are made at once.
        ahead: How many more may be handed over, so that nobody waits for the next one.
        max_accounts: How many accounts at once; None: as many as there are calls.
    """

    def __init__(self, max_workers: int, ahead: int, max_accounts: int | None) -> None:
        self._max_workers = max_workers
        self._most = max_workers + ahead
        self._max_accounts = max_accounts
        self._allowed = float(self._most)
        self._allowed_in: dict[str, float] = {}
        self._in: Counter[str] = Counter()
        self.under_way = 0

    def refusal(self, account: str, hanging: Collection[str] = ()) -> Refusal | None:
        """Why a call in an account must wait; None: it need not.

        Args:
            account: Where.
            hanging: The accounts in which calls that were left to themselves have not ended.
        """
        if self.under_way >= max(1, int(self._allowed)):
            return "all"
        if self._max_accounts is not None:
            worked_in = self._in.keys() | hanging
            if account not in worked_in and len(worked_in) >= self._max_accounts:
                return "accounts"
        allowed = self._allowed_in.get(account)
        return "account" if allowed is not None and self._in[account] >= max(1, int(allowed)) else None

    def began(self, account: str) -> None:
        """One more is under way."""
        self.under_way += 1
        self._in[account] += 1

    def ended(self, account: str, throttled: Literal["all", "account"] | None = None) -> None:
        """One has ended.

        Args:
            account: Where.
            throttled: Whose limit AWS says was passed; None: nobody's.
        """
        here = self._in[account]
        if throttled == "all":
            self._allowed = max(1.0, min(self.under_way, self._max_workers, self._allowed) / 2)
        elif throttled == "account":
            self._allowed_in[account] = max(1.0, min(here, self._max_workers) / 2)
        else:
            self._allowed = min(self._most, self._allowed + 1 / self._allowed)
            self._recover(account)
        self.under_way -= 1
        self._in[account] = here - 1
        if here == 1:
            del self._in[account]

    def _recover(self, account: str) -> None:
        allowed = self._allowed_in.get(account)
        if allowed is not None:
            self._allowed_in[account] = allowed + 1 / allowed
            if self._allowed_in[account] >= self._max_workers:
                del self._allowed_in[account]
