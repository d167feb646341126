"""`xsession status`."""

from __future__ import annotations

import click

from ._options import GlobalOptions, pass_options
from ._output import show_json, show_table
from ._parameters import accounts_argument, json_option


@click.command(short_help="Say how things stand with credentials.")
@accounts_argument
@json_option
@pass_options
def status(options: GlobalOptions, names: tuple[str, ...], as_json: bool) -> None:
    """Say for each role on the way to ACCOUNTs, or to all, what is held of it and until when.

    Makes no network call and asks no person.
    """
    with options.session() as xs:
        for account in xs.accounts.find_all(names or None):
            _ = xs[account]  # an account's hops are known once it was asked for
        hops = xs.status()
    rows = [
        {
            "account": hop.account,
            "hop": hop.hop,
            "role_arn": hop.role_arn,
            "state": hop.state.value,
            "expires": None if hop.local_expiry is None else f"{hop.local_expiry:%Y-%m-%dT%H:%M:%SZ}",
            "last_error": hop.last_error,
        }
        for hop in hops
    ]
    if as_json:
        show_json(rows)
    else:
        headers = ("account", "hop", "role", "state", "expires", "last error")
        show_table(headers, [tuple(row.values()) for row in rows])
