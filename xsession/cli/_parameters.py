"""Options and arguments that several commands have."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import click

import xsession
from xsession.errors import XSessionError

_DURATION = re.compile(
    r"(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s?)?", re.ASCII
)


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
using_option = click.option(
    "--using",
    metavar="ACCOUNT",
    shell_complete=account_names,
    required=True,
    help="The account whose identity does it; of the same AWS account.",
)


def as_duration(_context: click.Context, _parameter: click.Parameter, text: str | None) -> timedelta | None:
    """The value of an option that is a length of time, such as 90m, 2h, 1h30m, 7d or 3600 seconds."""
    if text is None:
        return None
    found = _DURATION.fullmatch(text)
    if not text or found is None:
        msg = f"{text!r} is no length of time such as 90m, 2h, 1h30m, 7d or 3600 (seconds)"
        raise click.BadParameter(msg)
    return timedelta(**{unit: int(number) for unit, number in found.groupdict().items() if number})


def as_moment(_context: click.Context, _parameter: click.Parameter, text: str | None) -> datetime | None:
    """The value of an option that is a moment, in ISO 8601 and with its time zone."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        msg = f"{text!r} is no time with its zone such as 2026-11-25T18:00Z"
        raise click.BadParameter(msg)
    return moment


def as_moment_or_duration(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> datetime | timedelta | None:
    """The value of an option that is a moment, or how long ago that was."""
    if text is not None and _DURATION.fullmatch(text):
        return as_duration(context, parameter, text)
    return as_moment(context, parameter, text)
