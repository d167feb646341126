"""What policies mean, whatever their text: whether two say the same, and where they differ.

A statement says the same as one statement for each of its principals, actions and resources. Split so far, two
policies say the same if they have the same parts, however each was written. What is excluded (NotAction and the like)
and conditions stay whole.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from xsession._aws import ACCOUNT_ID, PARTITION

from ._document import Policy, PolicyLike, Statement, as_policy
from ._external_ids import ExternalIds

_ROOT = re.compile(rf"arn:{PARTITION}:iam::({ACCOUNT_ID}):root")


class _Part(NamedTuple):
    """What a statement says of one principal, action and resource."""

    effect: str
    principal: frozenset[str]
    action: frozenset[str]
    resource: frozenset[str]
    excluded: tuple[bool, bool, bool]
    conditions: frozenset[tuple[str, str, frozenset[str]]]
    language: str


def same_meaning(first: PolicyLike, second: PolicyLike) -> bool:
    """Whether two policies say the same, however they are written.

    Nothing depends on the order of statements and lists, on whether one statement is written as several, on Sid, on
    the case of actions and condition keys, nor on whether an account is named by its id or by its root. A wildcard
    is not compared with what it covers: "s3:*" beside "s3:GetObject" differs from "s3:*" alone.

    Args:
        first: A `Policy`, a mapping of IAM's own form or JSON.
        second: Likewise.

    Raises:
        InvalidPolicyError: One of them is no policy.
    """
    return _meaning(as_policy(first)) == _meaning(as_policy(second))


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
    lines = [*_missing("removed", old, _meaning(new)), *_missing("added", new, _meaning(old))]
    return tuple(dict.fromkeys(lines))


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


def unified(before_name: str, before: str, after_name: str, after: str) -> str:
    """A unified diff of two JSON documents, or of nothing and one, without the external ids in them."""
    ids = ExternalIds()
    old, new = (
        json.dumps(ids.hidden(json.loads(text)), indent=2).splitlines() if text else [] for text in (before, after)
    )
    return "\n".join(difflib.unified_diff(old, new, before_name, after_name, lineterm=""))


def _meaning(policy: Policy) -> frozenset[_Part]:
    return frozenset(part for statement in policy.statements for part in _parts(statement, policy.version))


def _parts(statement: Statement, version: str) -> dict[_Part, tuple[str, str, str]]:
    """Each part of a statement, with the principal, action and resource as they are written."""
    conditions = frozenset(
        (operator, key.lower(), frozenset(_condition_value(operator, value) for value in values))
        for operator, keys in statement.conditions.items()
        for key, values in keys.items()
    )
    excluded = (bool(statement.not_principals), bool(statement.not_actions), bool(statement.not_resources))
    # "${...}" is a variable in one language and text in the other; all else means the same in both.
    language = version if "${" in json.dumps(statement.to_dict()) else ""
    choices = (
        _choices(_principals(statement.principals), _principals(statement.not_principals), _principal),
        _choices(statement.actions, statement.not_actions, str.lower),
        _choices(statement.resources, statement.not_resources, str),
    )
    return {
        _Part(statement.effect, principal, action, resource, excluded, conditions, language): (who, what, where)
        for (principal, who), (action, what), (resource, where) in product(*choices)
    }


def _choices(
    names: Sequence[str], excluded: Sequence[str], normal: Callable[[str], str]
) -> list[tuple[frozenset[str], str]]:
    if excluded:
        return [(frozenset(map(normal, excluded)), f"all but {', '.join(excluded)}")]
    return [(frozenset([normal(name)]), name) for name in names] or [(frozenset(), "")]


def _principals(principals: Mapping[str, Iterable[str]]) -> list[str]:
    return [name if kind == "AWS" else f"{kind} {name}" for kind, names in principals.items() for name in names]


def _principal(name: str) -> str:
    # A role and whom it trusts are of one partition, so that the id says it all.
    root = _ROOT.fullmatch(name)
    return root[1] if root else name


def _condition_value(operator: str, value: str) -> str:
    return value.lower() if operator.removesuffix("IfExists").endswith(("Bool", "Null")) else value


def _missing(verb: str, policy: Policy, other: frozenset[_Part]) -> Iterator[str]:
    for statement in policy.statements:
        missing = [shown for part, shown in _parts(statement, policy.version).items() if part not in other]
        if missing:
            who, what, where = (", ".join(dict.fromkeys(names)) for names in zip(*missing, strict=True))
            yield f"{verb}: {_in_words(statement, who, what, where)}"


def _in_words(statement: Statement, who: str, what: str, where: str) -> str:
    text = f"{statement.effect} {what}"
    text += f" on {where}" if where else ""
    text += f" to {who}" if who and statement.effect == "Allow" else f" for {who}" if who else ""
    conditions = [
        # An external id is agreed on by two parties, and words get around.
        f"{operator} {key} {'(not shown)' if key.lower() == 'sts:externalid' else ' or '.join(values)}"
        for operator, keys in statement.conditions.items()
        for key, values in keys.items()
    ]
    text += f" if {' and '.join(conditions)}" if conditions else ""
    # Somebody else may have written the policy, and the words go to terminals.
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _sorted_json(policy: Policy) -> str:
    statements = sorted(json.dumps(statement.to_dict()) for statement in policy.statements)
    return json.dumps({"Version": policy.version, "Statement": list(map(json.loads, statements))}, indent=2)
