"""Evaluates policies as IAM does: an explicit deny first, then everything that limits must allow.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from xsession._aws import completed_arn
from xsession._base import frozen
from xsession.policies import Policy, Statement

from ._conditions import holds
from ._not_judged import UnknownRequestError
from ._patterns import Context, matches


@frozen
class NamedPolicy:
    """A policy of a user, a role or a session.

    Args:
        name: Its name.
        kind: As SimulatePrincipalPolicy calls it: "role", "user", "group" or "aws-managed", "user-managed".
        policy: What it says.
        arn: Its ARN; None: it is an inline one.
    """

    name: str
    kind: str
    policy: Policy
    arn: str | None = None


@frozen
class Layer:
    """Policies that add up; each layer of a request must allow it.

    Args:
        name: As AWS calls it in its refusals: "identity-based policy", "session policy", "permissions boundary".
        policies: The policies.
    """

    name: str
    policies: Sequence[NamedPolicy]


@frozen
class Decision:
    """What came of a request, and why.

    Args:
        allowed: Whether it may be.
        layer: The name of the layer that refused it; None: AWS does not tell.
        explicit: Whether a statement denies it, not just none allows it.
        policy_arn: The policy with that statement; None: it has no ARN.
    """

    allowed: bool
    layer: str | None = None
    explicit: bool = False
    policy_arn: str | None = None

    def because(self, action: str) -> str:
        """The reason, in AWS's words; "" where AWS gives none.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
        https://aws.amazon.com/blogs/security/enhanced-access-denied-error-messages-with-policy-arns
        """
        if self.layer is None:
            return ""
        if self.explicit:
            article = "an" if self.layer == "identity-based policy" else "a"
            named = "" if self.policy_arn is None else f": {self.policy_arn}"
            return f"with an explicit deny in {article} {self.layer}{named}"
        return f"because no {self.layer} allows the {action} action"


ALLOWED = Decision(allowed=True)


def decide(layers: Iterable[Layer], action: str, resource: str | None, context: Context) -> Decision:
    """Whether a request may be.

    Args:
        layers: All that limit it; none: everything is allowed.
        action: "s3:GetObject", ...
        resource: The ARN; None: it is not known.
        context: The request's condition keys.

    Raises:
        NotJudgedError: The policies ask for something that is not known here.
    """
    silent: Decision | None = None
    for layer in layers:
        found = _judged(layer, action, resource, context)
        if found.explicit:
            return found
        if not found.allowed and silent is None:
            silent = found
    return silent or ALLOWED


def _judged(layer: Layer, action: str, resource: str | None, context: Context) -> Decision:
    found = Decision(allowed=False, layer=layer.name)
    for named in layer.policies:
        for statement in named.policy.statements:
            if applies(named.policy, statement, action, resource, context):
                if statement.effect == "Deny":
                    return Decision(allowed=False, layer=layer.name, explicit=True, policy_arn=named.arn)
                found = ALLOWED
    return found


def applies(policy: Policy, statement: Statement, action: str, resource: str | None, context: Context) -> bool:
    """Whether a statement without principals is about a request.

    Raises:
        NotJudgedError: It asks for something that is not known here.
    """
    return (
        acts(statement, action)
        and _concerns(policy, statement, action, resource, context)
        and holds(policy, statement, context)
    )


def acts(statement: Statement, action: str) -> bool:
    """Whether a statement is about an action."""
    if statement.not_actions:
        return not any(matches(action, pattern, ignoring_case=True) for pattern in statement.not_actions)
    return any(matches(action, pattern, ignoring_case=True) for pattern in statement.actions)


def allow_everything(layers: Iterable[Layer]) -> bool:
    """Whether no request at all can be refused, so that nothing need be known of it."""
    return all(
        any(_is_open(statement) for named in layer.policies for statement in named.policy.statements)
        and not any(statement.effect == "Deny" for named in layer.policies for statement in named.policy.statements)
        for layer in layers
    )


def _is_open(statement: Statement) -> bool:
    return (
        statement.effect == "Allow"
        and "*" in statement.actions
        and "*" in statement.resources
        and not statement.conditions
    )


def _concerns(policy: Policy, statement: Statement, action: str, resource: str | None, context: Context) -> bool:
    patterns = statement.resources or statement.not_resources
    if "*" in patterns:
        return bool(statement.resources)
    if resource is None:
        msg = f"the local AWS does not know which resource this {action} is about, and a policy asks for it"
        raise UnknownRequestError(msg)
    variables = context if policy.version == "2012-10-17" else None
    # All are compared, as each may have a variable that is not known.
    met = [matches(resource, completed_arn(pattern), variables) for pattern in patterns]
    return any(met) == bool(statement.resources)
