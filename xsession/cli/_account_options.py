"""What commands that hand over credentials have in common: which credentials, and for how long."""

from __future__ import annotations

import functools
import math
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import click

from xsession._base import frozen
from xsession.errors import ConfigError, MfaError
from xsession.roles import RoleChain

from ._output import is_terminal, warn
from ._parameters import as_duration

if TYPE_CHECKING:
    from xsession import Account, Credentials, CrossAccountSession

T = TypeVar("T")

_ENOUGH_SECONDS = 900.0
_ENOUGH_SHARE = 0.5


mfa_code_option = click.option("--mfa-code", type=click.Choice(["-"]), help="-: read MFA codes from standard input.")


@frozen(kw_only=True)
class WantedCredentials:
    """Which credentials the command line asks for.

    Args:
        region: Another region than the account's; None: its own.
        duration: Another duration of the last role; None: its own.
        min_valid: How long they must last; None: long enough.
        code: What gives MFA codes; None: whatever gives them otherwise.
    """

    region: str | None
    duration: timedelta | None
    min_valid: timedelta | None
    code: Callable[[str], str] | None

    def account(self, xs: CrossAccountSession, name: str) -> Account:
        """The account of a name, with the region and the duration that were asked for.

        Args:
            xs: Knows it.
            name: Its name or id.

        Raises:
            UnknownAccountError: No account has that name.
            ConfigError: No region has that name, or there is no role that could have a duration.
            InvalidRoleError: A duration that STS would refuse.
        """
        account = xs.accounts.find(name)
        if self.region is not None:
            account = replace(account, region_name=self.region)
        if self.duration is None:
            return account
        if not account.roles:
            msg = "a duration is for a role, and the account is reached without one"
            raise ConfigError(msg, account=account.name, hint="leave --duration out")
        last = account.roles[-1].replace(duration_seconds=self.duration)
        return replace(account, chain=RoleChain(*account.roles[:-1], last))


def credential_options(command: Callable[..., T]) -> Callable[..., T]:
    """Gives a command the options for which credentials it hands over, as its argument `wanted`."""

    @click.option("--region", metavar="REGION", help="The region; default: the account's.")
    @click.option("--duration", metavar="TIME", callback=as_duration, help="How long AWS's sessions live, such as 12h.")
    @click.option(
        "--min-valid",
        metavar="TIME",
        callback=as_duration,
        help="How long they must last, such as 30m.",
    )
    @mfa_code_option
    @functools.wraps(command)
    def packed(
        *arguments: object,
        region: str | None,
        duration: timedelta | None,
        min_valid: timedelta | None,
        mfa_code: str | None,
        **others: object,
    ) -> T:
        wanted = WantedCredentials(region=region, duration=duration, min_valid=min_valid, code=code_source(mfa_code))
        return command(*arguments, wanted=wanted, **others)

    return packed


def lasting_credentials(
    xs: CrossAccountSession, account: Account, min_valid: timedelta | None, now: Callable[[], float] = time.time
) -> Credentials:
    """Credentials for a program that can't refresh them: not those that are about to end.

    Args:
        xs: Has them.
        account: Whose.
        min_valid: How long they must last; None: a quarter of an hour, or half of what their session lives.
        now: The wall clock, in seconds since 1970.

    Raises:
        ConfigError: Those that were just issued don't last as long.
        CredentialsError: They could not be obtained.
    """
    credentials = xs.get_frozen_credentials(account)
    if _lasts(credentials, min_valid, now()):
        return credentials
    # For all who share them: nobody gets the old ones any more.
    xs.invalidate(account)
    credentials = xs.get_frozen_credentials(account)
    if min_valid is not None and not _lasts(credentials, min_valid, now()):
        lasts, wanted = (math.ceil(seconds / 60) for seconds in (_left(credentials, now()), min_valid.total_seconds()))
        msg = f"its sessions last {lasts} minutes, and {wanted} minutes were asked for"
        raise ConfigError(msg, account=account.name, hint="pass --duration, or have the role's maximum raised")
    return credentials


def code_source(option: str | None) -> Callable[[str], str] | None:
    """What gives MFA codes: standard input, a line for each; None: whatever gives them otherwise.

    Args:
        option: The value of --mfa-code.
    """
    return None if option is None else _code_from_input


def tell_end(credentials: Credentials) -> None:
    """Tells a person, on a terminal, when credentials end that nobody refreshes."""
    end = credentials.local_expiry
    if end is not None and is_terminal(sys.stderr):
        left = timedelta(seconds=round(_left(credentials, time.time())))
        warn(f"they end at {end.astimezone():%H:%M:%S %Z}, in {left}")


def _code_from_input(serial: str) -> str:
    # A code works once: the next one is in the next line.
    line = sys.stdin.readline().strip()
    if line:
        return line
    msg = f"the MFA device {serial} needs a code, and standard input has none"
    raise MfaError(msg, hint="write it into standard input, in a line of its own")


def _lasts(credentials: Credentials, min_valid: timedelta | None, now: float) -> bool:
    left = _left(credentials, now)
    if min_valid is not None:
        return left >= min_valid.total_seconds()
    return left >= min(_ENOUGH_SECONDS, _ENOUGH_SHARE * (credentials.lifetime or _ENOUGH_SECONDS))


def _left(credentials: Credentials, now: float) -> float:
    end = credentials.local_expiry
    return math.inf if end is None else end.timestamp() - now
