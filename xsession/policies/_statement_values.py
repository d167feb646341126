"""What the values of a statement may be: actions, resources, principals, conditions, as wide as IAM stores them.

What is refused where a policy is written is in `_writing`.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xsession._aws import ACCOUNT_ID, PARTITION
from xsession._base import FrozenMap, did_you_mean
from xsession.errors import InvalidPolicyError, shown

from ._external_ids import may_be_in
from ._json import is_unicode, number_text

# Beyond it, nobody meant one of the names that there are.
_LONGEST_NAME = 120
SID = re.compile(r"[A-Za-z0-9]+")
ACTION = re.compile(r"\*|(\*|[A-Za-z0-9.-]+):[^:]*")
# Incomplete ones too: IAM completes them in identity-based policies.
RESOURCE = re.compile(r"\*|arn:[^:]*\*|arn:[^:]+:[^:]+(:.*)?", re.DOTALL)

_AWS_PRINCIPAL = re.compile(
    rf"\*|{ACCOUNT_ID}|[A-Z0-9]{{16,128}}"
    rf"|arn:{PARTITION}:iam::{ACCOUNT_ID}:(root|(user|role)/[\x21-\x7e]+)"
    rf"|arn:{PARTITION}:sts::{ACCOUNT_ID}:(assumed-role|federated-user)/[\x21-\x7e]+",
    re.ASCII,
)
SERVICE_PRINCIPAL = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
# In partitions with a domain of their own, services have names under that.
_SERVICE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_FEDERATED = re.compile(
    rf"arn:{PARTITION}:iam::{ACCOUNT_ID}:(oidc|saml)-provider/[\x21-\x7e]+|[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII
)
_PRINCIPALS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "AWS": (_AWS_PRINCIPAL, "an account id or the ARN of an account's root, a user, a role or a session"),
    "Service": (_SERVICE, "a service such as ec2.amazonaws.com"),
    "Federated": (_FEDERATED, "the ARN of an OIDC or SAML provider, or a provider's domain"),
    "CanonicalUser": (re.compile(r"[0-9a-f]{64}"), "64 hex digits"),
}

_COMPARISONS = {
    "String": ("Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"),
    "Numeric": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "Date": ("Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"),
    "Arn": ("Equals", "NotEquals", "Like", "NotLike"),
}
_OPERATORS = frozenset(
    {f"{kind}{comparison}" for kind, comparisons in _COMPARISONS.items() for comparison in comparisons}
    | {"Bool", "BinaryEquals", "IpAddress", "NotIpAddress", "Null"}
)


def refuse_unknown(where: str, document: Mapping[Any, Any], known: Sequence[str]) -> None:
    """Raises an `InvalidPolicyError` where a document has another key than these.

    Args:
        where: The place of the document, for the error.
        document: The document.
        known: The keys that there are.
    """
    for key in document:
        if key not in known:
            msg = f"{where} has an unknown key {shown(key)}"
            word = key[:_LONGEST_NAME] if isinstance(key, str) else ""
            raise InvalidPolicyError(msg, hint=did_you_mean(word, known, f"use one of {', '.join(known)}"))


def checked_texts(name: str, values: object, pattern: re.Pattern[str], rule: str) -> tuple[str, ...]:
    """A list of strings as a statement keeps it.

    Args:
        name: What it is, for the error.
        values: The list.
        pattern: What each string must match.
        rule: The same in words.

    Raises:
        InvalidPolicyError: A value which IAM would refuse.
    """
    if isinstance(values, str | Mapping) or not isinstance(values, Iterable):
        raise InvalidPolicyError.invalid(values, name, "a list")
    chosen = list(values)
    for value in chosen:
        if not isinstance(value, str) or not pattern.fullmatch(value) or not is_unicode(value):
            raise InvalidPolicyError.invalid(value, name, rule)
    return tuple(sorted(set(chosen)))


def checked_principals(name: str, principals: object) -> FrozenMap[tuple[str, ...]]:
    """Principals as a statement keeps them.

    Args:
        name: What they are, for the error.
        principals: Kinds to names.

    Raises:
        InvalidPolicyError: A value which IAM would refuse.
    """
    if not isinstance(principals, Mapping):
        raise InvalidPolicyError.invalid(principals, name, f"a mapping of {', '.join(_PRINCIPALS)} to names")
    checked = {}
    for kind, names in principals.items():
        if kind not in _PRINCIPALS:
            raise InvalidPolicyError.invalid(kind, name, f"a mapping of {', '.join(_PRINCIPALS)} to names")
        checked[kind] = checked_texts(name, names, *_PRINCIPALS[kind])
    return FrozenMap(sorted(checked.items()))


def checked_conditions(conditions: object) -> FrozenMap[FrozenMap[tuple[str, ...]]]:
    """Conditions as a statement keeps them.

    Raises:
        InvalidPolicyError: A value which IAM would refuse.
    """
    if not isinstance(conditions, Mapping):
        rule = "an object of operators"
        raise InvalidPolicyError.invalid(conditions, "Condition", rule, secret=may_be_in(conditions))
    checked = {}
    for operator, keys in conditions.items():
        is_empty = isinstance(keys, Mapping) and not keys
        _check_operator(operator, is_used=not is_empty)
        if not isinstance(keys, Mapping):
            # Not shown: what was meant for a key may be its value, an external id.
            rule = "an object of condition keys"
            raise InvalidPolicyError.invalid(keys, f"Condition {operator}", rule, secret=True)
        for key in keys:
            if not isinstance(key, str) or not is_unicode(key):
                raise InvalidPolicyError.invalid(key, "condition key", "<service>:<key>, such as aws:SourceIp")
        checked[operator] = FrozenMap(sorted((key, _condition_values(key, value)) for key, value in keys.items()))
    return FrozenMap(sorted(checked.items()))


def _check_operator(operator: object, *, is_used: bool) -> None:
    name = operator if isinstance(operator, str) else ""
    if not is_used and name and is_unicode(name):
        return  # IAM stores it: where there is nothing to compare, it does not matter how
    bare = name.removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
    # "Null" asks whether the key exists: it has no form for keys that do.
    known = bare in _OPERATORS or bare.removesuffix("IfExists") in _OPERATORS - {"Null"}
    if not known:
        msg = f"condition operator {shown(operator)} is not known"
        raise InvalidPolicyError(msg, hint=did_you_mean(bare[:_LONGEST_NAME], _OPERATORS))


def _condition_values(key: str, value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    texts = []
    for item in values:
        text = _condition_text(item)
        if text is None:
            # Not shown: an external id may be in it.
            rule = "strings, numbers and truth values"
            raise InvalidPolicyError.invalid(item, f"condition key {shown(key)}", rule, secret=True)
        texts.append(text)
    return tuple(sorted(set(texts)))


def _condition_text(item: object) -> str | None:
    if isinstance(item, bool):
        return "true" if item else "false"
    if isinstance(item, str):
        return str(item) if is_unicode(item) else None
    return number_text(item) if isinstance(item, int | float) else None
