"""Grants that live in this process, those included that are being made: what a revocation finds here."""

from __future__ import annotations

import weakref
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from xsession.errors import GrantError

from ._terms import Terms, source_identity_of

if TYPE_CHECKING:
    from xsession._base import Clock
    from xsession._botocore import SigningCredentials
    from xsession.refresh import Cell

    from ._revocation_policy import Scope


class LiveGrant:
    """One grant, from before STS is asked for it.

    It takes no lock: `adopt` sets the cell and then looks whether the grant has ended, `end` the other way round, and
    so one of them sees what the other did.

    Args:
        terms: What it was made for.
        account: The account's name, for errors.
        role_arn: The role.
        made: When it was begun, by the local clock.
    """

    __slots__ = ("_cell", "_ended", "_failed", "account", "made", "role_arn", "source_identity", "terms")

    def __init__(self, terms: Terms, account: str, role_arn: str, made: datetime) -> None:
        self.terms = terms
        self.account = account
        self.role_arn = role_arn
        self.made = made
        # What its sessions carry; none before they are there.
        self.source_identity: str | None = None
        self._cell: weakref.ref[Cell[SigningCredentials]] | None = None
        self._ended: str | None = None
        self._failed = False

    @property
    def cell(self) -> Cell[SigningCredentials] | None:
        """What holds its credentials; None: nothing does so yet, or nobody has it any more."""
        return None if self._cell is None else self._cell()

    def adopt(self, cell: Cell[SigningCredentials]) -> None:
        """Takes what is to hold its credentials.

        Raises:
            GrantError: The grant has been revoked.
        """
        if cell.policy.reassume_on_explicit_deny:
            # An explicit deny may be its revocation, which new credentials must not be a way round.
            cell.policy = replace(cell.policy, reassume_on_explicit_deny=False)
        self._cell = weakref.ref(cell)
        if self._ended is not None:
            cell.end(self._ended)
        self.check()

    def check(self) -> None:
        """Refuses to go on with a grant that has ended.

        Raises:
            GrantError: It was revoked.
        """
        if self._ended is not None:
            msg = "the grant was revoked before it was handed over"
            raise GrantError(msg, account=self.account, role_arn=self.role_arn)

    def end(self, reason: str) -> datetime | None:
        """Ends it: what it holds is thrown away, and so is the answer of STS that is on its way.

        Args:
            reason: Why, for the error that its clients get.

        Returns:
            Until when AWS would accept the keys that it had; None: it had none.
        """
        self._ended = self._ended or reason
        cell = self.cell
        if cell is None:
            return None
        expiry = cell.snapshot.credentials.expiry
        cell.end(reason)
        return self.terms.deadline if expiry is None else min(self.terms.deadline, expiry)

    def fail(self) -> None:
        """Ends one that was not made."""
        self._failed = True
        self.end("the grant was not made")

    def is_over(self, clock: Clock) -> bool:
        """Whether there is nothing left that a revocation could end here."""
        forgotten = self._cell is not None and self._cell() is None
        return self._failed or forgotten or self.terms.ends.left(clock) <= 0

    def is_within(self, role_arn: str, scope: Scope) -> bool:
        """Whether it is among what a revocation is about."""
        return (
            self.role_arn == role_arn
            and (scope.before is None or self.made < scope.before)
            and scope.grant_id in (None, self.terms.id)
            and scope.source_identity in (None, source_identity_of(self.terms.to))
        )
