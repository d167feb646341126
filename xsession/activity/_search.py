"""Who did what in an account: CloudTrail's event history, joined with our own audit log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from xsession._aws import first_region, is_denied, service_of
from xsession._base import SYSTEM_CLOCK, Clock, RateLimit, Table, Tabular, frozen, public
from xsession.accounts import Account
from xsession.audit import AuditRecord
from xsession.errors import ActivityError, ConfigError, XSessionError

from ._attribution import OwnLog, Trusts, error_code, is_forced
from ._lookup_events import DELAY_MINUTES, HISTORY_DAYS, SECONDS_BETWEEN_REQUESTS, TrailEvent, lookup_events
from ._query import ActivityQuery, checked_regions, checked_span, shown
from ._user_identity import text

_COLUMNS = ("time", "who", "enforced", "role", "service", "action", "resources", "region", "source_ip", "error")
_ENFORCED = {True: "yes", False: "no", None: "?"}

ClientFor = Callable[[str, str | None], Any]
"""Makes a client of a service in a region; None: the account's own region."""


@frozen
class Activity:
    """One action in an account.

    Strings are as CloudTrail has them, and an attacker may have written them: show them with `xsession.escape`.

    Args:
        time: When, in UTC.
        who: To whom the grant was made whose key was used, by our own log; else the session's source identity, else
            the instance or function that AWS gave the session to, else the session's name, else the user. Where a
            product provider acted in another's name, the provider's account. "unknown": CloudTrail doesn't say.
        enforced: Whether `who` had no choice in that name. True for users, root, AWS's services and product providers,
            for what AWS itself gives its sessions to, and where each statement of the role's trust policy, as it is
            today, which lets a session claim it has a condition that only one value can meet. False: it is merely
            claimed, as by whoever fails to sign in, or comes from our own log. None: not known, since there was no
            `using`, the trust policy could not be read, a service named the session after what a person made, or it
            is another account, a directory or an identity provider that knows the caller.
        account: The account's name.
        role: The name of the role that was used; None: none was.
        service: "ec2", ...
        action: CloudTrail's eventName, such as "StopInstances".
        resources: The names of what it was done to, as far as CloudTrail says.
        region: Where.
        source_ip: The address that it came from, or the AWS service that did it.
        error: AWS's code, where it was refused; of a sign-in that failed, AWS's words.
        key_id: The access key that the request was signed with.
        on_behalf_of: In whose name `who` acted, where that is a product provider.
    """

    time: datetime
    who: str
    enforced: bool | None
    account: str
    role: str | None
    service: str
    action: str
    resources: tuple[str, ...]
    region: str
    source_ip: str | None
    error: str | None
    key_id: str | None
    on_behalf_of: str | None = None


class Search:
    """Finds the answers to a question, region by region.

    Args:
        question: What is asked.
        regions: The regions, in order.
        client_for: Makes CloudTrail's clients.
        trusts: The trust policies of the account's roles.
        log: Our own log.
        clock: What the pauses between requests go by.
    """

    def __init__(
        self,
        question: ActivityQuery,
        regions: Sequence[str],
        client_for: ClientFor,
        *,
        trusts: Trusts,
        log: OwnLog,
        clock: Clock,
    ) -> None:
        self.question = question
        self.regions = regions
        self.trusts = trusts
        self.failed: dict[str, Exception] = {}
        self.ended = False
        self._client_for = client_for
        self._log = log
        self._clock = clock
        self._read = 0

    def found(self) -> Iterator[Activity]:
        """What was done, newest first in each region.

        Raises:
            ActivityError: No region could be read.
        """
        known: set[str] = set()
        for region in self.regions:
            for event in self._events(region):
                self._read += 1
                activity = None if event.ids & known else self._activity(event)
                known |= event.ids
                if activity is not None:
                    yield activity
        self.ended = True
        if self.failed.keys() == set(self.regions) and not self._read:
            self._refuse(next(iter(self.failed.values())))

    def _events(self, region: str) -> Iterator[TrailEvent]:
        asked = self.question
        try:
            client = self._client_for("cloudtrail", region)
            yield from lookup_events(
                client,
                RateLimit(self._clock, SECONDS_BETWEEN_REQUESTS),
                asked.attribute(self._log),
                asked.start,
                asked.end,
            )
        except Exception as error:  # noqa: BLE001 # one region's failure must not lose the others
            self.failed[region] = error

    def _activity(self, event: TrailEvent) -> Activity | None:
        caller = event.caller
        used = self._log.grant_of(caller.key_id, None if caller.role_arn is None else caller.session_name)
        made = self._log.grant_of(event.issued_key_id, event.asked_name)
        if not self.question.is_about(event, [grant for grant in (used, made) if grant is not None]):
            return None
        grantee = None if used is None else used.to
        source = text(event.document, "eventSource") or text(event.entry, "EventSource") or "unknown"
        return Activity(
            time=event.at,
            who=caller.delegate or grantee or caller.name,
            enforced=self._enforced(event, grantee),
            account=self.question.account.name,
            role=caller.role_name,
            service=service_of(source),
            action=text(event.document, "eventName") or text(event.entry, "EventName") or "unknown",
            resources=event.resources,
            region=text(event.document, "awsRegion") or "unknown",
            source_ip=text(event.document, "sourceIPAddress"),
            error=event.error,
            key_id=caller.key_id,
            on_behalf_of=None if caller.delegate is None else grantee or caller.own_name,
        )

    def _enforced(self, event: TrailEvent, grantee: str | None) -> bool | None:
        caller = event.caller
        if event.is_mere_attempt or (grantee is not None and caller.delegate is None):
            return False
        if caller.is_vouched_for:
            return True
        if caller.claim is None or caller.delegate is not None:
            return None
        if caller.role_arn is None:
            return False  # whoever called GetFederationToken or AssumeRoot chose it, or a role of another account did
        trust = self.trusts.of(caller.role_arn)
        return None if trust is None else is_forced(trust, caller.claim)

    def _refuse(self, error: Exception) -> None:
        if isinstance(error, XSessionError):
            raise error.for_caller(self.question.account.name)
        code = error_code(error)
        msg = f"CloudTrail could not be read in {', '.join(self.regions)}: {error}"
        hint = "allow cloudtrail:LookupEvents to the identity that reads it (using=, else the account's own)"
        raise ActivityError(
            msg, account=self.question.account.name, code=code, hint=hint if is_denied(code) else None
        ) from error


