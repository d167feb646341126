"""The grammar of IAM policy documents: statements and policies as values, read from JSON and written to it.

What AWS would refuse is refused here, with the place in the document and the rule.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, TypeAlias

from xsession._aws import ACCOUNT_ID, PARTITION
from xsession._base import FrozenMap, did_you_mean, frozen
from xsession.errors import InvalidPolicyError, shown

from ._external_ids import ExternalIds, may_be_in

Effect: TypeAlias = Literal["Allow", "Deny"]
Conditions: TypeAlias = Mapping[str, Mapping[str, Any]]
PolicyLike: TypeAlias = "Policy | Mapping[str, Any] | str"

_VERSIONS = ("2012-10-17", "2008-10-17")
_STATEMENT_KEYS = (
    "Sid",
    "Effect",
    "Principal",
    "NotPrincipal",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
)
_SID = re.compile(r"[A-Za-z0-9]+")
_ACTION = re.compile(r"\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+")
_RESOURCE = re.compile(r"\*|arn:[^:\s]+:[^:\s]+:[^:\s]*:[^:\s]*:.+|arn:[^:]*\*", re.DOTALL)
# Those of an identity provider begin with its URL, which may have a path, as in EKS's `oidc.eks.../id/...:sub`.
_CONDITION_KEY = re.compile(r"[A-Za-z0-9._/-]+:[^\s]+")

_AWS_PRINCIPAL = re.compile(
    rf"\*|{ACCOUNT_ID}|[A-Z0-9]{{16,128}}"
    rf"|arn:{PARTITION}:iam::{ACCOUNT_ID}:(root|(user|role)/[\x21-\x7e]+)"
    rf"|arn:{PARTITION}:sts::{ACCOUNT_ID}:(assumed-role|federated-user)/[\x21-\x7e]+",
    re.ASCII,
)
SERVICE_PRINCIPAL = re.compile(r"[a-z0-9.-]+\.amazonaws\.com(\.cn)?")
_FEDERATED = re.compile(
    rf"arn:{PARTITION}:iam::{ACCOUNT_ID}:(oidc|saml)-provider/[\x21-\x7e]+|[a-z0-9-]+(\.[a-z0-9-]+)+", re.ASCII
)
_PRINCIPALS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "AWS": (_AWS_PRINCIPAL, "an account id or the ARN of an account's root, a user, a role or a session"),
    "Service": (SERVICE_PRINCIPAL, "a service such as ec2.amazonaws.com"),
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


@frozen(kw_only=True)
class Statement:
    """One statement of a policy. Lists are kept without duplicates, sorted: their order says nothing to AWS.

    Args:
        effect: "Allow" or "Deny".
        actions: "s3:GetObject", "ec2:*", ...; or `not_actions`.
        not_actions: All actions but these.
        resources: ARNs, with wildcards, or "*"; or `not_resources`. None in a trust policy.
        not_resources: All resources but these.
        principals: Whom a trust policy is about: kind ("AWS", "Service", "Federated") to names.
        not_principals: Everybody but these.
        conditions: Operator to condition key to values.
        sid: An identifier, unique in its policy.

    Raises:
        InvalidPolicyError: A value which IAM would refuse.
    """

    effect: Effect
    actions: Sequence[str] = ()
    not_actions: Sequence[str] = ()
    resources: Sequence[str] = ()
    not_resources: Sequence[str] = ()
    principals: Mapping[str, Sequence[str]] = field(default_factory=FrozenMap)
    not_principals: Mapping[str, Sequence[str]] = field(default_factory=FrozenMap)
    conditions: Conditions = field(default_factory=FrozenMap)
    sid: str | None = None

    def __post_init__(self) -> None:
        if self.effect not in ("Allow", "Deny"):
            raise InvalidPolicyError.invalid(self.effect, "Effect", "Allow or Deny")
        sid: object = self.sid
        if sid is not None and not (isinstance(sid, str) and _SID.fullmatch(sid)):
            raise InvalidPolicyError.invalid(sid, "Sid", "letters and digits only")
        action_rule = "* or <service>:<action>, where the action may have * and ?"
        for name in ("actions", "not_actions"):
            self._set(name, _texts(name, getattr(self, name), _ACTION, action_rule))
        for name in ("resources", "not_resources"):
            self._set(name, _texts(name, getattr(self, name), _RESOURCE, "* or an ARN, which may have * and ?"))
        for name in ("principals", "not_principals"):
            self._set(name, _checked_principals(name, getattr(self, name)))
        self._set("conditions", _checked_conditions(self.conditions))
        _one_of("Action", self.actions, self.not_actions)
        if self.principals or self.not_principals:
            _one_of("Principal", self.principals, self.not_principals)
            if self.resources and self.not_resources:
                _one_of("Resource", self.resources, self.not_resources)
        else:
            _one_of("Resource", self.resources, self.not_resources)

    @property
    def has_principal(self) -> bool:
        """Whether it says whom it is about, as statements of trust and resource policies do."""
        return bool(self.principals or self.not_principals)

    def to_dict(self) -> dict[str, Any]:
        """The statement as IAM's JSON has it; lists of one are plain values."""
        document: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": self.effect,
            "Principal": _principal_document(self.principals),
            "NotPrincipal": _principal_document(self.not_principals),
            "Action": _plain(self.actions),
            "NotAction": _plain(self.not_actions),
            "Resource": _plain(self.resources),
            "NotResource": _plain(self.not_resources),
            "Condition": {
                operator: {key: _plain(values) for key, values in keys.items()}
                for operator, keys in self.conditions.items()
            },
        }
        return {key: value for key, value in document.items() if value not in (None, [], {})}

    def __repr__(self) -> str:
        return f"<Statement: {_without_external_ids(self.to_dict())}>"

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)


