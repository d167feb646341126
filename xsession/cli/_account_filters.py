"""Options that say which accounts are meant, by what is known of them without a network call."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import TypeVar

import click

from xsession import Accounts
from xsession._base import frozen

T = TypeVar("T")


@frozen(kw_only=True)
class AccountFilters:
    """Which accounts are meant: those that all of this fits.

    Args:
        account_id: A pattern for the id.
        tags: For each key, a pattern for the tag's value.
        units: Organizational units, by path or id: accounts in one of them, at any depth. Empty: all accounts.
    """

    account_id: str
    tags: Mapping[str, str]
    units: tuple[str, ...]

    def of(self, accounts: Accounts, name: str = "*") -> Accounts:
        """Those that are meant.

        Args:
            accounts: All of them.
            name: A pattern for the name.
        """
        found = accounts.where(name=name, account_id=self.account_id, **self.tags)
        if not self.units:
            return found
        paths = [path for unit in self.units for path in (unit, f"{unit.rstrip('/')}/*")]
        fitting = [*(found.where(ou_path=path) for path in paths), *(found.where(ou_id=unit) for unit in self.units)]
        return found & functools.reduce(operator.or_, fitting)


def account_filters(command: Callable[..., T]) -> Callable[..., T]:
    """Gives a command the options, and their values as `filters`."""

    @click.option("--id", "account_id", metavar="PATTERN", default="*", help="Only accounts whose id matches.")
    @click.option(
        "--tag", "tags", metavar="KEY=PATTERN", multiple=True, help="Only those with that tag; may be repeated."
    )
    @click.option("--ou", "units", metavar="OU", multiple=True, help="Only those below that OU, by path or id.")
    @functools.wraps(command)
    def with_filters(
        *arguments: object, account_id: str, tags: tuple[str, ...], units: tuple[str, ...], **options: object
    ) -> T:
        filters = AccountFilters(account_id=account_id, tags=_wanted(tags), units=units)
        return command(*arguments, filters=filters, **options)

    return with_filters


def _wanted(tags: tuple[str, ...]) -> dict[str, str]:
    pairs = [tag.partition("=") for tag in tags]
    for key, equals, _ in pairs:
        if not (key and equals):
            msg = "--tag has the form KEY=PATTERN"
            raise click.UsageError(msg)
    return {key: pattern for key, _, pattern in pairs}
