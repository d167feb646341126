"""`xsession accounts`."""

from __future__ import annotations

from typing import Any

import click

import xsession

from ._account_filters import AccountFilters, account_filters
from ._options import GlobalOptions, pass_options
from ._output import show_json, show_table, warn
from ._parameters import json_option


@click.command(short_help="List the accounts.")
@click.argument("pattern", required=False, default="*")
@account_filters
@json_option
@pass_options
def accounts(options: GlobalOptions, pattern: str, filters: AccountFilters, as_json: bool) -> None:
    """List the accounts, or those whose name matches PATTERN, in which * and ? stand for other characters.

    Makes no network call. Accounts that can't be used are named on standard error.
    """
    found = filters.of(options.accounts(), pattern)
    for name, error in found.unusable.items():
        warn(f"{name} can't be used: {error}")
    for ask in found.asks:
        if not ask.is_kept:
            warn(f"the organization that {ask.account} lists was not asked yet: run xsession verify {ask.account}")
    if as_json:
        show_json(list(map(_document, found.values())))
        return
    aws = ("called by AWS", "OU") if any(account.aws_name is not None for account in found.values()) else ()
    rows = (_row(account, (account.aws_name, account.ou_path) if aws else ()) for account in found.values())
    show_table(("account", "id", *aws, "reached through", "region", "tags"), rows)


def _row(account: xsession.Account, aws: tuple[object, ...]) -> tuple[object, ...]:
    source = "source" if account.source is None else f"profile {account.source}"
    steps = [source, *(f"{role.name} ({role.account_id})" for role in account.roles)]
    tags = ", ".join(f"{key}={value}" for key, value in account.tags.items()) or None
    return account.name, account.account_id, *aws, " -> ".join(steps), account.region_name, tags


def _document(account: xsession.Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "account_id": account.account_id,
        "source": None if account.source is None else str(account.source),
        "chain": [role.role_arn for role in account.roles],
        "region_name": account.region_name,
        "tags": dict(account.tags),
        "origin": account.origin,
        **({} if account.aws_name is None else {"aws_name": account.aws_name, "ou_path": account.ou_path}),
    }