@frozen
class Policy:
    """An IAM policy document: statements that add up, a Deny before every Allow.

    Args:
        statements: At least one.
        version: "2012-10-17", or "2008-10-17", in which `${...}` is no variable.

    Raises:
        InvalidPolicyError: No statement, an unknown version, or a `sid` that is there twice.
    """

    statements: Sequence[Statement]
    version: str = field(default="2012-10-17", kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "statements", tuple(self.statements))
        if not self.statements:
            msg = "a policy has at least one statement"
            raise InvalidPolicyError(msg)
        if self.version not in _VERSIONS:
            raise InvalidPolicyError.invalid(self.version, "Version", " or ".join(_VERSIONS))
        sids = [statement.sid for statement in self.statements if statement.sid is not None]
        for sid in sids:
            if sids.count(sid) > 1:
                raise InvalidPolicyError.invalid(
                    sid, "Sid", "each is unique in its policy, and this one is there twice"
                )

    @classmethod
    def from_json(cls, text: str) -> Policy:
        """The policy that a JSON text holds.

        Raises:
            InvalidPolicyError: It is not JSON, has a key twice, or is no policy; says where.
        """
        try:
            document = json.loads(text, object_pairs_hook=_unique_keys)
        except json.JSONDecodeError as error:
            msg = f"a policy is not valid JSON: {error}"
            raise InvalidPolicyError(msg) from None
        return cls.from_dict(document)

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Policy:
        """The policy that a mapping of IAM's own form holds.

        Raises:
            InvalidPolicyError: It is no policy; says where.
        """
        top: object = document
        if not isinstance(top, Mapping):
            msg = f"a policy is an object with Version and Statement, not {type(top).__name__}"
            raise InvalidPolicyError(msg)
        _refuse_unknown("the policy", top, ("Version", "Id", "Statement"))
        entries = top.get("Statement", ())
        if isinstance(entries, Mapping):
            entries = [entries]
        if isinstance(entries, str) or not isinstance(entries, Sequence):
            rule = "an object or a list of objects"
            raise InvalidPolicyError.invalid(entries, "Statement", rule, secret=may_be_in(entries))
        statements = [_statement(number, entry) for number, entry in enumerate(entries, start=1)]
        # Without a Version, AWS takes the older language, in which "${aws:username}" is only text.
        return cls(statements, version=top.get("Version", _VERSIONS[1]))

    def to_dict(self) -> dict[str, Any]:
        """The document as IAM's JSON has it."""
        return {"Version": self.version, "Statement": [statement.to_dict() for statement in self.statements]}

    def to_json(self, *, indent: int | None = None) -> str:
        """The document as JSON, in the fewest characters unless an `indent` is given."""
        return json.dumps(self.to_dict(), indent=indent, separators=None if indent else (",", ":"))

    @property
    def size(self) -> int:
        """Characters of the compact JSON, which AWS's limits count."""
        return len(self.to_json())

    def __add__(self, other: Policy) -> Policy:
        if not isinstance(other, Policy):
            return NotImplemented
        if other.version != self.version:
            msg = (
                f"policies of Version {self.version} and {other.version} can't be one: ${{...}} means different things"
            )
            raise InvalidPolicyError(msg)
        return Policy((*self.statements, *other.statements), version=self.version)

    def __repr__(self) -> str:
        return f"<Policy: {_without_external_ids(self.to_dict())}>"


def as_policy(value: PolicyLike) -> Policy:
    """The policy that a `Policy`, a mapping of IAM's own form or a JSON text stands for.

    Raises:
        InvalidPolicyError: It is no policy.
    """
    if isinstance(value, Policy):
        return value
    return Policy.from_json(value) if isinstance(value, str) else Policy.from_dict(value)


