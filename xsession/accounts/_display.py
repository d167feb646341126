"""How accounts are shown to people: as tables, and in words for the steps that lead to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xsession._base import Table
from xsession.roles import Role

from ._account import Account

if TYPE_CHECKING:
    from ._accounts import Accounts

BOTO3_SESSION = "boto3 session"


def accounts_table(accounts: Accounts) -> Table:
    """One row for each account; of one that can't be used, why."""
    listed = [account for account in accounts.values() if account.aws_name is not None]
    usable = [
        (
            account.name,
            account.account_id,
            *((account.aws_name, account.ou_path) if listed else ()),
            " -> ".join(steps(account)),
            account.region_name,
            _tags(account),
        )
        for account in accounts.values()
    ]
    aws = ("called by AWS", "OU") if listed else ()
    others = [
        (name, None, *(None for _ in aws), f"can't be used: {error}", None, None)
        for name, error in accounts.unusable.items()
    ]
    return ("account", "id", *aws, "reached through", "region", "tags"), [*usable, *others]


def account_table(account: Account, region_name: str | None) -> Table:
    """All that a person may want to know of one account.

    Args:
        account: The account.
        region_name: The region of its clients.
    """
    rows = [
        ("id", account.account_id),
        ("called by AWS", account.aws_name),
        ("OU", account.ou_path),
        ("source", source_of(account)),
        *((f"hop {number}", role.role_arn) for number, role in enumerate(account.roles, 1)),
        ("region", region_name),
        ("tags", _tags(account)),
        ("defined in", account.origin),
    ]
    of_aws = (account.aws_name, account.ou_path)
    shown = [row for row in rows if row[0] not in ("called by AWS", "OU") or any(of_aws)]
    return ("account", account.name), [*shown, *(("note", note) for note in account.notes)]


def source_of(account: Account) -> str:
    """Whose credentials lead there, in words."""
    if account.roles and account.roles[0].has_web_identity:
        return "web identity"
    if account.source is None:
        return "source"
    # A boto3 session's own words may be anything.
    return BOTO3_SESSION if account.has_own_session else f"profile {account.source}"


def role_in_words(role: Role) -> str:
    """A role and where it is."""
    return f"{role.name} ({role.account_id})"


def steps(account: Account) -> list[str]:
    """The source and the roles that lead to an account, in words."""
    return [source_of(account), *map(role_in_words, account.roles)]


def _tags(account: Account) -> str | None:
    return ", ".join(f"{key}={value}" for key, value in account.tags.items()) or None
