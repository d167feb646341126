"""`xsession env`."""

from __future__ import annotations

import os
from typing import get_args

import click

from ._account_options import WantedCredentials, credential_options, lasting_credentials, tell_end
from ._options import GlobalOptions, pass_options
from ._output import show_exactly, warn
from ._parameters import optional_account_argument
from ._variables import Format, assignments, removals

SET = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_CREDENTIAL_EXPIRATION",
    "AWS_ACCOUNT_ID",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
)
"""All that may be set, and so is unset."""
_PREFERRED_BY_SOME = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN")


@click.command("env", short_help="Print ACCOUNT's credentials as variables for a shell.")
@optional_account_argument
@click.option(
    "--format", "style", type=click.Choice(get_args(Format)), default="sh", show_default=True, help="Who reads it."
)
@click.option("--unset", is_flag=True, help="Print what removes them again.")
@credential_options
@pass_options
def env(options: GlobalOptions, account: str | None, style: Format, unset: bool, wanted: WantedCredentials) -> None:
    """Print ACCOUNT's credentials as variables: eval "$(xsession env vegeta)".

    Nobody refreshes them, and whoever reads the shell's environment has them: `xsession exec` is better where it will
    do. Nothing is printed unless all went well. `xsession env --unset` prints what removes them.
    """
    if unset:
        show_exactly(removals(SET, style))
        return
    if account is None:
        msg = "Missing argument 'ACCOUNT'."
        raise click.UsageError(msg)
    with options.session(mfa_code=wanted.code) as xs:
        credentials = lasting_credentials(xs, wanted.account(xs, account), wanted.min_valid)
    text = assignments(credentials.environ(), style)
    for name in _PREFERRED_BY_SOME:
        if name in os.environ:
            warn(f"{name} is set, and some programs prefer it: unset {name}")
    tell_end(credentials)
    show_exactly(text)
