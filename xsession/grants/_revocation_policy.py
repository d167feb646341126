"""The policy by which a role's sessions are revoked, and what one that is there says.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from xsession._aws import iso, name_of, parse_iso
from xsession._base import frozen
from xsession.errors import ConfigError, InvalidPolicyError
from xsession.policies import Policy, as_policy, deny

from ._terms import GRANT_TAG, MAX_GRANT_SECONDS, ids_before

REVOCATION_PREFIX = "XSessionRevoke-"
"""What the names of the inline policies begin with that revoke sessions."""

MAX_GRANT = timedelta(seconds=MAX_GRANT_SECONDS, minutes=15)
"""No grant that is there holds longer: its deadline is by its maker's clock, which AWS lets be some minutes off."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CLOCK_TOLERANCE = timedelta(minutes=5)
_TIMED = "aws:TokenIssueTime"
_TAGGED = f"aws:PrincipalTag/{GRANT_TAG}"
_UNTIL = "Until%Y%m%dT%H%M%SZ"
_WHITE_SPACE = re.compile(r"\s")


@frozen(kw_only=True)
class Scope:
    """Which sessions of a role are revoked.

    Args:
        before: Those issued before this moment; None: whenever they are issued.
        grant_id: Of this grant alone.
        source_identity: Of this person alone.
        until: From when on the grant is over anyway, so that the policy may be cleared away; None: not before it is
            undone.
    """

    before: datetime | None
    grant_id: str | None = None
    source_identity: str | None = None
    until: datetime | None = None

    def policy(self, role_id: str) -> Policy:
        """The policy that denies them everything.

        Args:
            role_id: The role's unique id, `AROA...`.
        """
        if self.grant_id is not None:
            return self._against_grant(role_id, self.grant_id)
        whose: dict[str, Mapping[str, Any]] = {}
        if self.source_identity is not None:
            whose["StringEquals"] = {"aws:SourceIdentity": self.source_identity}
        if self.before is None:
            return deny("*", conditions=whose)
        # Grants are refreshed where they were made: theirs are denied whenever they are issued.
        older = {"StringLike": {"aws:userid": [f"*:g-{pattern}" for pattern in ids_before(self.before)]}}
        sid = _cleared_at(self.before + MAX_GRANT)
        timed = {"DateLessThan": {_TIMED: iso(self.before)}}
        return deny("*", conditions={**older, **whose}, sid=sid) + deny("*", conditions={**timed, **whose})

    def _against_grant(self, role_id: str, grant_id: str) -> Policy:
        # Whenever they are issued: the process that made the grant may refresh it until it knows of this.
        # By its name as well as by its tag, which its role may not have permitted.
        sid = None if self.until is None else _cleared_at(self.until)
        by_name = {"StringLike": {"aws:userid": f"{role_id}:g-{grant_id}-*"}}
        return deny("*", conditions=by_name, sid=sid) + deny("*", conditions={"StringEquals": {_TAGGED: grant_id}})


def check_revocable(role_arn: str) -> None:
    """Refuses roles whose policies only AWS may change.

    Raises:
        ConfigError: It is a service-linked role, or one of IAM Identity Center.
    """
    path = role_arn.partition(":role")[2]
    name = name_of(role_arn)
    if path.startswith("/aws-service-role/") or name.startswith("AWSServiceRoleFor"):
        msg = f"{role_arn} is linked to a service: only AWS may change its policies"
        raise ConfigError(msg, hint="end what the service does there instead")
    if path.startswith("/aws-reserved/") or name.startswith("AWSReservedSSO_"):
        msg = f"{role_arn} belongs to IAM Identity Center: only AWS may change its policies"
        raise ConfigError(
            msg, hint="remove the person's assignment there, and deny the person by a service control policy"
        )


def until_of(document: object) -> datetime | None:
    """From when on all is over that a policy of ours revokes; None: it is not of that kind, or says nothing."""
    try:
        statements = as_policy(document).statements if isinstance(document, Mapping | str | Policy) else ()
        by_name, other = statements
        found = datetime.strptime(by_name.sid or "", _UNTIL).replace(tzinfo=UTC)
        revokes = {*by_name.conditions["StringLike"]} == {"aws:userid"} and (
            _TAGGED in other.conditions.get("StringEquals", ()) or _is_before(other.conditions["DateLessThan"], found)
        )
    except (InvalidPolicyError, KeyError, ValueError):
        return None
    return found if revokes else None


def is_spent(document: object, now: datetime) -> bool:
    """Whether a policy of ours revokes only sessions that have ended by themselves."""
    until = until_of(document)
    return until is not None and now > until


def _cleared_at(moment: datetime) -> str:
    # A Sid: IAM keeps it, and has letters and digits alone in it.
    return moment.astimezone(UTC).strftime(_UNTIL)


def _is_before(condition: Mapping[str, Any], until: datetime) -> bool:
    (moment,) = condition[_TIMED]
    cutoff = parse_iso(moment)
    return cutoff is not None and cutoff < until


def size_of(document: str) -> int:
    """Characters of a policy as IAM counts them."""
    return len(_WHITE_SPACE.sub("", document))


def check_before(before: object, now: datetime) -> None:
    """Refuses a moment before which sessions can't be revoked.

    Args:
        before: What was asked for; None: now.
        now: By the local clock, which may be some minutes off.

    Raises:
        ConfigError: It has no time zone, lies ahead, or before all sessions.
    """
    if before is None:
        return
    if not isinstance(before, datetime) or before.tzinfo is None or before < _EPOCH:
        raise ConfigError.invalid(before, "before", "a datetime with a time zone, since 1970")
    if before > now + _CLOCK_TOLERANCE:
        msg = f"before={iso(before)} lies ahead"
        raise ConfigError(msg, hint="pass block=True to deny future sessions until it is undone")


def cutoff_for(before: datetime | None, now: datetime) -> datetime:
    """Before which moment sessions are revoked.

    A session issued in the very second of `now` is as old as `now` to AWS, which counts seconds: who is let in again
    may have one by then.

    Args:
        before: What was asked for; None: now.
        now: By AWS's clock.
    """
    return now if before is None else min(before.astimezone(UTC), now)