@public
class Activities(Tabular):
    """What was done, read while it is asked for: iterate over it, print it, or show it in a notebook.

    Iterating reads page by page, region by region, newest first in each; printing and showing read all, and sort it.
    What was read is kept. For one thread.
    """

    def __init__(self, search: Search, now: datetime, *, asked_trust: bool) -> None:
        self._search = search
        self._found = search.found()
        self._now = now
        self._asked_trust = asked_trust
        self._read: list[Activity] = []
        self._error: XSessionError | None = None

    def __iter__(self) -> Iterator[Activity]:
        position = 0
        while position < len(self._read) or self._more():
            yield self._read[position]
            position += 1

    @property
    def limits(self) -> tuple[str, ...]:
        """What it does not show, and why, in words; complete once all has been read."""
        search, question = self._search, self._search.question
        late = self._now - timedelta(minutes=DELAY_MINUTES)
        said = [
            "CloudTrail's event history has no data events, such as reads and writes of S3 objects",
            f"it goes back {HISTORY_DAYS} days, to {shown(self._now - timedelta(days=HISTORY_DAYS))}",
            f"asked were {', '.join(search.regions)}, and no other regions",
        ]
        if question.end > late:
            said.append(
                f"what happened after {shown(late)} may not be there yet: it takes up to {DELAY_MINUTES} minutes"
            )
        if not self._asked_trust:
            said.append("whether a session's name was enforced is not known: without using= no trust policy is read")
        said += [
            f"whether names were enforced in {role_arn} is not known: its trust policy could not be read: {why}"
            for role_arn, why in search.trusts.failed.items()
        ]
        said += [f"{region} could not be read, or not to its end: {why}" for region, why in search.failed.items()]
        return (*said, *(() if search.ended else ("not all has been read yet",)))

    def text(self) -> str:
        """A table, newest first, and below it what it does not show."""
        return self._as_text()

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        state = "all read" if self._search.ended else "not all read yet"
        return f"<Activities: {len(self._read)}, {state}>"

    def _table(self) -> Table:
        newest = sorted(self, key=lambda activity: activity.time, reverse=True)
        return _COLUMNS, [[_cell(activity, name) for name in _COLUMNS] for activity in newest]

    def _below(self) -> Iterable[str]:
        return (f"not shown: {limit}" for limit in self.limits)

    def _more(self) -> bool:
        if self._error is not None:
            raise self._error.for_caller()
        try:
            self._read.append(next(self._found))
        except StopIteration:
            return False
        except XSessionError as error:
            self._error = error
            raise
        return True


def _cell(activity: Activity, name: str) -> object:
    if name == "enforced":
        return _ENFORCED[activity.enforced]
    if name == "who" and activity.on_behalf_of is not None:
        return f"{activity.who} for {activity.on_behalf_of}"
    return getattr(activity, name)


def ask(
    account: Account,
    reader: Account,
    client_for: ClientFor,
    *,
    since: datetime | timedelta,
    until: datetime | None = None,
    who: str | None = None,
    grant: str | None = None,
    regions: Iterable[str] | None = None,
    trusts_too: bool = False,
    log: Iterable[AuditRecord] = (),
    wall: Callable[[], float],
    clock: Clock = SYSTEM_CLOCK,
) -> Activities:
    """Asks who did what in an account; nothing is sent before the answer is looked at.

    Args:
        account: The account.
        reader: Whose identity reads CloudTrail; of the same AWS account.
        client_for: Makes the reader's clients.
        since: From when on, or how long ago.
        until: Until when; None: now.
        who: A name, a key id or an ARN; None: anyone.
        grant: The id of a grant.
        regions: Which regions; None: the reader's own, and that of the global services.
        trusts_too: Whether the reader reads the trust policies of roles as well.
        log: The records of our own log.
        wall: The wall clock, in seconds since 1970.
        clock: What the pauses between requests go by.

    Raises:
        ConfigError: A time without a zone, or further back than the history; or another argument that can't work.
    """
    now = datetime.fromtimestamp(wall(), UTC)
    start, end = checked_span(since, until, now)
    if None not in (account.account_id, reader.account_id) and account.account_id != reader.account_id:
        msg = f"{reader.name} is account {reader.account_id}, and CloudTrail shows each account only its own events"
        raise ConfigError(msg, account=account.name, hint=f"pass using= an account with id {account.account_id}")
    chosen = _default_regions(client_for) if regions is None else checked_regions(regions)
    search = Search(
        ActivityQuery(account=account, start=start, end=end, who=who, grant=grant),
        chosen,
        client_for,
        trusts=Trusts((lambda: client_for("iam", None)) if trusts_too else None),
        log=OwnLog(log),
        clock=clock,
    )
    return Activities(search, now, asked_trust=trusts_too)


def _default_regions(client_for: ClientFor) -> list[str]:
    meta = client_for("cloudtrail", None).meta
    return list(dict.fromkeys(filter(None, (meta.region_name, first_region(meta.partition)))))
