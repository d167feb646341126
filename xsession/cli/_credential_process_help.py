"""`xsession credential-process` among the commands: its help. It runs without click, see `_credential_process`."""

from __future__ import annotations

import click

from ._credential_process import credential_process
from ._parameters import account_argument


@click.command("credential-process", short_help="Print ACCOUNT's credentials for AWS's SDKs.")
@account_argument
@click.option("--min-valid", metavar="TIME", help="How long they must last: 900, 30m or 1h.")
@click.option("--config", metavar="FILE", help="As before the command; likewise the two below.")
@click.option("--profile", metavar="NAME", help="The profile whose credentials the chain starts from.")
@click.option("--region", metavar="REGION", help="The region, where the account names none.")
def credential_process_command(account: str, **options: str | None) -> int:
    """Print ACCOUNT's credentials as one JSON object, as AWS's SDKs want them.

    They run it where a profile names it as its `credential_process`; `xsession aws-config` makes such profiles.
    Credentials are kept in the store on the disk, which needs the extra xsession[store]: while they last, it starts
    without boto3 and calls nobody. With XSESSION_NO_INPUT=1, nobody is asked for an MFA code.
    """
    words = [(f"--{name.replace('_', '-')}", value) for name, value in options.items() if value is not None]
    return credential_process([*(word for pair in words for word in pair), "--", account])
