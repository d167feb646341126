"""Options and arguments that several commands have."""

from __future__ import annotations

import click

import xsession
from xsession.errors import XSessionError


def account_names(context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names of accounts that begin so, for a shell to complete; from files alone, without boto3.

    None where the files can't be read, or are waiting for the user's trust: a shell that completes asks nothing.
    """
    try:
        accounts = xsession.Accounts.from_config(context.find_root().params.get("config"))
    except (XSessionError, OSError):
        return []
    return [name for name in accounts if name.startswith(incomplete)]


account_argument = click.argument("account", shell_complete=account_names)
optional_account_argument = click.argument("account", required=False, shell_complete=account_names)
accounts_argument = click.argument("names", metavar="[ACCOUNT]...", nargs=-1, shell_complete=account_names)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
