"""`xsession accounts`."""

from __future__ import annotations

from typing import Any

import click

import xsession

from ._options import GlobalOptions, pass_options
from ._output import show_json, show_table, warn
from ._parameters import json_option


@click.command(short_help="List the accounts.")
@click.argument("pattern", required=False, default="*")
@click.option("--id", "account_id", metavar="PATTERN", default="*", help="Only accounts whose id matches.")
@click.option("--tag", "tags", metavar="KEY=PATTERN", multiple=True, help="Only those with that tag; may be repeated.")
@json_option
@pass_options
def accounts(options: GlobalOptions, pattern: str, account_id: str, tags: tuple[str, ...], as_json: bool) -> None:
    """List the accounts, or those whose name matches PATTERN, in which * and ? stand for other characters.

    Makes no network call. Accounts that can't be used are named on standard error.
    """
    found = options.accounts().where(name=pattern, account_id=account_id, **_wanted(tags))
    for name, error in found.unusable.items():
        warn(f"{name} can't be used: {error}")
    if as_json:
        show_json(list(map(_document, found.values())))
        return
    show_table(("account", "id", "reached through", "region", "tags"), map(_row, found.values()))


def _wanted(tags: tuple[str, ...]) -> dict[str, str]:
    pairs = [tag.partition("=") for tag in tags]
    for key, equals, _ in pairs:
        if not (key and equals):
            msg = "--tag has the form KEY=PATTERN"
            raise click.UsageError(msg)
    return {key: pattern for key, _, pattern in pairs}


def _row(account: xsession.Account) -> tuple[object, ...]:
    source = "source" if account.source is None else f"profile {account.source}"
    steps = [source, *(f"{role.name} ({role.account_id})" for role in account.roles)]
    tags = ", ".join(f"{key}={value}" for key, value in account.tags.items()) or None
    return account.name, account.account_id, " -> ".join(steps), account.region_name, tags


def _document(account: xsession.Account) -> dict[str, Any]:
    return {
        "name": account.name,
        "account_id": account.account_id,
        "source": None if account.source is None else str(account.source),
        "chain": [role.role_arn for role in account.roles],
        "region_name": account.region_name,
        "tags": dict(account.tags),
    }
