"""`xsession grant` and `xsession revoke`."""

from __future__ import annotations

import shlex
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from xsession.audit import AuditLog

from ._exit_status import ExitStatus
from ._options import GlobalOptions, pass_options
from ._output import say, show_json, warn, working
from ._parameters import account_argument, as_duration, as_moment, json_option, using_option
from ._streams import require_output

if TYPE_CHECKING:
    from xsession.grants import Grant

_WHO = "What they do appears in CloudTrail under this name."


@click.command(short_help="Make credentials for another person.")
@account_argument
@click.option("--to", metavar="WHO", required=True, help=f"Whom they are for. {_WHO}")
@click.option("--duration", metavar="TIME", required=True, callback=as_duration, help="Until they end: 90m, 2h, 7d.")
@click.option("--policy", "policy", metavar="FILE", type=click.Path(), help="What they may do, as an IAM policy.")
@click.option("--policy-arn", "policy_arns", metavar="ARN", multiple=True, help="Likewise; may be repeated.")
@click.option("--reason", metavar="TEXT", help="Why; for the audit log alone.")
@click.option("--allow-chaining", is_flag=True, help="Let them assume other roles, which outlive the deadline.")
@click.option("--log", metavar="FILE", help="The audit log that it must be written to; else it is not made.")
@click.option("--console", is_flag=True, help="Print a link that logs in to the AWS console, and no keys.")
@json_option
@pass_options
def grant(
    options: GlobalOptions,
    account: str,
    to: str,
    duration: timedelta,
    policy: str | None,
    policy_arns: tuple[str, ...],
    reason: str | None,
    allow_chaining: bool,
    log: str | None,
    console: bool,
    as_json: bool,
) -> None:
    """Make credentials in ACCOUNT for another person: narrowed, and over at a deadline that AWS enforces.

    Standard output has what is handed over, and nothing else: lines for a shell, JSON, or a link. It ends with its STS
    session, most often within the hour, and at the deadline at the latest.
    """
    require_output()
    document = None if policy is None else Path(policy).read_text(encoding="utf-8")
    with options.session(hooks=[] if log is None else [AuditLog(log)]) as xs:
        made = xs.grant(
            account,
            to=to,
            duration=duration,
            policy=document,
            policy_arns=policy_arns,
            reason=reason,
            allow_chaining=allow_chaining,
        )
        # First, for it is made, whether or not it can be handed over.
        warn(f"grant {made.id} of {made.account} to {made.to}, until {made.deadline:%Y-%m-%d %H:%M:%S} UTC")
        warn(f"to end it early: xsession revoke {made.account} --grant {made.id} --using ACCOUNT", indent=True)
        _hand_over(made, console=console, as_json=as_json)


def _hand_over(made: Grant, *, console: bool, as_json: bool) -> None:
    handed: dict[str, object] = {"console_url": made.console_url()} if console else {"environ": made.environ()}
    if as_json:
        about = {"id": made.id, "account": made.account, "to": made.to}
        show_json({**about, "deadline": f"{made.deadline:%Y-%m-%dT%H:%M:%SZ}", **handed})
    elif console:
        click.echo(handed["console_url"])
    else:
        for name, value in made.environ().items():
            click.echo(f"export {name}={shlex.quote(value)}")


@click.command(short_help="End grants or other sessions of a role.")
@account_argument
@using_option
@click.option("--grant", "grant_id", metavar="ID", help="This one grant, as `grant` printed it.")
@click.option("--who", metavar="NAME", help="Sessions with this source identity.")
@click.option("--everybody", is_flag=True, help="All sessions of the role.")
@click.option("--before", metavar="TIME", callback=as_moment, help="Only those issued before; default: now.")
@click.option("--block", is_flag=True, help="Those issued later, too, until the policy is removed from the role.")
@json_option
@pass_options
def revoke(
    options: GlobalOptions,
    account: str,
    using: str,
    grant_id: str | None,
    who: str | None,
    everybody: bool,
    before: datetime | None,
    block: bool,
    as_json: bool,
) -> ExitStatus:
    """Have AWS refuse sessions of ACCOUNT's role that were issued before now: one grant's, one person's, or all.

    Waits up to half a minute until IAM shows it.
    """
    if [grant_id is not None, who is not None, everybody].count(True) != 1:
        msg = "say whose: --grant ID, --who NAME, or --everybody"
        raise click.UsageError(msg)
    with options.session() as xs:
        xs.get_frozen_credentials(using)  # a person may be asked for a code, before anything moves on the terminal
        with working(f"revoking in {account}"):
            made = xs.revoke(account, using=using, grant=grant_id, who=who, before=before, block=block)
            confirmed = made.confirm()
    if as_json:
        about = {"id": made.id, "account": made.account, "role_arn": made.role_arn, "policy_name": made.policy_name}
        show_json({**about, "at": f"{made.at:%Y-%m-%dT%H:%M:%SZ}", "confirmed": confirmed})
    else:
        state = "in force" if confirmed else "written, but IAM does not show it yet"
        say(f"{made.account}: {made.policy_name} on {made.role_arn} is {state}")
    return ExitStatus.OK if confirmed else ExitStatus.FAILED
