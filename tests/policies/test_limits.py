from __future__ import annotations

import pytest

from xsession.errors import InvalidPolicyError
from xsession.policies import (
    Policy,
    Statement,
    allow,
    check_managed_policy,
    check_role_policies,
    check_session_policy,
    check_trust_policy,
    trust,
)

ARN = "arn:aws:iam::aws:policy/ReadOnlyAccess"
TRUST = trust("111111111111")


def of_size(size: int) -> Policy:
    """Permissions of so many characters."""
    return allow("s3:GetObject", resources=f"arn:aws:s3:::{'b' * (size - allow('*', resources='*').size - 23)}")


def trust_of_size(size: int) -> Policy:
    """A trust policy of so many characters."""
    return trust("111111111111", external_id="x" * (size - trust("111111111111", external_id="").size))


def test_the_makers_below_hit_their_sizes() -> None:
    """Else the limits would not be tested at their edge."""
    assert (of_size(500).size, trust_of_size(500).size) == (500, 500)


@pytest.mark.parametrize(
    ("policy", "arns", "problem"),
    [
        (None, [ARN] * 11, "11 policy_arns are too many"),
        (TRUST, [], "has no Principal"),
        (of_size(2049), [], "2049 characters are too"),
    ],
)
def test_session_policies_have_limits(policy: Policy | None, arns: list[str], problem: str) -> None:
    """What STS would refuse as a session policy is refused here."""
    with pytest.raises(InvalidPolicyError, match=problem):
        check_session_policy(policy, arns)


def test_inline_policy_and_arns_count_together() -> None:
    """2048 characters are for both; exactly so many pass."""
    longest = of_size(2048 - len(ARN))
    check_session_policy(None, [ARN])
    check_session_policy(longest, [ARN])
    with pytest.raises(InvalidPolicyError, match="2086 characters"):
        check_session_policy(longest, [ARN, ARN])


def test_managed_policies_have_limits() -> None:
    """6144 characters, and no principal."""
    check_managed_policy(of_size(6144))
    with pytest.raises(InvalidPolicyError, match="managed policy of 6145 characters: IAM takes 6144"):
        check_managed_policy(of_size(6145))
    with pytest.raises(InvalidPolicyError, match="has no Principal"):
        check_managed_policy(TRUST)


def test_inline_policies_of_a_role_count_together() -> None:
    """10240 characters are for all of them."""
    check_role_policies(of_size(10_000), of_size(240))
    with pytest.raises(InvalidPolicyError, match="inline policies of 10241 characters: IAM takes 10240"):
        check_role_policies(of_size(10_000), of_size(241))
    with pytest.raises(InvalidPolicyError, match="has no Principal"):
        check_role_policies(TRUST)


def test_trust_policies_have_limits() -> None:
    """2048 characters, or as many as the account's quota was raised to."""
    check_trust_policy(trust_of_size(2048))
    check_trust_policy(trust_of_size(8192), quota=8192)
    with pytest.raises(InvalidPolicyError, match=r"2049 characters: IAM takes 2048 .* trust_policy_quota="):
        check_trust_policy(trust_of_size(2049))
    with pytest.raises(InvalidPolicyError, match=r"8193 characters: IAM takes 8192 at most; trust an .* many roles$"):
        check_trust_policy(trust_of_size(8193), quota=8192)
    with pytest.raises(InvalidPolicyError, match="quota 8193"):
        check_trust_policy(TRUST, quota=8193)


def test_permissions_are_no_trust_policy() -> None:
    """A trust policy is about its own role, and says whom it trusts."""
    with pytest.raises(InvalidPolicyError, match="names its principals"):
        check_trust_policy(allow("sts:AssumeRole"))
    names = {"AWS": ["111111111111"]}
    both = Statement(effect="Allow", principals=names, actions=["sts:AssumeRole"], resources=["*"])
    with pytest.raises(InvalidPolicyError, match="has no Resource"):
        check_trust_policy(Policy([both]))
