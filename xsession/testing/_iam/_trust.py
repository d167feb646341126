"""Evaluates trust policies as STS does.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence

from xsession._aws import iam_arn, partition_of
from xsession._base import frozen
from xsession.policies import Policy, Statement

from ._conditions import holds
from ._patterns import Context
from ._permissions import ALLOWED, Decision, Layer, acts, decide


@frozen
class Principal:
    """Who calls.

    Args:
        account_id: The account.
        arn: The caller's own ARN.
        role_arn: The role, where the caller is a role's session.
        provider: The ARN of the identity provider, where the caller has only its token.
        unique_id: The id of the user, or of the role, by which trust policies may name it.
    """

    account_id: str
    arn: str
    role_arn: str | None = None
    provider: str | None = None
    unique_id: str | None = None

    @property
    def partition(self) -> str:
        """The partition of the account."""
        return partition_of(self.arn)

    @property
    def is_root(self) -> bool:
        """Whether it is the account's root user, which no policy limits."""
        return self.arn.endswith(":root")

    @property
    def names(self) -> Mapping[str, TrustLevel]:
        """All that a trust policy may call it, and what naming it so means."""
        if self.provider is not None:
            return {self.provider: TrustLevel.PRINCIPAL}
        account = {
            self.account_id: TrustLevel.ACCOUNT,
            iam_arn(self.partition, self.account_id, "root"): TrustLevel.ACCOUNT,
        }
        role = {} if self.role_arn is None else {self.role_arn: TrustLevel.ROLE}
        level = TrustLevel.PRINCIPAL if self.role_arn is None else TrustLevel.ROLE
        by_id = {} if self.unique_id is None else {self.unique_id: level}
        return {**account, **role, **by_id, self.arn: TrustLevel.PRINCIPAL, "*": TrustLevel.PRINCIPAL}


class TrustLevel(enum.IntEnum):
    """What a trust policy says of a caller."""

    DENIED = -1
    NOTHING = 0
    # The account decides by its own policies who of it may.
    ACCOUNT = 1
    # The role may, in whatever session; the session's policies still limit it.
    ROLE = 2
    # Exactly this user or session may.
    PRINCIPAL = 3


def trust_in(policy: Policy, principal: Principal, action: str, context: Context) -> TrustLevel:
    """What a trust policy says of a caller.

    Args:
        policy: The trust policy.
        principal: Who calls.
        action: "sts:AssumeRole", ...
        context: The request's condition keys.

    Raises:
        UnknownConditionError: The policy has a condition that is not known here.
    """
    found = TrustLevel.NOTHING
    for statement in policy.statements:
        named = _named(statement, principal)
        if named and acts(statement, action) and holds(policy, statement, context):
            if statement.effect == "Deny":
                return TrustLevel.DENIED
            found = max(found, named)
    return found


def decide_role_assumption(
    policy: Policy,
    principal: Principal,
    layers: Sequence[Layer],
    *,
    action: str,
    role_arn: str,
    context: Context,
    same_account: bool,
) -> Decision:
    """Whether a role may be assumed: by its trust policy, and by what limits the caller.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-basics-cross-account.html

    Args:
        policy: The trust policy.
        principal: Who calls.
        layers: What limits the caller.
        action: "sts:AssumeRole", "sts:TagSession", ...
        role_arn: The role.
        context: The request's condition keys.
        same_account: Whether the caller is of the role's account, where naming the caller itself is enough.

    Raises:
        NotJudgedError: The policies ask for something that is not known here.
    """
    says = trust_in(policy, principal, action, context)
    own = decide(layers, action, role_arn, context)
    if own.explicit:
        return own
    if says is TrustLevel.DENIED:
        return Decision(allowed=False, layer="resource-based policy", explicit=True)
    if says is TrustLevel.NOTHING:
        # AWS does not say that it was the trust policy.
        return Decision(allowed=False) if own.allowed else own
    if same_account and says is TrustLevel.PRINCIPAL:
        return ALLOWED
    if same_account and says is TrustLevel.ROLE:
        return decide([layer for layer in layers if layer.name != "identity-based policy"], action, role_arn, context)
    return own


def _named(statement: Statement, principal: Principal) -> TrustLevel:
    kind = "AWS" if principal.provider is None else "Federated"
    names = principal.names
    if statement.not_principals:
        excepted = names.keys() & set(statement.not_principals.get(kind, ()))
        return TrustLevel.NOTHING if excepted else TrustLevel.PRINCIPAL
    named = [names[name] for name in statement.principals.get(kind, ()) if name in names]
    if not named and "*" in statement.principals.get("AWS", ()) and statement.effect == "Deny":
        return TrustLevel.PRINCIPAL  # all principals: those whom a provider vouches for too
    return max(named, default=TrustLevel.NOTHING)
