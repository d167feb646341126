"""What policies mean, however they are written: whether two say the same, and where they differ.

A statement says the same as one statement for each of its principals, actions and resources. Two policies say the same
if what each statement of the one says, the other one says too, however it divides it among its statements. What is
excluded (NotAction and the like) and conditions stay whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence

from xsession._aws import ACCOUNT_ID, PARTITION, completed_arn
from xsession._base import hides_frames
from xsession.errors import ConfigError

from ._coverage import Box, Coverage
from ._diff import unified
from ._document import Policy, PolicyLike, Statement, as_policy

_ROOT = re.compile(rf"arn:{PARTITION}:iam::({ACCOUNT_ID}):root")
_ARN_EQUALITY = re.compile(r"(?<=Arn)Equals|(?<=ArnNot)Equals")
_NAMED = re.compile(
    rf"(arn:{PARTITION}:iam::{ACCOUNT_ID}:(?:role|user)/.*|arn:{PARTITION}:sts::{ACCOUNT_ID}:assumed-role/[^/]*)(.*)"
)


@hides_frames(ConfigError)
def same_meaning(first: PolicyLike, second: PolicyLike) -> bool:
    """Whether two policies say the same, however they are written.

    Nothing depends on the order of statements and lists, on whether one statement is written as several, on Sid, on
    the case of actions, condition keys and names of roles, on whether an account is named by its id or by its root, on
    ArnEquals or ArnLike, on whether an ARN is left incomplete, nor on empty conditions. A wildcard is not compared with
    what it covers: "s3:*" beside "s3:GetObject" differs from "s3:*" alone. Where a million combinations of principals,
    actions and resources do not suffice to tell, statements that are divided otherwise are said to differ.

    Args:
        first: A `Policy`, a mapping of IAM's own form or JSON.
        second: Likewise.

    Raises:
        InvalidPolicyError: One of them is no policy.
    """
    one, other = as_policy(first), as_policy(second)
    return not any(_left_out(one, other)) and not any(_left_out(other, one))


@hides_frames(ConfigError)
def difference(before: PolicyLike, after: PolicyLike) -> tuple[str, ...]:
    """What one policy says and the other does not, in words: "removed: ..." and "added: ..." for each statement.

    External ids are not shown.

    Args:
        before: A `Policy`, a mapping of IAM's own form or JSON.
        after: Likewise.

    Returns:
        Nothing where both say the same.

    Raises:
        InvalidPolicyError: One of them is no policy.
    """
    old, new = as_policy(before), as_policy(after)
    return tuple(dict.fromkeys([*_lines("removed", old, new), *_lines("added", new, old)]))


@hides_frames(ConfigError)
def diff(before: PolicyLike, after: PolicyLike) -> str:
    """The two documents as a unified diff of their JSON, without external ids; empty where both say the same.

    Args:
        before: A `Policy`, a mapping of IAM's own form or JSON.
        after: Likewise.

    Raises:
        InvalidPolicyError: One of them is no policy.
    """
    if same_meaning(before, after):
        return ""
    return unified("before", _sorted_json(as_policy(before)), "after", _sorted_json(as_policy(after)))


def _left_out(policy: Policy, other: Policy) -> Iterator[tuple[Statement, tuple[list[str], ...]]]:
    """The statements of a policy that say something which the other one does not: principals, actions and resources."""
    coverage = Coverage(_box(statement, other.version) for statement in other.statements)
    for statement in policy.statements:
        missing = coverage.missing(_box(statement, policy.version))
        if any(missing):
            yield statement, missing


def _box(statement: Statement, version: str) -> Box:
    conditions = frozenset(
        (_operator(operator), key.lower(), frozenset(_condition_value(operator, value) for value in values))
        for operator, keys in statement.conditions.items()
        for key, values in keys.items()
    )
    excluded = (bool(statement.not_principals), bool(statement.not_actions), bool(statement.not_resources))
    # "${...}" is a variable in one language and text in the other; all else means the same in both.
    language = version if "${" in json.dumps(statement.to_dict()) else ""
    # In no other policies does IAM complete them.
    arn = str if statement.has_principal else completed_arn
    names = _principals(statement.not_principals or statement.principals)
    return Box(
        kind=(statement.effect, statement.has_principal, excluded, conditions, language),
        sides=(
            _side(names, excluded[0], _principal) if statement.has_principal else {"": ""},
            _side(statement.not_actions or statement.actions, excluded[1], _action),
            _side(statement.not_resources or statement.resources, excluded[2], arn) or {"": ""},
        ),
    )


def _side(names: Sequence[str], excluded: bool, normal: Callable[[str], str]) -> dict[Hashable, str]:
    if excluded:
        return {frozenset(map(normal, names)): f"all but {', '.join(names)}"}
    return {normal(name): name for name in names}


def _principals(principals: Mapping[str, Iterable[str]]) -> list[str]:
    return [name if kind == "AWS" else f"{kind} {name}" for kind, names in principals.items() for name in names]


def _principal(name: str) -> str:
    # A role and whom it trusts are of one partition, so that the id says it all.
    root = _ROOT.fullmatch(name)
    if root:
        return root[1]
    # No two roles or users of an account have names that differ only by case.
    named = _NAMED.fullmatch(name)
    return f"{named[1].lower()}{named[2]}" if named else name


def _action(name: str) -> str:
    return "*" if name == "*:*" else name.lower()


def _operator(name: str) -> str:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
    return _ARN_EQUALITY.sub("Like", name)


def _condition_value(operator: str, value: str) -> str:
    return value.lower() if operator.removesuffix("IfExists").endswith(("Bool", "Null")) else value


def _lines(verb: str, policy: Policy, other: Policy) -> Iterator[str]:
    for statement, missing in _left_out(policy, other):
        who, what, where = (", ".join(dict.fromkeys(names)) for names in missing)
        yield f"{verb}: {_in_words(statement, who, what, where)}"


def _in_words(statement: Statement, who: str, what: str, where: str) -> str:
    text = f"{statement.effect} {what}"
    text += f" on {where}" if where else ""
    text += f" to {who}" if who and statement.effect == "Allow" else f" for {who}" if who else ""
    conditions = [
        # An external id is a secret of two parties, and words end up in logs.
        f"{operator} {key} {_values_in_words(key, values)}"
        for operator, keys in statement.conditions.items()
        for key, values in keys.items()
    ]
    text += f" if {' and '.join(conditions)}" if conditions else ""
    # An attacker may have written the policy, and the words go to terminals.
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _values_in_words(key: str, values: Sequence[str]) -> str:
    if not values:
        return "(no value)"
    return "(not shown)" if key.lower() == "sts:externalid" else " or ".join(values)


def _sorted_json(policy: Policy) -> str:
    statements = sorted(json.dumps(statement.to_dict()) for statement in policy.statements)
    return json.dumps({"Version": policy.version, "Statement": list(map(json.loads, statements))}, indent=2)
