"""Evaluates trust policies as STS does; what it does not know, it refuses to judge.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate

from xsession.policies import Policy, Statement

Context = Mapping[str, Collection[str]]

_KNOWN_KEYS = re.compile(
    "(aws:(currenttime|epochtime|multifactorauthpresent|principalaccount|principalarn|principalorgid|principaltype"
    "|sourceidentity|tagkeys|userid|username|principaltag/.+|requesttag/.+)"
    "|sts:(externalid|rolesessionname|sourceidentity|transitivetagkeys))"
)


class UnknownConditionError(NotImplementedError):
    """A condition that this server does not know; its verdict would be worth nothing."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who calls.

    Args:
        account_id: The account.
        arn: The caller's own ARN.
        role_arn: The role, where the caller is a role's session.
    """

    account_id: str
    arn: str
    role_arn: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """All that a policy may call it."""
        partition = self.arn.split(":")[1]
        root = f"arn:{partition}:iam::{self.account_id}:root"
        return frozenset(filter(None, ("*", self.account_id, root, self.arn, self.role_arn)))


def verdict(policy: Policy, principal: Principal, action: str, context: Context) -> bool | None:
    """What a trust policy says: True allowed, False denied explicitly, None nothing.

    Args:
        policy: The trust policy.
        principal: Who calls.
        action: "sts:AssumeRole", ...
        context: Condition keys in lower case to values; a key that the request lacks is absent.

    Raises:
        UnknownConditionError: The policy has a condition that is not known here.
    """
    applying = {
        statement.effect
        for statement in policy.statements
        if _names(statement, principal) and _acts(statement, action) and _holds(statement, context)
    }
    return False if "Deny" in applying else True if "Allow" in applying else None


def _names(statement: Statement, principal: Principal) -> bool:
    if statement.not_principals:
        return not principal.names & set(statement.not_principals.get("AWS", ()))
    return bool(principal.names & set(statement.principals.get("AWS", ())))


def _acts(statement: Statement, action: str) -> bool:
    if statement.not_actions:
        return not any(_like(action, pattern) for pattern in statement.not_actions)
    return any(_like(action, pattern) for pattern in statement.actions)


def _like(text: str, pattern: str) -> bool:
    return re.fullmatch(translate(pattern.replace("[", "[[]")), text, re.IGNORECASE) is not None


def _holds(statement: Statement, context: Context) -> bool:
    # All of them are evaluated: an unknown one must not hide behind one that is false.
    held = [
        _condition(operator, key, values, context)
        for operator, keys in statement.conditions.items()
        for key, values in keys.items()
    ]
    return all(held)


def _condition(operator: str, key: str, wanted: Sequence[str], context: Context) -> bool:
    if not _KNOWN_KEYS.fullmatch(key.lower()):
        msg = f"condition key {key} is not known to the local AWS"
        raise UnknownConditionError(msg)
    qualifier, _, name = operator.rpartition(":")
    present = context.get(key.lower())
    if name == "Null":
        return (present is None) == (wanted[0].lower() == "true")
    test = _TESTS.get(name.removesuffix("IfExists"))
    if test is None:
        msg = f"condition operator {operator} is not known to the local AWS"
        raise UnknownConditionError(msg)
    matches, negated = test
    if present is None:
        return name.endswith("IfExists") or negated or qualifier == "ForAllValues"
    results = [any(matches(value, pattern) for pattern in wanted) != negated for value in present]
    return any(results) if qualifier == "ForAnyValue" else all(results)


def _equal(value: str, wanted: str) -> bool:
    return value == wanted


def _equal_ignoring_case(value: str, wanted: str) -> bool:
    return value.lower() == wanted.lower()


def _like_exactly(value: str, wanted: str) -> bool:
    return re.fullmatch(translate(wanted.replace("[", "[[]")), value) is not None


_TESTS: Mapping[str, tuple[Callable[[str, str], bool], bool]] = {
    "StringEquals": (_equal, False),
    "StringNotEquals": (_equal, True),
    "StringEqualsIgnoreCase": (_equal_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equal_ignoring_case, True),
    "StringLike": (_like_exactly, False),
    "StringNotLike": (_like_exactly, True),
    "ArnEquals": (_like_exactly, False),
    "ArnNotEquals": (_like_exactly, True),
    "ArnLike": (_like_exactly, False),
    "ArnNotLike": (_like_exactly, True),
    "Bool": (_equal_ignoring_case, False),
}