def _statement(number: int, entry: object) -> Statement:
    where = f"statement {number}"
    if not isinstance(entry, Mapping):
        rule = "an object with Effect, Action and Resource"
        raise InvalidPolicyError.invalid(entry, where, rule, secret=may_be_in(entry))
    _refuse_unknown(where, entry, _STATEMENT_KEYS)
    if "Effect" not in entry:
        msg = f"{where} has no Effect: Allow or Deny"
        raise InvalidPolicyError(msg)
    try:
        return Statement(
            effect=entry["Effect"],
            actions=_listed(entry.get("Action", ())),
            not_actions=_listed(entry.get("NotAction", ())),
            resources=_listed(entry.get("Resource", ())),
            not_resources=_listed(entry.get("NotResource", ())),
            principals=_listed_principals(entry.get("Principal", {})),
            not_principals=_listed_principals(entry.get("NotPrincipal", {})),
            conditions=entry.get("Condition", {}),
            sid=entry.get("Sid") or None,
        )
    except InvalidPolicyError as error:
        error.within(where)
        raise


def _refuse_unknown(where: str, document: Mapping[Any, Any], known: Sequence[str]) -> None:
    for key in document:
        if key not in known:
            msg = f"{where} has an unknown key {shown(key)}"
            raise InvalidPolicyError(msg, hint=did_you_mean(str(key), known, f"keys: {', '.join(known)}"))


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        msg = f"a policy has the key {shown(twice)} twice in one object, and AWS would look at one of them only"
        raise InvalidPolicyError(msg)
    return document


def _texts(name: str, values: object, pattern: re.Pattern[str], rule: str) -> tuple[str, ...]:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InvalidPolicyError.invalid(values, name, "a list")
    chosen = list(values)
    for value in chosen:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise InvalidPolicyError.invalid(value, name, rule)
    return tuple(sorted(set(chosen)))


def _checked_principals(name: str, principals: object) -> FrozenMap[tuple[str, ...]]:
    if not isinstance(principals, Mapping):
        raise InvalidPolicyError.invalid(principals, name, f"a mapping of {', '.join(_PRINCIPALS)} to names")
    checked = {}
    for kind, names in principals.items():
        if kind not in _PRINCIPALS:
            raise InvalidPolicyError.invalid(kind, name, f"a mapping of {', '.join(_PRINCIPALS)} to names")
        checked[kind] = _texts(name, names, *_PRINCIPALS[kind])
    return FrozenMap(sorted(checked.items()))


def _checked_conditions(conditions: object) -> FrozenMap[FrozenMap[tuple[str, ...]]]:
    if not isinstance(conditions, Mapping):
        rule = "an object of operators"
        raise InvalidPolicyError.invalid(conditions, "Condition", rule, secret=may_be_in(conditions))
    checked = {}
    for operator, keys in conditions.items():
        _check_operator(operator)
        if not isinstance(keys, Mapping) or not keys:
            # Not shown: what was meant for a key may be its value, an external id.
            rule = "an object of condition keys"
            raise InvalidPolicyError.invalid(keys, f"Condition {operator}", rule, secret=True)
        for key in keys:
            if not isinstance(key, str) or not _CONDITION_KEY.fullmatch(key):
                raise InvalidPolicyError.invalid(key, "condition key", "<service>:<key>, such as aws:SourceIp")
        checked[operator] = FrozenMap(sorted((key, _condition_values(key, value)) for key, value in keys.items()))
    return FrozenMap(sorted(checked.items()))


def _check_operator(operator: object) -> None:
    name = operator if isinstance(operator, str) else ""
    bare = name.removeprefix("ForAllValues:").removeprefix("ForAnyValue:")
    # "Null" asks whether the key exists: it has no form for keys that do.
    known = bare in _OPERATORS or bare.removesuffix("IfExists") in _OPERATORS - {"Null"}
    if not known:
        msg = f"condition operator {shown(operator)} is not known"
        raise InvalidPolicyError(msg, hint=did_you_mean(bare, _OPERATORS))


def _condition_values(key: str, value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple | set | frozenset) else [value]
    texts = []
    if not values:
        msg = f"condition key {shown(key)} has no value"
        raise InvalidPolicyError(msg)
    for item in values:
        if isinstance(item, bool):
            texts.append("true" if item else "false")
        elif isinstance(item, str | int | float):
            texts.append(str(item))
        else:
            # Not shown: an external id may be in it.
            rule = "strings, numbers and truth values"
            raise InvalidPolicyError.invalid(item, f"condition key {shown(key)}", rule, secret=True)
    return tuple(sorted(set(texts)))


def _one_of(name: str, values: object, opposite: object) -> None:
    if bool(values) == bool(opposite):
        msg = f"a statement has either {name} or Not{name}, and needs one of them"
        raise InvalidPolicyError(msg)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _listed_principals(value: Any) -> Any:
    if value == "*":
        return {"AWS": ["*"]}
    return {kind: _listed(names) for kind, names in value.items()} if isinstance(value, Mapping) else value


def _without_external_ids(document: Mapping[str, Any]) -> str:
    return json.dumps(ExternalIds().hidden(document), separators=(",", ":"))


def _plain(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _principal_document(principals: Mapping[str, Sequence[str]]) -> dict[str, str | list[str]]:
    return {kind: _plain(names) for kind, names in principals.items()}
