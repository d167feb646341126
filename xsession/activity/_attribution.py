"""What our own log and trust policies say of a caller: whose grant it used, and whether it could choose its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from xsession._aws import has_wildcards, is_like, name_of
from xsession._base import frozen
from xsession.audit import AuditRecord
from xsession.policies import Policy, Statement, as_policy

from ._user_identity import Claim, text

_GRANT = re.compile(r"g-([A-Za-z0-9]+)-.*", re.ASCII | re.DOTALL)
# The condition key about each, and the actions by which it is claimed.
_KEYS: Mapping[Claim, tuple[str, tuple[str, ...]]] = {
    "source identity": ("sts:sourceidentity", ("sts:setsourceidentity",)),
    "session name": (
        "sts:rolesessionname",
        ("sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity"),
    ),
}


@frozen
class KnownGrant:
    """A grant, as far as a session's name or our own log knows it.

    Args:
        id: Its id.
        to: To whom it was made; only our own log says that.
        session_name: The name of its sessions, likewise.
    """

    id: str
    to: str | None = None
    session_name: str | None = None


class OwnLog:
    """What our own audit log says of keys and grants.

    Args:
        records: The records. Of interest are those with `grant_id`, `to`, `role_session_name` and `access_key_id`.
    """

    def __init__(self, records: Iterable[AuditRecord] = ()) -> None:
        self._grants: dict[str, KnownGrant] = {}
        self._ids: dict[str, str] = {}
        for record in records:
            identifier, key_id = text(record.fields, "grant_id"), text(record.fields, "access_key_id")
            to = text(record.fields, "to")
            if identifier is None:
                continue
            if key_id is not None:
                self._ids[key_id] = identifier
            if to is not None:  # the record of its end says only which grant it was
                self._grants[identifier] = KnownGrant(identifier, to, text(record.fields, "role_session_name"))

    def grant(self, identifier: str) -> KnownGrant:
        """The grant of an id, with what is known of it."""
        return self._grants.get(identifier, KnownGrant(identifier))

    def grant_of(self, key_id: str | None, session_name: str | None) -> KnownGrant | None:
        """The grant that a key belongs to, else the one that a session's name claims."""
        identifier = self._ids.get(key_id or "") or grant_id(session_name)
        return None if identifier is None else self.grant(identifier)


class Trusts:
    """The trust policies of an account's roles, each read once.

    Args:
        iam: Makes the IAM client that reads them; None: they are not read.
    """

    def __init__(self, iam: Callable[[], Any] | None) -> None:
        self._iam = iam
        self._known: dict[str, Policy | None] = {}
        self.failed: dict[str, str] = {}

    def of(self, role_arn: str) -> Policy | None:
        """The trust policy of a role; None: it was not read."""
        if self._iam is None:
            return None
        if role_arn not in self._known:
            self._known[role_arn] = None
            try:
                answer = self._iam().get_role(RoleName=name_of(role_arn))["Role"]
                # Another role may have that name now, in another path.
                if answer["Arn"] == role_arn:
                    self._known[role_arn] = as_policy(answer["AssumeRolePolicyDocument"])
            except Exception as error:  # noqa: BLE001 # whatever it is, only the verdict on this role is lost
                self.failed[role_arn] = error_code(error) or type(error).__name__
        return self._known[role_arn]


def grant_id(session_name: str | None) -> str | None:
    """The id of the grant that a session's name says it belongs to: `g-<id>-<to>`."""
    match = _GRANT.fullmatch(session_name or "")
    return None if match is None else match[1]


def is_forced(trust: Policy, claim: Claim) -> bool | None:
    """Whether a trust policy leaves no choice in what a session claims.

    That is so if every statement by which it may be claimed has a condition that only one value can meet, the same for
    all: one string without wildcards, or the name of the IAM user who assumes the role, `${aws:username}`. What a Deny
    rules out is not counted.

    Args:
        trust: The role's trust policy.
        claim: What it is about.

    Returns:
        None: no person could choose, and a service of AWS could: it names its sessions after instances, functions,
        pods, and whoever makes those names them.
    """
    key, actions = _KEYS[claim]
    allowing = [statement for statement in trust.statements if _allows(statement, actions)]
    by_people = [statement for statement in allowing if statement.principals.keys() != {"Service"}]
    values = {_only_value(statement, key) for statement in by_people}
    if None in values or len(values) > 1 or not allowing:
        return False
    return True if len(by_people) == len(allowing) else None


def error_code(error: BaseException) -> str | None:
    """AWS's code of an error that a client raised; None: AWS did not answer."""
    response = getattr(error, "response", None)
    code = response.get("Error", {}).get("Code") if isinstance(response, Mapping) else None
    return code if isinstance(code, str) else None


def _allows(statement: Statement, actions: Iterable[str]) -> bool:
    if statement.effect != "Allow":
        return False
    patterns = statement.actions
    # What NotAction leaves out is not looked at: the statement may allow it.
    return not patterns or any(is_like(one, pattern, ignoring_case=True) for one in actions for pattern in patterns)


def _only_value(statement: Statement, key: str) -> str | None:
    for operator in ("StringEquals", "StringLike"):
        for name, values in statement.conditions.get(operator, {}).items():
            if name.lower() == key and len(values) == 1 and _is_one(values[0]):
                return str(values[0])
    return None


def _is_one(value: str) -> bool:
    return value.lower() == "${aws:username}" or not has_wildcards(value)
