"""A role to assume, a chain of them, and what tells two of them apart.

The rules are those of STS's AssumeRole and AssumeRoleWithWebIdentity and of IAM's quotas; each is checked before the
network.
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, fields, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from xsession._aws import (
    MAX_ARN_CHARACTERS,
    MIN_ARN_CHARACTERS,
    POLICY_ARN,
    POLICY_ARN_RULE,
    REGION,
    ROLE_ARN,
    ROLE_ARN_RULE,
    account_of,
    name_of,
    partition_of,
)
from xsession._base import FrozenMap, frozen, hides_frames, sha256
from xsession.errors import ConfigError, InvalidRoleError, shown

from ._durations import MAX_DURATION_SECONDS, MIN_DURATION_SECONDS, whole_seconds
from ._session_name import template_problem
from ._tags import checked_tags

if TYPE_CHECKING:
    from xsession.policies import Policy, PolicyLike


# Every role meets the compiled one; the others are compiled when the first role has such an option.
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_SOURCE_IDENTITY = r"(?a)[\w+=,.@-]{2,256}"
_EXTERNAL_ID = r"(?a)[\w+=,.@:/-]{2,1224}"
_SERIAL = r"(?a)[A-Za-z0-9][\w+=/:,.@-]{8,255}"  # as a program's argument it must not be an option
_NOT_WITH_WEB_IDENTITY = ("external_id", "source_identity", "mfa_serial", "tags", "transitive_tag_keys")


@frozen(hides=ConfigError)
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
        if not isinstance(arn, str) or len(arn) > MAX_ARN_CHARACTERS or not ROLE_ARN.fullmatch(arn):
            raise InvalidRoleError.invalid(arn, "role_arn", ROLE_ARN_RULE)
        self._check_session_name()
        self._check_text("external_id", _EXTERNAL_ID, "2 to 1224 of A-Z a-z 0-9 _ + = , . @ : / -", secret=True)
        self._check_text(
            "source_identity", _SOURCE_IDENTITY, "2 to 256 of A-Z a-z 0-9 _ + = , . @ -, not beginning with aws:"
        )
        self._check_text("mfa_serial", _SERIAL, "9 to 256 of A-Z a-z 0-9 _ + = / : , . @ -, first a letter or digit")
        self._check_text("sts_region_name", REGION, "an AWS region such as eu-west-1")
        self._set("duration_seconds", self._checked_duration())
        self._set("policy_arns", self._checked_policy_arns())
        if self.has_session_policy:
            self._check_session_policy()
        if self.tags or not isinstance(self.tags, FrozenMap):
            self._set("tags", checked_tags(self.tags, self.role_arn))
        self._set("transitive_tag_keys", self._checked_transitive_keys())
        self._set("web_identity_token_file", self._checked_token_file())
        self._check_web_identity()

    @property
    def has_web_identity(self) -> bool:
        """Whether it is assumed with a web identity token, and needs no other credentials."""
        return self.web_identity_token is not None or self.web_identity_token_file is not None

    @property
    def has_session_policy(self) -> bool:
        """Whether its sessions are narrowed already, by a policy or by ARNs of policies."""
        return self.policy is not None or bool(self.policy_arns)

    @property
    def account_id(self) -> str:
        """The 12-digit id of the account that the role is in."""
        return account_of(self.role_arn)

    @property
    def partition(self) -> str:
        """The partition of the role: "aws", "aws-cn", "aws-us-gov", ..."""
        return partition_of(self.role_arn)

    @property
    def name(self) -> str:
        """The role's name, without its path."""
        return name_of(self.role_arn)

    @hides_frames(ConfigError)
    def replace(self, **changes: Any) -> Role:
        """A copy with some options changed, validated again.

        Raises:
            InvalidRoleError: A changed value is one that STS would refuse, or no option has that name.
        """
        unknown = changes.keys() - ROLE_OPTIONS - {"role_arn"}
        if unknown:
            msg = f"a role has no option {shown(min(unknown))}"
            raise InvalidRoleError(msg, role_arn=self.role_arn, hint=f"use one of {', '.join(sorted(ROLE_OPTIONS))}")
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
        return sha256(material.encode()).hexdigest()

    def __getstate__(self) -> list[Any]:
        if self.web_identity_token is not None:
            msg = "a role with web_identity_token= is not pickled: the callable belongs to this process"
            raise TypeError(msg)
        return [getattr(self, option.name) for option in fields(self)]

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _invalid(self, value: object, name: str, rule: str, *, secret: bool = False) -> InvalidRoleError:
        return InvalidRoleError.invalid(value, name, rule, secret=secret, role_arn=self.role_arn)

    def _check_session_name(self) -> None:
        name: object = self.role_session_name
        if isinstance(name, str) and ("{" in name or "}" in name):
            problem = template_problem(name)
            if problem is not None:
                raise self._invalid(name, "role_session_name", problem)
        else:
            self._check_text("role_session_name", _NAME, "2 to 64 of A-Z a-z 0-9 _ + = , . @ -")

    def _checked_token_file(self) -> str | None:
        path: object = self.web_identity_token_file
        if path is None:
            return None
        text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
        if not isinstance(text, str) or not text or "\0" in text:
            # Not shown: the caller may have passed the token itself.
            raise self._invalid(path, "web_identity_token_file", "the path of a file", secret=True)
        return text

    def _check_web_identity(self) -> None:
        token: object = self.web_identity_token
        if token is not None and not callable(token):
            rule = "a function that returns the token; a token ends, and is asked for at each refresh"
            raise self._invalid(token, "web_identity_token", rule, secret=True)
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
            raise self._invalid(value, name, rule, secret=secret)

    def _checked_duration(self) -> int | None:
        value: object = self.duration_seconds
        if value is None:
            return None
        seconds = whole_seconds(value, MIN_DURATION_SECONDS, MAX_DURATION_SECONDS)
        if seconds is None:
            raise self._invalid(value, "duration_seconds", "900 to 43200 whole seconds")
        return seconds

    def _checked_policy_arns(self) -> tuple[str, ...]:
        arns: object = self.policy_arns
        if isinstance(arns, str) or not isinstance(arns, Sequence):
            raise self._invalid(arns, "policy_arns", "a list of ARNs of managed policies")
        for arn in arns:
            match = re.fullmatch(POLICY_ARN, arn) if isinstance(arn, str) else None
            if match is None or not MIN_ARN_CHARACTERS <= len(arn) <= MAX_ARN_CHARACTERS:
                raise self._invalid(arn, "policy_arns", POLICY_ARN_RULE)
            if match[1] not in (self.account_id, "aws"):
                rule = f"a policy of the role's own account {self.account_id}, or one of AWS's"
                raise self._invalid(arn, "policy_arns", rule)
        return tuple(arns)

    def _check_session_policy(self) -> None:
        # Most roles have none, and what reads policies is large.
        from xsession.policies import as_policy, check_session_policy  # noqa: PLC0415

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
            raise self._invalid(keys, "transitive_tag_keys", "a list of keys of tags")
        known = {key.casefold() for key in self.tags}
        for key in keys:
            if not isinstance(key, str) or key.casefold() not in known:
                raise self._invalid(key, "transitive_tag_keys", "each is a key of tags")
        if len({key.casefold() for key in keys}) != len(keys):
            raise self._invalid(list(keys), "transitive_tag_keys", "each key once")
        return tuple(keys)


def second_session_policy(role: Role, account: str, hint: str) -> InvalidRoleError:
    """The error of a session policy for a role that has one: AssumeRole takes one set of them, which it adds up.

    Args:
        role: The role.
        account: The account that is reached by it.
        hint: What to do instead.
    """
    msg = "the role has a session policy, and a second one would not narrow it: AWS adds them up"
    return InvalidRoleError(msg, account=account, role_arn=role.role_arn, hint=hint)


ROLE_OPTIONS = frozenset(option.name for option in fields(Role)) - {"role_arn"}
"""The names of all options of a `Role`."""
