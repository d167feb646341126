"""Lists of organizations' accounts for one session: asked of AWS, kept on disk, and used when AWS can't be asked."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from ._base import Clock
from ._kept_lists import stale, tell, told_if_not_kept
from ._organizations import OrganizationsReader
from .accounts import Account, KeptOrganizations, Organization
from .errors import ConfigError, XSessionError
from .events import Hook

if TYPE_CHECKING:
    import boto3

    from .accounts import Accounts, Discovery

__all__: list[str] = []

_WHAT = "the list of accounts"


class OrganizationLists:
    """What organizations have said.

    Args:
        session_of: The session of an account.
        account_id_of: The id of an account that does not say it; asks STS.
        emit: Takes events.
        clock: Both clocks.
    """

    def __init__(
        self,
        session_of: Callable[[Account], boto3.Session],
        account_id_of: Callable[[Account], str],
        emit: Hook,
        clock: Clock,
    ) -> None:
        self._session_of = session_of
        self._account_id_of = account_id_of
        self._emit = emit
        self._clock = clock
        self.fresh: dict[str, Organization] = {}
        """What was asked for in this process, by the account that was asked: some have no disk to keep it on."""

    def ask(self, account: Account, *, need_tags: bool) -> Organization:
        """What AWS Organizations says to an account; else what it said before.

        Args:
            account: The account.
            need_tags: Whether tags are asked for account by account where the tagging API does not have them.

        Raises:
            XSessionError: As `CrossAccountSession.organization`.
        """
        account_id = account.account_id or self._account_id_of(account)
        kept = KeptOrganizations.named_by(os.environ, self.fresh)
        try:
            reader = OrganizationsReader(self._session_of(account), account.chain, self._clock)
            organization = reader.read(need_tags=need_tags)
        except ConfigError:
            raise  # it is in none, most likely: what was true before is not any more
        except XSessionError as error:
            before = kept.find(account_id, self._clock.wall())
            if before is None or (need_tags and not before.has_tags):
                raise
            tell(self._emit, self._clock, account.name, stale(_WHAT, before.age, error))
            return replace(before, problem=str(error))
        self.fresh[account_id] = organization
        with told_if_not_kept(self._emit, self._clock, account.name, _WHAT):
            kept.keep(account_id, organization)
        return organization

    def accounts_of(self, config: Discovery, accounts: Accounts, *, again: bool) -> Accounts:
        """The accounts of files, once the organizations that they name were asked.

        Args:
            config: Reads the files.
            accounts: What it read before that.
            again: Whether those that lie on the disk are asked, too.

        Raises:
            XSessionError: As `CrossAccountSession.organization`; or the selection fits no account.
        """
        for ask in accounts.asks:
            if again or not ask.is_kept:
                self.ask(accounts[ask.account], need_tags=ask.needs_tags)
        found = config.read(os.environ, self._clock.wall(), self.fresh)
        for ask in found.asks:
            if ask.problem is not None:
                raise ask.problem
        return found
