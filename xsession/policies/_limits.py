"""What each kind of policy may be where it is written, and how long.

IAM counts characters without white space: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
"""

from __future__ import annotations

from collections.abc import Sequence

from xsession.errors import InvalidPolicyError

from ._document import Policy
from ._writing import refuse_as_session_policy, refuse_as_trust_policy, refuse_meaningless, refuse_principals

MAX_SESSION_POLICY_CHARACTERS = 2_048
MAX_SESSION_POLICY_ARNS = 10
MAX_MANAGED_POLICY_CHARACTERS = 6_144
MAX_ROLE_POLICIES_CHARACTERS = 10_240
MAX_TRUST_POLICY_CHARACTERS = 2_048
MAX_TRUST_POLICY_QUOTA = 8_192


def check_session_policy(policy: Policy | None, policy_arns: Sequence[str] = ()) -> None:
    """Refuses what AssumeRole would refuse as session policies.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html

    Args:
        policy: The inline one.
        policy_arns: The managed ones.

    Raises:
        InvalidPolicyError: Over 2048 characters together, over 10 ARNs, a principal or an incomplete ARN in the policy,
            or what nobody means, such as a condition without a value.
    """
    if len(policy_arns) > MAX_SESSION_POLICY_ARNS:
        msg = f"{len(policy_arns)} policy_arns are too many: STS takes {MAX_SESSION_POLICY_ARNS} at most"
        raise InvalidPolicyError(msg)
    if policy is not None:
        refuse_as_session_policy(policy)
        refuse_meaningless(policy)
    # STS counts the ARNs too.
    size = (0 if policy is None else policy.size) + sum(map(len, policy_arns))
    if size > MAX_SESSION_POLICY_CHARACTERS:
        msg = f"session policies of {size} characters are too long: STS takes {MAX_SESSION_POLICY_CHARACTERS} at most"
        hint = "use wildcards, or put the permissions into a managed policy and pass its ARN in policy_arns"
        raise InvalidPolicyError(msg, hint=hint)


def check_managed_policy(policy: Policy) -> None:
    """Refuses what IAM would refuse as a managed policy.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

    Raises:
        InvalidPolicyError: Over 6144 characters, a principal in the policy, or what nobody means.
    """
    refuse_principals("a managed policy", policy)
    refuse_meaningless(policy)
    _refuse_longer("a managed policy", policy.size, MAX_MANAGED_POLICY_CHARACTERS, "use wildcards, or several policies")


def check_role_policies(*policies: Policy) -> None:
    """Refuses what IAM would refuse as the inline policies of one role.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

    Args:
        policies: All of the role's.

    Raises:
        InvalidPolicyError: Over 10240 characters together, a principal in a policy, or what nobody means.
    """
    for policy in policies:
        refuse_principals("an inline policy", policy)
        refuse_meaningless(policy)
    size = sum(policy.size for policy in policies)
    hint = "use wildcards, or put permissions into a managed policy"
    _refuse_longer("inline policies", size, MAX_ROLE_POLICIES_CHARACTERS, hint)


def check_trust_policy(policy: Policy, *, quota: int = MAX_TRUST_POLICY_CHARACTERS) -> None:
    """Refuses what IAM would refuse as a role's trust policy.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html

    Args:
        policy: The trust policy.
        quota: The characters that the account allows: 2048, or up to 8192 where AWS has raised its quota "role trust
            policy length".

    Raises:
        InvalidPolicyError: Over the quota, a statement without a principal, with NotPrincipal, with a wildcard in a
            principal or with a resource, or what nobody means.
    """
    if not 0 < quota <= MAX_TRUST_POLICY_QUOTA:
        rule = f"AWS allows trust policies of up to {MAX_TRUST_POLICY_QUOTA} characters"
        raise InvalidPolicyError.invalid(quota, "quota", rule)
    refuse_as_trust_policy(policy)
    refuse_meaningless(policy)
    hint = "trust an account or an organization instead of many roles"
    if policy.size <= MAX_TRUST_POLICY_QUOTA:
        hint += ", or say what quota AWS has raised the account's to: trust_policy_quota="
    _refuse_longer("a trust policy", policy.size, quota, hint)


def _refuse_longer(what: str, size: int, longest: int, hint: str) -> None:
    if size > longest:
        msg = f"{what} of {size} characters: IAM takes {longest} at most"
        raise InvalidPolicyError(msg, hint=hint)
