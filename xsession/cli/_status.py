"""`xsession status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ._options import GlobalOptions, pass_options
from ._output import show_json, show_table
from ._parameters import accounts_argument, json_option

if TYPE_CHECKING:
    from xsession.stores import KeptHop


@click.command(short_help="Say how things stand with credentials.")
@accounts_argument
@json_option
@pass_options
def status(options: GlobalOptions, names: tuple[str, ...], as_json: bool) -> None:
    """Say for each role on the way to ACCOUNTs, or to all, what is held of it and until when.

    "stored" is what the store on the disk has of a role: the next command finds it there. Makes no network call
    and asks no person.
    """
    kept = options.kept_credentials()
    rows = [
        _row(account.name, hop) for account in kept.accounts.find_all(names or None) for hop in kept.hops_of(account)
    ]
    if as_json:
        show_json(rows)
    else:
        show_table(("account", "hop", "role", "state", "expires"), [tuple(row.values()) for row in rows])


def _row(account: str, hop: KeptHop) -> dict[str, str | int | None]:
    expiry = None if hop.credentials is None else hop.credentials.local_expiry
    return {
        "account": account,
        "hop": hop.number,
        "role_arn": hop.role_arn,
        "state": "empty" if hop.credentials is None else "stored",
        "expires": None if expiry is None else f"{expiry:%Y-%m-%dT%H:%M:%SZ}",
    }
