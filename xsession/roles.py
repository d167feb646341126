"""A role to assume, a chain of them, and what tells two of them apart.

The rules are those of STS's AssumeRole and AssumeRoleWithWebIdentity and of IAM's quotas; each is checked before the
network.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from ._frozen import FrozenMap
from ._value import frozen
from .errors import ConfigError, InvalidRoleError
from .session_name import template_problem

if TYPE_CHECKING:
    from ._policies.document import Policy, PolicyLike

MIN_DURATION_SECONDS = 900
MAX_DURATION_SECONDS = 43_200
MAX_CHAINED_DURATION_SECONDS = 3_600

# Every role meets the compiled ones; the others are compiled when the first role has such an option.
_ROLE_ARN = re.compile(r"arn:aws[a-z0-9-]*:iam::[0-9]{12}:role/(?:[\x21-\x2e\x30-\x7e]+/)*[\w+=,.@-]{1,64}", re.ASCII)
POLICY_ARN = r"arn:aws[a-z0-9-]*:iam::([0-9]{12}|aws):policy/[\x21-\x7e]+"
POLICY_ARN_RULE = "arn:<partition>:iam::<account id or aws>:policy/<name>"
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID = r"(?a)[\w+=,.@:/-]{2,1224}"
_SERIAL = r"(?a)[\w+=/:,.@-]{9,256}"
_REGION = r"[a-z]{2,}(-[a-z0-9]+)+"
_TAG_PUNCTUATION = frozenset("_.:/=+-@")
_NOT_WITH_WEB_IDENTITY = ("external_id", "source_identity", "mfa_serial", "tags", "transitive_tag_keys")


@frozen
class Role:
    """One `sts:AssumeRole`: the role's ARN and the options of the request.

    With a web identity it is one `sts:AssumeRoleWithWebIdentity`, which needs no other credentials and takes neither
    external id, source identity, MFA nor tags.

    Args:
        role_arn: `arn:<partition>:iam::<account id>:role/<path and name>`.
        role_session_name: 2 to 64 of `A-Z a-z 0-9 _ + = , . @ -`; or a template with `{user}`, `{host}`, `{program}`
            and `{account}`; None: the session's default.
        external_id: The secret word that the role's trust policy asks third parties for; 2 to 1224 characters.
        duration_seconds: How long the credentials live: 900 to 43200 seconds, or a timedelta; None: AWS's 3600.
        policy: A session policy, as a `Policy`, a mapping or JSON; the session gets at most what it allows.
        policy_arns: Managed policies used as session policies, at most 10, of the role's account or AWS's own.
        tags: Session tags, at most 50.
        transitive_tag_keys: Those keys of `tags` which the next hops inherit.
        source_identity: Who is behind the session; stays on it through the whole chain.
        mfa_serial: Serial number or ARN of the MFA device; on the first hop only.
        sts_region_name: The region whose STS is asked; None: the session's region.
        web_identity_token: Called for a web identity token, such as an OIDC token, at each refresh; on the first hop
            only. A role with one is not pickled.
        web_identity_token_file: The file that holds such a token, read at each refresh.

    Raises:
        InvalidRoleError: A value which STS would refuse; names the option, the value and the rule.
        InvalidPolicyError: `policy` is not a policy document.
    """

    role_arn: str
    role_session_name: str | None = field(default=None, kw_only=True)
    external_id: str | None = field(default=None, kw_only=True, repr=False)
    duration_seconds: int | timedelta | None = field(default=None, kw_only=True)
    policy: PolicyLike | None = field(default=None, kw_only=True, hash=False)
    policy_arns: Sequence[str] = field(default=(), kw_only=True)
    tags: Mapping[str, str] = field(default_factory=FrozenMap, kw_only=True, hash=False)
    transitive_tag_keys: Sequence[str] = field(default=(), kw_only=True)
    source_identity: str | None = field(default=None, kw_only=True)
    mfa_serial: str | None = field(default=None, kw_only=True)
    sts_region_name: str | None = field(default=None, kw_only=True)
    web_identity_token: Callable[[], str] | None = field(default=None, kw_only=True, repr=False, hash=False)
    web_identity_token_file: str | os.PathLike[str] | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        arn: object = self.role_arn
        if not isinstance(arn, str) or not 20 <= len(arn) <= 2048 or not _ROLE_ARN.fullmatch(arn):
            rule = "arn:<partition>:iam::<12-digit account id>:role/<path and name>"
            raise _invalid(None, "role_arn", arn, rule)
        self._check_session_name()
        self._check_text("external_id", _EXTERNAL_ID, "2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -", secret=True)
        self._check_text("source_identity", _NAME, "2 to 64 of A-Z a-z 0-9 _ + = , . @ -, not beginning with aws:")
        self._check_text("mfa_serial", _SERIAL, "9 to 256 of A-Z a-z 0-9 _ + = / : , . @ -")
        self._check_text("sts_region_name", _REGION, "an AWS region such as eu-west-1")
        self._set("duration_seconds", self._checked_duration())
        self._set("policy_arns", self._checked_policy_arns())
        if self.policy is not None or self.policy_arns:
            self._check_session_policy()
        self._set("tags", checked_tags(self.tags, self.role_arn))
        self._set("transitive_tag_keys", self._checked_transitive_keys())
        self._set("web_identity_token_file", self._checked_token_file())
        self._check_web_identity()

    @property
    def has_web_identity(self) -> bool:
        """Whether it is assumed with a web identity token, and needs no other credentials."""
        return self.web_identity_token is not None or self.web_identity_token_file is not None

    @property
    def account_id(self) -> str:
        """The 12-digit id of the account that the role is in."""
        return self.role_arn.split(":")[4]

    @property
    def partition(self) -> str:
        """The partition of the role: "aws", "aws-cn", "aws-us-gov", ..."""
        return self.role_arn.split(":")[1]

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return self.role_arn.rpartition("/")[2]

    def replace(self, **changes: Any) -> Role:
        """A copy with some options changed, validated anew.

        Raises:
            InvalidRoleError: A changed value is one that STS would refuse, or no option is called so.
        """
        unknown = changes.keys() - OPTIONS - {"role_arn"}
        if unknown:
            msg = f"a role has no option {min(unknown)!r}"
            raise InvalidRoleError(msg, role_arn=self.role_arn, hint=f"options are: {', '.join(sorted(OPTIONS))}")
        return replace(self, **changes)

    def request(self) -> dict[str, Any]:
        """The parameters of the call, without the MFA code or the web identity token."""
        request: dict[str, Any] = {
            "RoleArn": self.role_arn,
            "RoleSessionName": self.role_session_name,
            "ExternalId": self.external_id,
            "DurationSeconds": self.duration_seconds,
            "Policy": None if self.policy is None else cast("Policy", self.policy).to_json(),
            "PolicyArns": [{"arn": arn} for arn in self.policy_arns],
            "Tags": [{"Key": key, "Value": value} for key, value in self.tags.items()],
            "TransitiveTagKeys": list(self.transitive_tag_keys),
            "SourceIdentity": self.source_identity,
            "SerialNumber": self.mfa_serial,
        }
        return {name: value for name, value in request.items() if value not in (None, [])}

    def key(self, parent: str) -> str:
        """What tells this hop's credentials from all others: 64 hex digits.

        Args:
            parent: The key of the hop before, or the identity of the source; of a role with a web identity from a
                callable, what stands for that.
        """
        request = self.request()
        # The order of these says nothing to STS, and tag keys differ by more than case.
        request["PolicyArns"] = sorted(self.policy_arns)
        request["Tags"] = sorted((key.casefold(), key, value) for key, value in self.tags.items())
        request["TransitiveTagKeys"] = sorted(key.casefold() for key in self.transitive_tag_keys)
        material = json.dumps(
            [parent, self.partition, self.sts_region_name, self.web_identity_token_file, request], sort_keys=True
        )
        return hashlib.sha256(material.encode()).hexdigest()

    def __getstate__(self) -> list[Any]:
        if self.web_identity_token is not None:
            msg = "a role with web_identity_token= is not pickled: the callable belongs to this process"
            raise TypeError(msg)
        return [getattr(self, option.name) for option in fields(self)]

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_session_name(self) -> None:
        name: object = self.role_session_name
        if isinstance(name, str) and ("{" in name or "}" in name):
            problem = template_problem(name)
            if problem is not None:
                raise _invalid(self.role_arn, "role_session_name", name, problem)
        else:
            self._check_text("role_session_name", _NAME, "2 to 64 of A-Z a-z 0-9 _ + = , . @ -")

    def _checked_token_file(self) -> str | None:
        path: object = self.web_identity_token_file
        if path is None:
            return None
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
        if not isinstance(text, str) or not text or "\0" in text:
            # Not shown: somebody may have passed the token itself.
            raise _invalid(self.role_arn, "web_identity_token_file", path, "the path of a file", secret=True)
        return text

    def _check_web_identity(self) -> None:
        token: object = self.web_identity_token
        if token is not None and not callable(token):
            rule = "a function that returns the token; a token ends, and is asked for at each refresh"
            raise _invalid(self.role_arn, "web_identity_token", token, rule, secret=True)
        if not self.has_web_identity:
            return
        if token is not None and self.web_identity_token_file is not None:
            msg = "web_identity_token and web_identity_token_file both say where the token comes from"
            raise InvalidRoleError(msg, role_arn=self.role_arn, hint="pass one of them")
        for name in _NOT_WITH_WEB_IDENTITY:
            if getattr(self, name):
                msg = f"{name} can't stand beside a web identity: AssumeRoleWithWebIdentity takes none"
                raise InvalidRoleError(msg, role_arn=self.role_arn, hint=f"leave {name} out, or give it to a next hop")

    def _check_text(self, name: str, pattern: str | re.Pattern[str], rule: str, *, secret: bool = False) -> None:
        value = getattr(self, name)
        if value is not None and not (isinstance(value, str) and re.fullmatch(pattern, value)):
            raise _invalid(self.role_arn, name, value, rule, secret=secret)

    def _checked_duration(self) -> int | None:
        value: object = self.duration_seconds
        seconds = whole_seconds(value, MIN_DURATION_SECONDS, MAX_DURATION_SECONDS)
        if value is not None and seconds is None:
            raise _invalid(self.role_arn, "duration_seconds", value, "900 to 43200 whole seconds")
        return seconds

    def _checked_policy_arns(self) -> tuple[str, ...]:
        arns: object = self.policy_arns
        if isinstance(arns, str) or not isinstance(arns, Sequence):
            raise _invalid(self.role_arn, "policy_arns", arns, "a list of ARNs of managed policies")
        for arn in arns:
            match = re.fullmatch(POLICY_ARN, arn) if isinstance(arn, str) else None
            if match is None or not 20 <= len(arn) <= 2048:
                raise _invalid(self.role_arn, "policy_arns", arn, POLICY_ARN_RULE)
            if match[1] not in (self.account_id, "aws"):
                rule = f"a policy of the role's own account {self.account_id}, or one of AWS's"
                raise _invalid(self.role_arn, "policy_arns", arn, rule)
        return tuple(arns)

    def _check_session_policy(self) -> None:
        # Most roles have none, and what reads policies is large.
        from ._policies.document import as_policy  # noqa: PLC0415
        from ._policies.limits import check_session_policy  # noqa: PLC0415

        policy = None if self.policy is None else as_policy(self.policy)
        self._set("policy", policy)
        try:
            check_session_policy(policy, self.policy_arns)
        except ConfigError as error:
            error.role_arn = self.role_arn
            raise

    def _checked_transitive_keys(self) -> tuple[str, ...]:
        keys: object = self.transitive_tag_keys
        if isinstance(keys, str) or not isinstance(keys, Sequence):
            raise _invalid(self.role_arn, "transitive_tag_keys", keys, "a list of keys of tags")
        known = {key.casefold() for key in self.tags}
        for key in keys:
            if not isinstance(key, str) or key.casefold() not in known:
                raise _invalid(self.role_arn, "transitive_tag_keys", key, "each is a key of tags")
        if len({key.casefold() for key in keys}) != len(keys):
            raise _invalid(self.role_arn, "transitive_tag_keys", list(keys), "each key once")
        return tuple(keys)


OPTIONS = frozenset(option.name for option in fields(Role)) - {"role_arn"}
"""The names of all options of a `Role`."""


@frozen
class RoleChain:
    """The roles from the source to an account, in the order in which they are assumed.

    Args:
        first: The role that the source assumes: a `Role` or its ARN.
        rest: The roles assumed from there on, each by the one before.

    Raises:
        InvalidRoleError: A chain which STS would refuse: roles of two partitions, more than 3600 seconds
            asked of a later hop (https://repost.aws/knowledge-center/iam-role-chaining-limit), or MFA or a web identity
            there.
    """

    roles: tuple[Role, ...]

    def __init__(self, first: Role | str, *rest: Role | str) -> None:
        object.__setattr__(self, "roles", tuple(_as_role(role) for role in (first, *rest)))
        for hop, role in enumerate(self.roles[1:], start=2):
            self._check_later_hop(hop, role)

    def _check_later_hop(self, hop: int, role: Role) -> None:
        if role.partition != self.roles[0].partition:
            msg = f"a chain can't leave its partition: {self.roles[0].partition!r} here, {role.partition!r} there"
            raise InvalidRoleError(msg, role_arn=role.role_arn, hop=hop)
        seconds = role.duration_seconds
        if isinstance(seconds, int) and seconds > MAX_CHAINED_DURATION_SECONDS:
            msg = f"duration_seconds {seconds} is over the 3600 that AWS allows a role assumed by another role"
            hint = "ask for 3600 or less; they are refreshed anyway"
            raise InvalidRoleError(msg, role_arn=role.role_arn, hop=hop, hint=hint)
        if role.mfa_serial is not None:
            msg = "mfa_serial is for the first hop: a role's credentials can't pass an MFA code on"
            raise InvalidRoleError(msg, role_arn=role.role_arn, hop=hop, hint="put mfa_serial on the first role")
        if role.has_web_identity:
            msg = "a web identity is for the first hop: a later one is assumed with the credentials of the hop before"
            raise InvalidRoleError(msg, role_arn=role.role_arn, hop=hop, hint="put it on the first role")

    @property
    def last(self) -> Role:
        """The role whose credentials the account's clients use."""
        return self.roles[-1]

    @property
    def account_id(self) -> str:
        """The 12-digit id of the account that the chain ends in."""
        return self.last.account_id

    def __iter__(self) -> Iterator[Role]:
        return iter(self.roles)

    def __len__(self) -> int:
        return len(self.roles)

    def __repr__(self) -> str:
        return f"RoleChain({', '.join(map(repr, self.roles))})"


def whole_seconds(value: object, shortest: int, longest: int) -> int | None:
    """The seconds that a number or a timedelta stands for; None where they are not whole or out of the range."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else value
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or not shortest <= seconds <= longest:
        return None
    return int(seconds) if seconds == seconds // 1 else None


def as_chain(value: RoleChain | Role | str) -> RoleChain:
    """The chain that a chain, a role or a role's ARN stands for."""
    return value if isinstance(value, RoleChain) else RoleChain(value)


def _as_role(value: Role | str) -> Role:
    return value if isinstance(value, Role) else Role(value)


def checked_tags(tags: object, role_arn: str | None = None) -> FrozenMap[str]:
    """Tags as STS and IAM take them.

    Args:
        tags: Keys to values.
        role_arn: The role that they are for, where it has an ARN by now.

    Raises:
        InvalidRoleError: They are no such mapping, or too many, or a key or value is not valid.
    """
    if not isinstance(tags, Mapping) or len(tags) > 50:
        raise _invalid(role_arn, "tags", tags, "a mapping of at most 50 keys to values")
    seen: dict[str, str] = {}
    for key, value in tags.items():
        if not _is_tag_text(key, 1, 128) or key.lower().startswith("aws:"):
            rule = "keys are 1 to 128 letters, digits, spaces and _ . : / = + - @, and do not begin with aws:"
            raise _invalid(role_arn, "tags", key, rule)
        if not _is_tag_text(value, 0, 256):
            rule = f"the value of {key!r} is up to 256 letters, digits, spaces and _ . : / = + - @"
            raise _invalid(role_arn, "tags", value, rule)
        if key.casefold() in seen:
            rule = f"keys differ by more than case, and {seen[key.casefold()]!r} is there too"
            raise _invalid(role_arn, "tags", key, rule)
        seen[key.casefold()] = key
    return FrozenMap(tags)


def _is_tag_text(value: object, shortest: int, longest: int) -> bool:
    import unicodedata  # noqa: PLC0415 # a shared library of its own, and most roles have no tags

    return (
        isinstance(value, str)
        and shortest <= len(value) <= longest
        and all(char in _TAG_PUNCTUATION or unicodedata.category(char)[0] in "LZN" for char in value)
    )


def _invalid(role_arn: str | None, name: str, value: object, rule: str, *, secret: bool = False) -> InvalidRoleError:
    shown = "(not shown)" if secret else _shortened(repr(value))
    return InvalidRoleError(f"{name} {shown} is not valid: {rule}", role_arn=role_arn)


def _shortened(text: str, longest: int = 120) -> str:
    return text if len(text) <= longest else f"{text[:longest]}..."
