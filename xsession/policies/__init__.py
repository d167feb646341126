"""IAM policies as values: permissions, session policies and trust policies, with their limits, findings and meaning."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._conditions import RequestKeys as RequestKeys
    from ._diff import unified as unified
    from ._document import Policy, PolicyLike, Statement, as_policy
    from ._findings import Finding, PolicyWarning, findings
    from ._findings import acts_on as acts_on
    from ._findings import allows_action as allows_action
    from ._limits import MAX_ROLE_POLICIES_CHARACTERS as MAX_ROLE_POLICIES_CHARACTERS
    from ._limits import MAX_SESSION_POLICY_CHARACTERS as MAX_SESSION_POLICY_CHARACTERS
    from ._limits import check_managed_policy, check_role_policies, check_session_policy, check_trust_policy
    from ._meaning import diff, difference, same_meaning
    from ._permissions import allow, deny
    from ._ready_made import (
        assume_roles,
        cloudwatch_read,
        dynamodb_read,
        ec2_describe,
        ec2_start_stop,
        logs_read,
        s3_read,
        s3_write,
        secrets_read,
        ssm_parameters_read,
    )
    from ._trust import trust
    from ._trust_verdict import CallingPrincipal as CallingPrincipal
    from ._trust_verdict import Condition as Condition
    from ._trust_verdict import TrustDecision as TrustDecision
    from ._trust_verdict import TrustVerdict as TrustVerdict
    from ._trust_verdict import is_unique_id as is_unique_id
    from ._trust_verdict import judge_trust as judge_trust

__all__ = [
    "Finding",
    "Policy",
    "PolicyLike",
    "PolicyWarning",
    "Statement",
    "allow",
    "as_policy",
    "assume_roles",
    "check_managed_policy",
    "check_role_policies",
    "check_session_policy",
    "check_trust_policy",
    "cloudwatch_read",
    "deny",
    "diff",
    "difference",
    "dynamodb_read",
    "ec2_describe",
    "ec2_start_stop",
    "findings",
    "logs_read",
    "s3_read",
    "s3_write",
    "same_meaning",
    "secrets_read",
    "ssm_parameters_read",
    "trust",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_conditions": ("RequestKeys",),
        "_diff": ("unified",),
        "_document": ("Policy", "PolicyLike", "Statement", "as_policy"),
        "_findings": ("Finding", "PolicyWarning", "acts_on", "allows_action", "findings"),
        "_limits": (
            "MAX_ROLE_POLICIES_CHARACTERS",
            "MAX_SESSION_POLICY_CHARACTERS",
            "check_managed_policy",
            "check_role_policies",
            "check_session_policy",
            "check_trust_policy",
        ),
        "_meaning": ("diff", "difference", "same_meaning"),
        "_permissions": ("allow", "deny"),
        "_ready_made": (
            "assume_roles",
            "cloudwatch_read",
            "dynamodb_read",
            "ec2_describe",
            "ec2_start_stop",
            "logs_read",
            "s3_read",
            "s3_write",
            "secrets_read",
            "ssm_parameters_read",
        ),
        "_trust": ("trust",),
        "_trust_verdict": (
            "CallingPrincipal",
            "Condition",
            "TrustDecision",
            "TrustVerdict",
            "is_unique_id",
            "judge_trust",
        ),
    },
)
