"""Permissions in one statement: what is allowed, what is denied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from xsession._base import FrozenMap

from ._document import Conditions, Effect, Policy, Statement
from ._writing import refuse_meaningless


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
        InvalidPolicyError: A value which IAM would refuse, or which nobody means, such as a condition without a value.
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
        InvalidPolicyError: A value which IAM would refuse, or which nobody means, such as a condition without a value.
    """
    return _permissions("Deny", actions, resources, conditions, sid)


def _permissions(
    effect: Effect,
    actions: Sequence[str],
    resources: str | Iterable[str],
    conditions: Conditions | None,
    sid: str | None,
) -> Policy:
    chosen: Any = [resources] if isinstance(resources, str) else resources
    policy = Policy(
        [
            Statement(
                effect=effect,
                actions=actions,
                resources=chosen,
                conditions=FrozenMap() if conditions is None else conditions,
                sid=sid,
            )
        ]
    )
    refuse_meaningless(policy)
    return policy
