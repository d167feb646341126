"""The table `[organization]` of an `xsession.toml`: whose organization it is, and which of its accounts are meant."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field
from typing import Any

from xsession._base import frozen
from xsession.errors import ConfigError, shown
from xsession.roles import Role

from ._account import Account
from ._explanation import AccountChoice
from ._organization import Organization
from ._organization_accounts import MemberAccess, organization_accounts
from ._place import Place
from ._selection import Selection
from ._tables import AccountTable, Hubs

SELECTION_KEYS = {"under", "tags", "names", "exclude", "states"}
ORGANIZATION_KEYS = SELECTION_KEYS | {"account", "role_name", "via", "region_name", "allow_empty"}


@frozen
class OrganizationAsk:
    """That the accounts of an organization are among some accounts.

    Args:
        account: The name of the account that lists them.
        is_kept: Whether what it said is on disk, and has what is asked for.
        needs_tags: Whether accounts are selected by tags.
        problem: Why the selection fails on what is on disk.
    """

    account: str
    is_kept: bool
    needs_tags: bool = False
    problem: ConfigError | None = field(default=None, compare=False)


@frozen
class OrganizationTable:
    """What the table says.

    Args:
        place: Where it stands.
        account: The name of the account of the same file that lists the organization's.
        access: How the organization's accounts are reached.
        selection: Which of them are meant.
        allow_empty: Whether none may be meant.
    """

    place: Place
    account: str
    access: MemberAccess
    selection: Selection
    allow_empty: bool

    def accounts(self, organization: Organization, own: Iterable[Account]) -> tuple[list[Account], list[AccountChoice]]:
        """The accounts that are meant; of one that the file has by itself, by name or id, the file's counts alone.

        Args:
            organization: What the account has said.
            own: The accounts of the file.

        Raises:
            ConfigError: None is meant, or the selection names what is not there.
        """
        own = list(own)
        known = {account.account_id for account in own} | {account.name for account in own}
        with self.place:
            accounts, choices = organization_accounts(
                organization, self.selection, self.access, allow_empty=self.allow_empty
            )
        # Those choices are about accounts of other names then.
        of_file = {choice.name for choice in choices if choice.account_id in known}
        members = [account for account in accounts if not known & {account.account_id, account.name}]
        return members, [choice for choice in choices if choice.name not in of_file]


def organization_table(item: AccountTable, hubs: Hubs, names: Sequence[str]) -> OrganizationTable:
    """Reads the table.

    Args:
        item: The table.
        hubs: Those that `via` may name.
        names: The names of the file's accounts.

    Raises:
        ConfigError: A key or value that is not valid; says where.
    """
    table, place = item.table, item.place
    place.check(table, ORGANIZATION_KEYS)
    account = table.get("account")
    if not isinstance(account, str) or account not in names:
        hint = "name the management account, or that of a delegated administrator, and give it an account_id"
        place.at("account").refuse(f"{shown(account)} is not the name of an account of this file", hint)
    role_name = table.get("role_name", item.defaults.role_name)
    if not isinstance(role_name, str):
        place.at("role_name").refuse("the name of the role in each account is needed here, as a string")
    with place:
        Role(f"arn:aws:iam::000000000000:role/{role_name}")
    allow_empty = table.get("allow_empty", False)
    if not isinstance(allow_empty, bool):
        place.at("allow_empty").refuse("true or false is needed here")
    before = hubs.named_at(place.at("via"), table["via"]) if "via" in table else None
    options: dict[str, Any] = {"defaults": item.defaults.options}
    if "region_name" in table:
        options["region_name"] = table["region_name"]
        with place:
            Account("any", source="any", region_name=table["region_name"])
    access = MemberAccess(
        role_name,
        source=None if before is None else before.source,
        hops=() if before is None else before.roles,
        options=options,
    )
    with place:
        selection = Selection(**{key: table[key] for key in SELECTION_KEYS if key in table})
    return OrganizationTable(place, account, access, selection, allow_empty)


def asked_account_id(table: OrganizationTable, accounts: Iterable[Account]) -> str:
    """The id of the account that lists the organization's, under which the list is kept.

    Raises:
        ConfigError: It has none.
    """
    account = next(account for account in accounts if account.name == table.account)
    if account.account_id is None:
        msg = f"the account {table.account!r} has no account_id, under which the list of accounts is kept"
        error = ConfigError(msg, account=table.account, hint="give it one")
        raise error.within(str(table.place.at("account")))
    return account.account_id
