"""`xsession activity`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from xsession.audit import AuditLog

from ._options import GlobalOptions, pass_options
from ._output import say, show_json, warn
from ._parameters import account_argument, account_names, as_moment, as_moment_or_duration

if TYPE_CHECKING:
    from xsession.activity import Activity


@click.command(short_help="Say who did what in ACCOUNT.")
@account_argument
@click.option(
    "--since",
    metavar="TIME",
    default="24h",
    show_default=True,
    callback=as_moment_or_duration,
    help="From when on: 2h, 7d, or 2026-11-25T18:00Z.",
)
@click.option("--until", metavar="TIME", callback=as_moment, help="Until when; default: now.")
@click.option("--who", metavar="WHO", help="Only of this name, key id or ARN.")
@click.option("--grant", "grant_id", metavar="ID", help="Only of this grant.")
@click.option("--in", "regions", metavar="REGION", multiple=True, help="In this region; may be repeated.")
@click.option(
    "--using", metavar="ACCOUNT", shell_complete=account_names, help="The account whose identity reads CloudTrail."
)
@click.option("--log", metavar="FILE", help="Our audit log, which knows whose the grants were.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, one object in each line.")
@pass_options
def activity(
    options: GlobalOptions,
    account: str,
    since: datetime | timedelta,
    until: datetime | None,
    who: str | None,
    grant_id: str | None,
    regions: tuple[str, ...],
    using: str | None,
    log: str | None,
    as_json: bool,
) -> None:
    """Say who did what in ACCOUNT, by CloudTrail: each line as soon as it is read, newest first in each region.

    What CloudTrail does not show is said on standard error at the end.
    """
    with options.session() as xs:
        found = xs.activity(
            account,
            since=since,
            until=until,
            who=who,
            grant=grant_id,
            regions=regions or None,
            using=using,
            log=() if log is None else AuditLog(log),
        )
        for done in found:
            if as_json:
                show_json(_document(done), indent=None)
            else:
                say(_line(done))
        limits = found.limits
    for limit in limits:
        warn(f"not shown: {limit}")


def _line(done: Activity) -> str:
    who = done.who if done.on_behalf_of is None else f"{done.who} for {done.on_behalf_of}"
    what = f"{done.service}:{done.action} {', '.join(done.resources)}".rstrip()
    refused = f"  {done.error}" if done.error else ""
    return f"{done.time:%Y-%m-%dT%H:%M:%SZ}  {done.region}  {who}  {what}{refused}"


def _document(done: Activity) -> dict[str, Any]:
    return {
        "time": f"{done.time:%Y-%m-%dT%H:%M:%SZ}",
        "who": done.who,
        "enforced": done.enforced,
        "on_behalf_of": done.on_behalf_of,
        "account": done.account,
        "role": done.role,
        "service": done.service,
        "action": done.action,
        "resources": list(done.resources),
        "region": done.region,
        "source_ip": done.source_ip,
        "error": done.error,
        "key_id": done.key_id,
    }
