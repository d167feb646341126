from __future__ import annotations

from typing import Any

import pytest

from xsession.errors import InvalidPolicyError
from xsession.policies import Policy, allow, as_policy, check_session_policy, deny, trust

OIDC = "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"
SAML = "arn:aws:iam::222222222222:saml-provider/okta"


def test_permissions_compose() -> None:
    """What is allowed and what is denied stand side by side."""
    policy = allow("s3:GetObject", resources="arn:aws:s3:::b/*", sid="Read") + deny(
        "s3:*", resources=["arn:aws:s3:::b/secret*"], conditions={"Bool": {"aws:SecureTransport": False}}
    )
    assert policy.to_dict() == {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
            {
                "Effect": "Deny",
                "Action": "s3:*",
                "Resource": "arn:aws:s3:::b/secret*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def test_an_account_is_trusted_by_its_root() -> None:
    """An id becomes the ARN that IAM stores, in the partition that is asked for."""
    assert trust("111111111111", partition="aws-cn").to_dict()["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"AWS": "arn:aws-cn:iam::111111111111:root"},
            "Action": "sts:AssumeRole",
        }
    ]


@pytest.mark.parametrize(
    ("principal", "kind", "action"),
    [
        ("arn:aws:iam::111111111111:role/Hub", "AWS", "sts:AssumeRole"),
        ("lambda.amazonaws.com", "Service", "sts:AssumeRole"),
        (OIDC, "Federated", "sts:AssumeRoleWithWebIdentity"),
        (SAML, "Federated", "sts:AssumeRoleWithSAML"),
    ],
)
def test_each_principal_gets_its_own_action(principal: str, kind: str, action: str) -> None:
    """Roles, services and identity providers assume roles in different ways."""
    (statement,) = trust(principal).statements
    assert (dict(statement.principals), statement.actions) == ({kind: (principal,)}, (action,))


def test_conditions_of_a_trust_policy() -> None:
    """Every keyword becomes the condition that AWS documents; further ones stand beside them."""
    policy = trust(
        "111111111111",
        external_id="secret-word",
        mfa_required=True,
        organization_id="o-a1b2c3d4e5",
        role_session_name=["batman-*", "robin-*"],
        conditions={"StringEquals": {"aws:PrincipalTag/team": "heroes"}},
    )
    (statement,) = policy.to_dict()["Statement"]
    assert statement["Condition"] == {
        "StringEquals": {
            "sts:ExternalId": "secret-word",
            "aws:PrincipalOrgID": "o-a1b2c3d4e5",
            "aws:PrincipalTag/team": "heroes",
        },
        "Bool": {"aws:MultiFactorAuthPresent": "true"},
        "StringLike": {"sts:RoleSessionName": ["batman-*", "robin-*"]},
    }


@pytest.mark.parametrize("keys", ["team", ["team"]])
def test_source_identity_and_tags_need_statements_of_their_own(keys: Any) -> None:
    """STS asks for two more permissions in the trust policy, each limited to what was named."""
    policy = trust("111111111111", source_identity="bruce*", session_tags=keys)
    by_action = {statement.actions[0]: statement.to_dict().get("Condition") for statement in policy.statements}
    assert by_action == {
        "sts:AssumeRole": {"StringLike": {"sts:SourceIdentity": "bruce*"}},
        "sts:SetSourceIdentity": {"StringLike": {"sts:SourceIdentity": "bruce*"}},
        "sts:TagSession": {"ForAllValues:StringLike": {"aws:TagKeys": "team"}},
    }


@pytest.mark.parametrize(
    ("principals", "problem"),
    [((), "at least one principal"), ((5,), "principal 5 is not text"), (("bruce",), "'bruce'")],
)
def test_a_trust_policy_needs_a_principal(principals: tuple[Any, ...], problem: str) -> None:
    """Nobody, and what IAM would not know, are refused."""
    with pytest.raises(InvalidPolicyError, match=problem):
        trust(*principals)


def test_a_policy_is_a_value_a_mapping_or_json() -> None:
    """Whatever takes a policy takes all three."""
    policy = allow("s3:*")
    assert as_policy(policy) is policy
    assert as_policy(policy.to_json()) == as_policy(policy.to_dict()) == policy


@pytest.mark.parametrize(
    ("policy", "arns", "problem"),
    [
        (None, ["arn:aws:iam::aws:policy/ReadOnlyAccess"] * 11, "11 policy_arns are too many"),
        (trust("111111111111"), [], "has no Principal"),
        (
            allow("s3:GetObject", resources=[f"arn:aws:s3:::{'b' * 60}{n}/*" for n in range(40)]),
            [],
            "characters are too",
        ),
    ],
)
def test_session_policies_have_limits(policy: Policy | None, arns: list[str], problem: str) -> None:
    """What STS would refuse as a session policy is refused here."""
    with pytest.raises(InvalidPolicyError, match=problem):
        check_session_policy(policy, arns)


def test_inline_policy_and_arns_count_together() -> None:
    """2048 characters are for both; exactly so many pass."""
    empty = allow("s3:GetObject", resources="arn:aws:s3:::b").size
    arn = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    longest = allow("s3:GetObject", resources=f"arn:aws:s3:::b{'b' * (2048 - empty - len(arn))}")
    check_session_policy(longest, [arn])
    with pytest.raises(InvalidPolicyError, match="2086 characters"):
        check_session_policy(longest, [arn, arn])
