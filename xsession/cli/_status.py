"""`xsession status`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from xsession.stores import KeptCredentials

from ._options import GlobalOptions, pass_options
from ._output import show_json, show_table
from ._parameters import accounts_argument, json_option

if TYPE_CHECKING:
    from xsession.credentials import Credentials
    from xsession.refresh import HopStatus


@click.command(short_help="Say how things stand with credentials.")
@accounts_argument
@json_option
@pass_options
def status(options: GlobalOptions, names: tuple[str, ...], as_json: bool) -> None:
    """Say for each role on the way to ACCOUNTs, or to all, what is held of it and until when.

    "stored" is what the store on the disk has of a role: the next command finds it there. Makes no network call
    and asks no person.
    """
    with options.session(offline=True) as xs:
        accounts = xs.accounts.find_all(names or None)
        for account in accounts:
            _ = xs[account]  # an account's hops are known once it was asked for
        hops, store = xs.status(), xs.store
    stored = {
        (account.name, number): kept
        for account in accounts
        for number, kept in enumerate(
            KeptCredentials.look_up_hops(account, store, profile_name=options.profile_name), start=1
        )
    }
    rows = [_row(hop, stored.get((hop.account or "", hop.hop))) for hop in hops]
    if as_json:
        show_json(rows)
    else:
        headers = ("account", "hop", "role", "state", "expires", "last error")
        show_table(headers, [tuple(row.values()) for row in rows])


def _row(hop: HopStatus, stored: Credentials | None) -> dict[str, str | int | None]:
    expiry = hop.local_expiry if stored is None else stored.local_expiry
    return {
        "account": hop.account,
        "hop": hop.hop,
        "role_arn": hop.role_arn,
        "state": hop.state.value if stored is None else "stored",
        "expires": None if expiry is None else f"{expiry:%Y-%m-%dT%H:%M:%SZ}",
        "last_error": hop.last_error,
    }
