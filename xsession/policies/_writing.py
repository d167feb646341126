"""What is refused where a policy is written, though documents with it are read.

Some of it IAM refuses in one kind of policy. The rest IAM stores, and nobody means it: such a statement allows nothing,
or everything.
https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from xsession._aws import completed_arn
from xsession.errors import InvalidPolicyError, shown

from ._document import Policy, Statement

_ACTION = re.compile(r"\*|(\*|[A-Za-z0-9-]+):[A-Za-z0-9*?]+")
# Those of an identity provider begin with its URL, which may have a path, as in EKS's `oidc.eks.../id/...:sub`; those
# of tags end with the tag's key, which may have spaces.
_CONDITION_KEY = re.compile(r"[A-Za-z0-9._/-]+:[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*")


def refuse_meaningless(policy: Policy) -> None:
    """Refuses what IAM stores and nobody means: conditions without a value, actions and keys of a form that none has.

    Raises:
        InvalidPolicyError: A statement has it; says which.
    """
    _each(policy, _refuse_meaningless)


def refuse_as_session_policy(policy: Policy) -> None:
    """Refuses what STS refuses in a session policy, whatever its length: principals and incomplete ARNs.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html

    Raises:
        InvalidPolicyError: A statement has it; says which.
    """
    refuse_principals("a session policy", policy)
    _each(policy, _refuse_incomplete)


def refuse_as_trust_policy(policy: Policy) -> None:
    """Refuses what IAM refuses in a role's trust policy, whatever its length.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html

    Raises:
        InvalidPolicyError: A statement has no principal, NotPrincipal, a wildcard in a principal, or a resource.
    """
    _each(policy, _refuse_in_trust)


def refuse_principals(what: str, policy: Policy) -> None:
    """Refuses a policy that names principals.

    Args:
        what: What it is, for the error.
        policy: The policy.

    Raises:
        InvalidPolicyError: It does.
    """
    if any(statement.has_principal for statement in policy.statements):
        msg = f"{what} has no Principal: it is about those who have it"
        raise InvalidPolicyError(msg, hint="a policy with principals is a trust policy and belongs on the role")


def _each(policy: Policy, refuse: Callable[[Statement], None]) -> None:
    for number, statement in enumerate(policy.statements, start=1):
        try:
            refuse(statement)
        except InvalidPolicyError as error:
            error.within(f"statement {number}")
            raise


def _refuse_meaningless(statement: Statement) -> None:
    if statement.has_principal and not any((*statement.principals.values(), *statement.not_principals.values())):
        msg = "a statement names no principal, and does nothing"
        raise InvalidPolicyError(msg, hint="leave it out, or say whom it is about")
    for action in (*statement.actions, *statement.not_actions):
        if not _ACTION.fullmatch(action):
            rule = "* or <service>:<action>, where the action may have * and ?"
            raise InvalidPolicyError.invalid(action, "Action", rule)
    for operator, keys in statement.conditions.items():
        if not keys:
            msg = f"Condition {shown(operator)} is empty, and IAM takes no notice of it"
            raise InvalidPolicyError(msg, hint="leave it out, or say what it compares")
        for key, values in keys.items():
            if not _CONDITION_KEY.fullmatch(key):
                raise InvalidPolicyError.invalid(key, "condition key", "<service>:<key>, such as aws:SourceIp")
            if not values:
                msg = f"condition key {shown(key)} has no value"
                raise InvalidPolicyError(msg, hint="leave it out, or say what the request must have")


def _refuse_incomplete(statement: Statement) -> None:
    for arn in (*statement.resources, *statement.not_resources):
        completed = completed_arn(arn)
        if completed != arn:
            msg = f"resource {shown(arn)} is an incomplete ARN, which STS takes in no session policy"
            raise InvalidPolicyError(msg, hint=f"write {completed}")


def _refuse_in_trust(statement: Statement) -> None:
    if not statement.has_principal:
        msg = "a trust policy names its principals, and a statement has none"
        raise InvalidPolicyError(msg, hint="make it with policies.trust")
    if statement.not_principals:
        msg = "a trust policy has no NotPrincipal"
        raise InvalidPolicyError(msg, hint="name whom it trusts in Principal; whom it does not, needs no statement")
    _refuse_wildcards(statement.principals)
    if statement.resources or statement.not_resources:
        msg = "a trust policy has no Resource: it is about the role that it belongs to"
        raise InvalidPolicyError(msg)


def _refuse_wildcards(principals: Mapping[str, Sequence[str]]) -> None:
    for kind, name in ((kind, name) for kind, names in principals.items() for name in names):
        if name != "*" and not {"*", "?"}.isdisjoint(name):
            msg = f"{kind} principal {shown(name)}: a wildcard can't stand for a part of a principal"
            hint = "trust the account, with the condition ArnLike on aws:PrincipalArn for the names in it"
            raise InvalidPolicyError(msg, hint=hint)
