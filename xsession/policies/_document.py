"""The grammar of IAM policy documents: statements and policies as values, read from JSON and written to it.

Whatever IAM stores is taken; what is no policy to IAM is refused, with the place in the document and the rule. What a
kind of policy may not have is refused where one is written, in `_limits` and `_writing`.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, TypeAlias

from xsession._base import FrozenMap, frozen, hides_frames
from xsession.errors import ConfigError, InvalidPolicyError

from ._external_ids import ExternalIds, may_be_in
from ._json import read_json, refuse_oversized
from ._statement_values import (
    ACTION,
    RESOURCE,
    SID,
    checked_conditions,
    checked_principals,
    checked_texts,
    refuse_unknown,
)

Effect: TypeAlias = Literal["Allow", "Deny"]
Conditions: TypeAlias = Mapping[str, Mapping[str, Any]]

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


@frozen(kw_only=True, hides=ConfigError)
class Statement:
    """One statement of a policy. Lists are kept without duplicates, sorted: their order says nothing to AWS.

    Args:
        effect: "Allow" or "Deny".
        actions: "s3:GetObject", "ec2:*", ...; or `not_actions`.
        not_actions: All actions but these.
        resources: ARNs, with wildcards, or "*"; or `not_resources`. None in a trust policy.
        not_resources: All resources but these.
        principals: Whom a trust policy is about: kind ("AWS", "Service", "Federated") to names.
        not_principals: All principals but these.
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
        if sid is not None and not (isinstance(sid, str) and SID.fullmatch(sid)):
            raise InvalidPolicyError.invalid(sid, "Sid", "letters and digits only")
        action_rule = "* or <service>:<action>, where the action may have * and ?"
        for name in ("actions", "not_actions"):
            self._set(name, checked_texts(name, getattr(self, name), ACTION, action_rule))
        for name in ("resources", "not_resources"):
            self._set(name, checked_texts(name, getattr(self, name), RESOURCE, "* or an ARN, which may have * and ?"))
        for name in ("principals", "not_principals"):
            self._set(name, checked_principals(name, getattr(self, name)))
        self._set("conditions", checked_conditions(self.conditions))
        _one_of("Action", self.actions, self.not_actions)
        if self.has_principal:
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
        statements: object = self.statements
        if isinstance(statements, str | Mapping) or not isinstance(statements, Iterable):
            raise InvalidPolicyError.invalid(statements, "statements", "a list of Statement")
        object.__setattr__(self, "statements", tuple(statements))
        if not self.statements:
            msg = "a policy has at least one statement"
            raise InvalidPolicyError(msg)
        if self.version not in _VERSIONS:
            raise InvalidPolicyError.invalid(self.version, "Version", " or ".join(_VERSIONS))
        sids: set[str] = set()
        for statement in self.statements:
            one: object = statement
            if not isinstance(one, Statement):
                raise InvalidPolicyError.invalid(one, "statements", "a list of Statement")
            if one.sid in sids:
                rule = "each is unique in its policy, and this one is there twice"
                raise InvalidPolicyError.invalid(one.sid, "Sid", rule)
            sids |= {one.sid} if one.sid is not None else set()

    @classmethod
    @hides_frames(ConfigError)
    def from_json(cls, text: str) -> Policy:
        """The policy that a JSON string holds.

        Raises:
            InvalidPolicyError: It is too long, not JSON, has a key twice, or is no policy; says where.
        """
        document: Any = read_json(text)
        return cls.from_dict(document)

    @classmethod
    @hides_frames(ConfigError)
    def from_dict(cls, document: Mapping[str, Any]) -> Policy:
        """The policy that a mapping of IAM's own form holds.

        Raises:
            InvalidPolicyError: It is no policy; says where.
        """
        top: object = document
        if not isinstance(top, Mapping):
            msg = f"a policy is an object with Version and Statement, not {type(top).__name__}"
            raise InvalidPolicyError(msg)
        refuse_oversized(top)
        refuse_unknown("the policy", top, ("Version", "Id", "Statement"))
        if not isinstance(top.get("Id", ""), str):
            raise InvalidPolicyError.invalid(top["Id"], "Id", "a string")
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


PolicyLike: TypeAlias = Policy | Mapping[str, Any] | str
"""What stands for a policy in a call: the value, a mapping of IAM's own form or a JSON string."""


@hides_frames(ConfigError)
def as_policy(value: PolicyLike) -> Policy:
    """The policy that a `Policy`, a mapping of IAM's own form or a JSON string stands for.

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
    refuse_unknown(where, entry, _STATEMENT_KEYS)
    if "Effect" not in entry:
        msg = f"{where} has no Effect: Allow or Deny"
        raise InvalidPolicyError(msg)
    try:
        return Statement(
            effect=entry["Effect"],
            actions=_listed(entry.get("Action", ())),
            not_actions=_listed(entry.get("NotAction", ())),
            resources=_listed_resources(entry.get("Resource", ())),
            not_resources=_listed_resources(entry.get("NotResource", ())),
            principals=_listed_principals(entry, "Principal"),
            not_principals=_listed_principals(entry, "NotPrincipal"),
            conditions=entry.get("Condition", {}),
            sid=None if entry.get("Sid") == "" else entry.get("Sid"),
        )
    except InvalidPolicyError as error:
        error.within(where)
        raise


def _one_of(name: str, values: object, opposite: object) -> None:
    if bool(values) == bool(opposite):
        msg = f"a statement has either {name} or Not{name}, and needs one of them"
        raise InvalidPolicyError(msg)


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _listed_resources(value: Any) -> Any:
    # IAM stores lists with null in them, and takes no notice of it.
    return [one for one in value if one is not None] if isinstance(value, list) else _listed(value)


def _listed_principals(entry: Mapping[str, Any], name: str) -> Any:
    value = entry.get(name, {})
    if value == "*":
        return {"AWS": ["*"]}
    if name in entry and value == {}:
        return {"AWS": []}
    return {kind: _listed(names) for kind, names in value.items()} if isinstance(value, Mapping) else value


def _without_external_ids(document: Mapping[str, Any]) -> str:
    return json.dumps(ExternalIds().hidden(document), separators=(",", ":"))


def _plain(values: Sequence[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else list(values)


def _principal_document(principals: Mapping[str, Sequence[str]]) -> dict[str, str | list[str]]:
    return {kind: _plain(names) for kind, names in principals.items()}
