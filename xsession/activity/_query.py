"""A question about an account's history, checked before the network."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from xsession._aws import Arn, is_account_id, is_region, iso
from xsession._base import frozen
from xsession.accounts import Account
from xsession.errors import ConfigError

from ._attribution import KnownGrant, OwnLog
from ._lookup_events import HISTORY_DAYS, TrailEvent

_KEY_ID = re.compile(r"A[KS]IA[A-Z0-9]{12,}")
_CALLERS = frozenset({("sts", "assumed-role"), ("iam", "user"), ("iam", "root")})


@frozen(kw_only=True)
class ActivityQuery:
    """What is asked.

    Args:
        account: The account that it is about.
        start: From when on.
        end: Until when.
        who: A name, a key id or an ARN; None: anyone.
        grant: The id of a grant; None: any, and none.

    Raises:
        ConfigError: `who` or `grant` is not a string.
    """

    account: Account
    start: datetime
    end: datetime
    who: str | None = None
    grant: str | None = None

    def __post_init__(self) -> None:
        for name in ("who", "grant"):
            value: object = getattr(self, name)
            if value is not None and not (isinstance(value, str) and value):
                msg = f"{name} {value!r} is not a string"
                raise ConfigError(msg, account=self.account.name)

    def attribute(self, log: OwnLog) -> tuple[str, str] | None:
        """What CloudTrail can search for; None: it gives all, which are looked through here.

        A bare name may be a source identity or the person whom a grant was made to: CloudTrail has no search for those.
        """
        if self.who is not None and _KEY_ID.fullmatch(self.who):
            return "AccessKeyId", self.who
        arn = Arn.of(self.who)
        if arn is not None and (arn.service, arn.kind) in _CALLERS and is_account_id(arn.account_id) and arn.name:
            return "Username", arn.name
        session_name = None if self.grant is None else log.grant(self.grant).session_name
        return None if session_name is None else ("Username", session_name)

    def is_about(self, event: TrailEvent, grants: Sequence[KnownGrant]) -> bool:
        """Whether an event answers it; `grants` are those that the event belongs to."""
        named = event.caller.names | {event.issued_key_id} | {grant.to for grant in grants}
        if self.who is not None and self.who not in named:
            return False
        return self.grant is None or self.grant in {grant.id for grant in grants}


def checked_span(since: object, until: object, now: datetime) -> tuple[datetime, datetime]:
    """From when and until when, in UTC.

    Args:
        since: A datetime with a time zone, or a timedelta before now.
        until: A datetime with a time zone; None: now.
        now: The present.

    Raises:
        ConfigError: It is neither, has no time zone, or is further back than the history.
    """
    end = now if until is None else _aware("until", until)
    start = now - since if isinstance(since, timedelta) else _aware("since", since)
    if start >= end:
        msg = f"since, {shown(start)}, is not before {shown(end)}"
        raise ConfigError(msg)
    if start < now - timedelta(days=HISTORY_DAYS):
        msg = f"since, {shown(start)}, is further back than the {HISTORY_DAYS} days that CloudTrail's history keeps"
        raise ConfigError(msg, hint="look for older events where a trail delivers them, if there is one")
    return start, end


def _aware(name: str, value: object) -> datetime:
    if not isinstance(value, datetime):
        msg = f"{name} {value!r} is not a datetime{' or a timedelta' if name == 'since' else ''}"
        raise ConfigError(msg)
    if value.tzinfo is None:
        msg = f"{name} {value!r} has no time zone"
        raise ConfigError(msg, hint="use datetime.now(UTC), or .astimezone() for the local time zone")
    return value.astimezone(UTC)


def checked_regions(regions: Iterable[str]) -> list[str]:
    """The regions, each once.

    Raises:
        ConfigError: One is no region, or there is none.
    """
    chosen = [regions] if isinstance(regions, str) else list(dict.fromkeys(regions))
    for region in chosen:
        if not is_region(region):
            raise ConfigError.invalid(region, "region", "an AWS region such as eu-west-1")
    if not chosen:
        msg = "regions is empty"
        raise ConfigError(msg, hint="pass None for the account's own region and that of the global services")
    return chosen


def shown(moment: datetime) -> str:
    """A time in UTC, to the second."""
    return iso(moment)
