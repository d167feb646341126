"""Makes IAM policies: permissions, session policies and trust policies, as values which compose with `+`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ._frozen import FrozenMap
from ._policy import SERVICE_PRINCIPAL, Conditions, Effect, Policy, Statement
from .errors import InvalidPolicyError

__all__ = ["Policy", "Statement", "allow", "as_policy", "check_session_policy", "deny", "trust"]

MAX_SESSION_POLICY_CHARACTERS = 2_048
MAX_SESSION_POLICY_ARNS = 10

_ACCOUNT_ID = re.compile(r"[0-9]{12}", re.ASCII)


def allow(
    *actions: str, resources: str | Iterable[str] = "*", conditions: Conditions | None = None, sid: str | None = None
) -> Policy:
    """A policy that allows actions.

    Args:
        actions: "s3:GetObject", "ec2:*", ...
        resources: ARNs, with wildcards.
        conditions: Operator to condition key to values, as in IAM's JSON.
        sid: The statement's identifier.

    Raises:
        InvalidPolicyError: A value which IAM would refuse.
    """
    return _permissions("Allow", actions, resources, conditions, sid)


def deny(
    *actions: str, resources: str | Iterable[str] = "*", conditions: Conditions | None = None, sid: str | None = None
) -> Policy:
    """A policy that denies actions, whatever else allows them.

    Args:
        actions: "s3:DeleteObject", "iam:*", ...
        resources: ARNs, with wildcards.
        conditions: Operator to condition key to values, as in IAM's JSON.
        sid: The statement's identifier.

    Raises:
        InvalidPolicyError: A value which IAM would refuse.
    """
    return _permissions("Deny", actions, resources, conditions, sid)


def trust(
    *principals: str,
    external_id: str | Iterable[str] | None = None,
    mfa_required: bool = False,
    organization_id: str | None = None,
    role_session_name: str | Iterable[str] | None = None,
    source_identity: str | Iterable[str] | None = None,
    session_tags: Iterable[str] = (),
    conditions: Conditions | None = None,
    partition: str = "aws",
) -> Policy:
    """A trust policy: who may assume a role, and under which conditions.

    Args:
        principals: Account ids, ARNs of users, roles, sessions or identity providers, and services.
        external_id: The external id, or ids, of which the caller must send one.
        mfa_required: Whether the caller must have passed MFA.
        organization_id: The AWS Organizations id, "o-...", that the caller's account must belong to.
        role_session_name: Session names of which the caller must send one; * and ? are wildcards.
        source_identity: Source identities of which the caller must send one; * and ? are wildcards.
        session_tags: Keys of the session tags that the caller may send; * and ? are wildcards.
        conditions: Further conditions of every statement.
        partition: The partition of account ids among the principals.

    Raises:
        InvalidPolicyError: No principal, or a value which IAM would refuse.
    """
    required = {
        ("StringEquals", "sts:ExternalId"): external_id,
        ("Bool", "aws:MultiFactorAuthPresent"): "true" if mfa_required else None,
        ("StringEquals", "aws:PrincipalOrgID"): organization_id,
        ("StringLike", "sts:RoleSessionName"): role_session_name,
        ("StringLike", "sts:SourceIdentity"): source_identity,
    }
    wanted = {operator: dict(keys) for operator, keys in (conditions or {}).items()}
    for (operator, key), value in required.items():
        if value is not None:
            wanted.setdefault(operator, {})[key] = value
    tag_keys = [session_tags] if isinstance(session_tags, str) else sorted(session_tags)
    by_action: dict[str, dict[str, list[str]]] = {}
    for principal in principals:
        kind, name, action = _principal(principal, partition)
        by_action.setdefault(action, {}).setdefault(kind, []).append(name)
    statements = []
    for action, names in by_action.items():
        statements.append(Statement(effect="Allow", principals=names, actions=[action], conditions=wanted))
        if source_identity is not None:
            only = {"StringLike": {"sts:SourceIdentity": source_identity}}
            statements.append(
                Statement(effect="Allow", principals=names, actions=["sts:SetSourceIdentity"], conditions=only)
            )
        if tag_keys:
            only = {"ForAllValues:StringLike": {"aws:TagKeys": tag_keys}}
            statements.append(Statement(effect="Allow", principals=names, actions=["sts:TagSession"], conditions=only))
    if not statements:
        msg = "a trust policy names at least one principal"
        raise InvalidPolicyError(msg, hint='pass an account id such as "111111111111", or the ARN of a role')
    return Policy(statements)


def as_policy(value: Policy | Mapping[str, Any] | str) -> Policy:
    """The policy that a `Policy`, a mapping of IAM's own form or a JSON text stands for.

    Raises:
        InvalidPolicyError: It is no policy.
    """
    if isinstance(value, Policy):
        return value
    return Policy.from_json(value) if isinstance(value, str) else Policy.from_dict(value)


def check_session_policy(policy: Policy | None, policy_arns: Sequence[str] = ()) -> None:
    """Refuses what AssumeRole would refuse as session policies.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

    Args:
        policy: The inline one.
        policy_arns: The managed ones.

    Raises:
        InvalidPolicyError: Over 2048 characters together, over 10 ARNs, or a principal in the policy.
    """
    if len(policy_arns) > MAX_SESSION_POLICY_ARNS:
        msg = f"{len(policy_arns)} policy_arns are too many: STS takes {MAX_SESSION_POLICY_ARNS} at most"
        raise InvalidPolicyError(msg)
    text = "" if policy is None else policy.to_json()
    if policy is not None and any(statement.has_principal for statement in policy.statements):
        msg = "a session policy has no Principal: it is about the session itself"
        raise InvalidPolicyError(msg, hint="a policy with principals is a trust policy and belongs on the role")
    size = len(text) + sum(map(len, policy_arns))
    if size > MAX_SESSION_POLICY_CHARACTERS:
        msg = f"session policies of {size} characters are too long: STS takes {MAX_SESSION_POLICY_CHARACTERS} at most"
        hint = "use wildcards, or put the permissions into a managed policy and pass its ARN in policy_arns"
        raise InvalidPolicyError(msg, hint=hint)


def _permissions(
    effect: Effect,
    actions: Sequence[str],
    resources: str | Iterable[str],
    conditions: Conditions | None,
    sid: str | None,
) -> Policy:
    chosen = [resources] if isinstance(resources, str) else list(resources)
    return Policy(
        [Statement(effect=effect, actions=actions, resources=chosen, conditions=conditions or FrozenMap(), sid=sid)]
    )


def _principal(principal: object, partition: str) -> tuple[str, str, str]:
    if not isinstance(principal, str):
        msg = f"principal {principal!r} is not text"
        raise InvalidPolicyError(msg)
    if _ACCOUNT_ID.fullmatch(principal):
        return "AWS", f"arn:{partition}:iam::{principal}:root", "sts:AssumeRole"
    if SERVICE_PRINCIPAL.fullmatch(principal):
        return "Service", principal, "sts:AssumeRole"
    if ":oidc-provider/" in principal:
        return "Federated", principal, "sts:AssumeRoleWithWebIdentity"
    if ":saml-provider/" in principal:
        return "Federated", principal, "sts:AssumeRoleWithSAML"
    return "AWS", principal, "sts:AssumeRole"
