"""Reads requests to STS and refuses what is over AWS's limits.

https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from xsession._aws import ACCOUNT_ID, PARTITION
from xsession._base import frozen
from xsession.errors import InvalidPolicyError
from xsession.policies import Policy
from xsession.testing._http import RefusedError, numbered_values
from xsession.testing._iam import session_policy_refusal

_ROLE_ARN = re.compile(rf"arn:({PARTITION}):iam::({ACCOUNT_ID}):role/(?:.*/)?([\w+=,.@-]{{1,64}})", re.ASCII)
_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_SOURCE_IDENTITY = re.compile(r"[\w+=,.@-]{2,256}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_TAG_KEY = re.compile(r"[\w\s.:/=+@-]{1,128}")
_TAG_VALUE = re.compile(r"[\w\s.:/=+@-]{0,256}")


@frozen
class RoleRequest:
    """A request for a role's session.

    Args:
        arn: The role.
        partition: Its partition.
        account_id: Its account.
        name: Its name.
        session_name: The session's name.
        seconds: How long it is to live.
        external_id: The external id.
        source_identity: The source identity.
        tags: The session tags.
        transitive: The keys of those that go on to the next role.
        policy: The inline session policy.
        policy_arns: The managed ones.
    """

    arn: str
    partition: str
    account_id: str
    name: str
    session_name: str
    seconds: int
    external_id: str | None
    source_identity: str | None
    tags: Mapping[str, str]
    transitive: Sequence[str]
    policy: Policy | None
    policy_arns: Sequence[str]

    @property
    def session_arn(self) -> str:
        """The session's ARN."""
        return f"arn:{self.partition}:sts::{self.account_id}:assumed-role/{self.name}/{self.session_name}"

    @property
    def packed_size(self) -> int:
        """How much of its limit it takes, in percent."""
        # AWS packs it into a form of its own; this is only of the same kind.
        size = sum(map(len, self.policy_arns)) + sum(len(key) + len(value) for key, value in self.tags.items())
        size += 0 if self.policy is None else self.policy.size
        return 0 if not size else max(1, min(100, size * 100 // 4_096))


def read_role_request(parameters: Mapping[str, str]) -> RoleRequest:
    """A request for a role's session.

    Raises:
        RefusedError: It is over AWS's limits.
    """
    arn, session_name = parameters.get("RoleArn", ""), parameters.get("RoleSessionName", "")
    match = _ROLE_ARN.fullmatch(arn)
    if match is None:
        invalid(f"{arn} is invalid")
    external_id, source_identity = parameters.get("ExternalId"), parameters.get("SourceIdentity")
    _match(session_name, "roleSessionName", _NAME)
    _match(external_id, "externalId", _EXTERNAL_ID)
    _match(source_identity, "sourceIdentity", _SOURCE_IDENTITY)
    if source_identity is not None and source_identity.startswith("aws:"):
        _invalid_value(source_identity, "sourceIdentity", "no aws: at its start")
    policy_arns = numbered_values(parameters, "PolicyArns.member.{}.arn")
    return RoleRequest(
        arn=arn,
        partition=match[1],
        account_id=match[2],
        name=match[3],
        session_name=session_name,
        seconds=read_duration(parameters, default=3_600, longest=43_200),
        external_id=external_id,
        source_identity=source_identity,
        tags=_tags(parameters),
        transitive=numbered_values(parameters, "TransitiveTagKeys.member.{}"),
        policy=_session_policy(parameters.get("Policy", ""), policy_arns, f"arn:{match[1]}:iam::{match[2]}:policy/"),
        policy_arns=policy_arns,
    )


def read_duration(parameters: Mapping[str, str], *, default: int, longest: int) -> int:
    """How many seconds the credentials are to live.

    Raises:
        RefusedError: It is no number, or out of bounds.
    """
    text = parameters.get("DurationSeconds", str(default))
    if len(text) > 6 or not text.isdecimal() or not 900 <= int(text) <= longest:
        _invalid_value(text, "durationSeconds", f"a value from 900 to {longest}")
    return int(text)


def invalid(message: str) -> NoReturn:
    """Refuses a request that is not as AWS wants it."""
    raise RefusedError(400, "ValidationError", message)


def _session_policy(text: str, arns: Sequence[str], own: str) -> Policy | None:
    if len(arns) > 10 or len(text) + sum(map(len, arns)) > 2_048:
        invalid("The session policies are too long")
    for arn in arns:
        if not arn.startswith((own, f"{own.rpartition('::')[0]}::aws:policy/")):
            invalid(f"{arn} is not a policy of the role's account")
    if not text:
        return None
    try:
        policy = Policy.from_json(text)
    except InvalidPolicyError as error:
        raise RefusedError(400, "MalformedPolicyDocument", error.message) from None
    refusal = session_policy_refusal(policy)
    if refusal is not None:
        raise RefusedError(400, "MalformedPolicyDocument", refusal)
    return policy


def _tags(parameters: Mapping[str, str]) -> dict[str, str]:
    keys = numbered_values(parameters, "Tags.member.{}.Key")
    tags = {key: parameters.get(f"Tags.member.{number}.Value", "") for number, key in enumerate(keys, start=1)}
    if len(keys) > 50 or len({key.lower() for key in keys}) != len(keys):
        invalid("Duplicate or too many tag keys. Please note that tag keys are case insensitive.")
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key) or key.lower().startswith("aws:") or not _TAG_VALUE.fullmatch(value):
            _invalid_value(key, "tags", _TAG_KEY.pattern)
    return tags


def _match(value: str | None, field_name: str, rule: re.Pattern[str]) -> None:
    if value is not None and not rule.fullmatch(value):
        _invalid_value(value, field_name, rule.pattern)


def _invalid_value(value: str, field_name: str, rule: str) -> NoReturn:
    invalid(
        f"1 validation error detected: Value '{value}' at '{field_name}' failed to satisfy constraint: "
        f"Member must satisfy {rule}"
    )
