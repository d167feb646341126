"""The statements that are missing, for either side of an AssumeRole."""

from __future__ import annotations

import re
from collections.abc import Sequence

from xsession._aws import Arn, iam_arn
from xsession.policies import Policy, Statement, trust

from ._attempt import Attempt

EXTERNAL_ID = "the-external-id-agreed-on"
"""What stands for an external id in a statement to add: the real one is secret."""

# The roles that IAM Identity Center makes end in random digits and are replaced now and then.
# https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
_PERMISSION_SET = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")


def trust_for(attempt: Attempt) -> Policy:
    """What a trust policy lacks that does not name the caller: all that this request needs."""
    role, caller = attempt.role, attempt.caller
    name = _permission_set(caller.principal)
    principal, conditions = caller.principal, {}
    if name is not None:
        principal = iam_arn(caller.partition, caller.account_id, "root")
        path = iam_arn(caller.partition, caller.account_id, "role/aws-reserved/sso.amazonaws.com/*")
        conditions = {"ArnLike": {"aws:PrincipalArn": f"{path}AWSReservedSSO_{name}_*"}}
    return trust(
        principal,
        external_id=None if role.external_id is None else EXTERNAL_ID,
        mfa_required=role.mfa_serial is not None,
        source_identity=attempt.identity,
        session_tags=list(attempt.tags),
        conditions=conditions,
        partition=caller.partition,
    )


def where_to_trust(attempt: Attempt) -> str:
    """What to do with what `trust_for` gives, in words."""
    pathless = attempt.caller.is_session and attempt.caller.role is None
    path = ", with its path if the role has one" if pathless else ""
    return f"add the caller{path} to the trust policy of {attempt.role.role_arn}"


def trust_for_action(attempt: Attempt, action: str) -> Policy:
    """What a trust policy lacks that lets the caller in, but without its tags or its source identity."""
    conditions: dict[str, dict[str, Sequence[str]]] = {}
    if action == "sts:TagSession" and attempt.tags and attempt.tags_known:
        conditions = {"ForAllValues:StringEquals": {"aws:TagKeys": sorted(attempt.tags)}}
    if action == "sts:SetSourceIdentity" and attempt.identity is not None:
        conditions = {"StringEquals": {"sts:SourceIdentity": [attempt.identity]}}
    principals = {"AWS": [attempt.caller.principal]}
    return Policy([Statement(effect="Allow", principals=principals, actions=[action], conditions=conditions)])


def permission_for(attempt: Attempt) -> Policy:
    """What the caller's own policies lack."""
    return Policy([Statement(effect="Allow", actions=attempt.actions, resources=[attempt.role.role_arn])])


def holder_of_permissions(attempt: Attempt) -> str:
    """Where the caller's own policies are, in words."""
    principal = attempt.caller.principal
    name = _permission_set(principal)
    return f"a policy of {principal}" if name is None else f"the permission set {name!r} of IAM Identity Center"


def mfa_hint(attempt: Attempt) -> str:
    """What to do where a trust policy asks for MFA."""
    if attempt.caller.is_session:
        return "a role's session never has MFA: have the condition removed, or assume the role as a user with MFA"
    if attempt.role.mfa_serial is not None:
        return "have the role's owner allow MFA that was passed this long ago"
    return "set mfa_serial= of this role to your MFA device, and pass mfa_code="


def _permission_set(principal: str) -> str | None:
    """The permission set of IAM Identity Center that a role is made from; None: it is no such role."""
    arn = Arn.of(principal)
    match = None if arn is None or arn.kind != "role" else _PERMISSION_SET.fullmatch(arn.name)
    return None if match is None else match[1]
