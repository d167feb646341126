"""`xsession diagnose`."""

from __future__ import annotations

import click

from ._exit_status import ExitStatus
from ._options import GlobalOptions, pass_options
from ._output import show_json
from ._parameters import account_argument, account_names, json_option


@click.command(short_help="Say why ACCOUNT can't be reached.")
@account_argument
@click.option(
    "--using",
    metavar="ACCOUNT",
    shell_complete=account_names,
    multiple=True,
    help="An account that may read IAM; may be repeated.",
)
@json_option
@pass_options
def diagnose(options: GlobalOptions, account: str, using: tuple[str, ...], as_json: bool) -> ExitStatus:
    """Ask for each role on the way to ACCOUNT; say which is refused, why, and what to change."""
    with options.session() as xs:
        diagnosis = xs.diagnose(account, using=using)
    if as_json:
        show_json(diagnosis.to_dict())
    else:
        click.echo(str(diagnosis))  # safe for a terminal already
    return ExitStatus.OK if diagnosis.ok else ExitStatus.FAILED
