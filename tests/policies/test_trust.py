from __future__ import annotations

import warnings
from typing import Any

import pytest

from xsession import policies
from xsession.errors import InvalidPolicyError
from xsession.policies import Policy, PolicyWarning, allow, as_policy, deny, trust

OIDC = "arn:aws:iam::222222222222:oidc-provider/token.actions.githubusercontent.com"
EKS = "arn:aws:iam::222222222222:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF0123456789"
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
        ("ec2.amazonaws.com.cn", "Service", "sts:AssumeRole"),
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
    [((), "at least one principal"), ((5,), "principal 5 is not valid: a string"), (("bruce",), "'bruce'")],
)
def test_a_trust_policy_needs_a_principal(principals: tuple[Any, ...], problem: str) -> None:
    """No principal at all, and what IAM would not know, are refused."""
    with pytest.raises(InvalidPolicyError, match=problem):
        trust(*principals)


def test_a_policy_is_a_value_a_mapping_or_json() -> None:
    """Whatever takes a policy takes all three."""
    policy = allow("s3:*")
    assert as_policy(policy) is policy
    assert as_policy(policy.to_json()) == as_policy(policy.to_dict()) == policy


def conditions_of(policy: Policy) -> dict[str, Any]:
    """The conditions of a policy's only statement, as IAM's JSON has them."""
    (statement,) = policy.to_dict()["Statement"]
    found: dict[str, Any] = statement["Condition"]
    return found


def test_github_is_trusted_by_ids() -> None:
    """They stay when a repository or its owner is renamed, and nobody else gets them."""
    policy = trust(
        OIDC, subject="repo:wayne@65/cave@74:*", claims={"repository_owner_id": "65", "environment": ["a", "b*"]}
    )
    host = OIDC.partition("/")[2]
    assert conditions_of(policy) == {
        "StringEquals": {f"{host}:aud": "sts.amazonaws.com"},
        "StringLike": {
            f"{host}:sub": "repo:wayne@65/cave@74:*",
            f"{host}:repository_owner_id": "65",
            f"{host}:environment": ["a", "b*"],
        },
    }


def test_a_claim_that_is_a_number_is_compared_as_one() -> None:
    """Google's organizations have numbers."""
    policy = trust("accounts.google.com", claims={"google/organization_number": "123"})
    assert conditions_of(policy) == {"NumericEquals": {"accounts.google.com:google/organization_number": "123"}}


def test_claims_without_a_condition_key_are_refused() -> None:
    """The condition would never hold; the message has the one that is meant."""
    with pytest.raises(
        InvalidPolicyError, match=r"no condition key for 'repository_owner' .*did you mean repository_owner_id"
    ):
        trust(OIDC, subject="repo:wayne/*", claims={"repository_owner": "wayne"})
    with pytest.raises(InvalidPolicyError, match="never have claims"):
        trust("111111111111", claims={"repository_owner_id": "65"})


def test_github_is_trusted_by_subject() -> None:
    """The keys bear the provider's name, and the audience is the one that GitHub's action asks for."""
    policy = trust(OIDC, subject="repo:wayne/batcave:ref:refs/heads/main")
    assert policy.to_dict()["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Federated": OIDC},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {
                "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
                "StringLike": {"token.actions.githubusercontent.com:sub": "repo:wayne/batcave:ref:refs/heads/main"},
            },
        }
    ]


def test_a_provider_s_path_is_part_of_its_keys() -> None:
    """Each EKS cluster is a provider of its own."""
    host = EKS.partition(":oidc-provider/")[2]
    assert conditions_of(trust(EKS, subject="system:serviceaccount:default:reader")) == {
        "StringEquals": {f"{host}:aud": "sts.amazonaws.com"},
        "StringLike": {f"{host}:sub": "system:serviceaccount:default:reader"},
    }


@pytest.mark.parametrize(
    ("principal", "host", "subject"),
    [
        ("arn:aws:iam::222222222222:oidc-provider/gitlab.com", "gitlab.com", "project_path:wayne/cave:*"),
        ("accounts.google.com", "accounts.google.com", "1234"),
        ("cognito-identity.amazonaws.com", "cognito-identity.amazonaws.com", "eu-west-1:0a1b"),
    ],
)
def test_other_providers_have_the_audience_that_is_asked_for(principal: str, host: str, subject: str) -> None:
    """None of its own: IAM keeps a list of them with the provider."""
    assert conditions_of(trust(principal, subject=subject)) == {"StringLike": {f"{host}:sub": subject}}
    asked = conditions_of(trust(principal, subject=[subject, f"{subject}2"], audience=["a", "b"]))
    assert asked == {
        "StringLike": {f"{host}:sub": [subject, f"{subject}2"]},
        "StringEquals": {f"{host}:aud": ["a", "b"]},
    }


def test_providers_do_not_share_a_statement() -> None:
    """A condition on one's subject would never hold for the other's tokens."""
    policy = trust(OIDC, EKS, subject="repo:wayne/cave:*")
    assert [len(statement.principals["Federated"]) for statement in policy.statements] == [1, 1]


@pytest.mark.parametrize(
    ("principals", "options", "problem"),
    [
        ([OIDC], {"external_id": "xx", "subject": "x"}, "never have sts:ExternalId"),
        (["ec2.amazonaws.com"], {"mfa_required": True}, "never have aws:MultiFactorAuthPresent"),
        (["111111111111", "ec2.amazonaws.com"], {"organization_id": "o-1"}, "never have aws:PrincipalOrgID"),
        (["111111111111"], {"subject": "x"}, "requests of arn:aws:iam::111111111111:root never have subject"),
        ([SAML], {"audience": "x"}, "never have audience"),
    ],
)
def test_conditions_that_a_principal_never_meets_are_refused(principals: list[str], options: Any, problem: str) -> None:
    """Such a role could never be assumed; the error says how to write what was meant."""
    with pytest.raises(InvalidPolicyError, match=problem) as caught:
        trust(*principals, **options)
    assert "trust(...) + trust(...)" in str(caught.value)


@pytest.mark.parametrize(
    ("principals", "options", "problem"),
    [
        (["*"], {}, "anyone on AWS"),
        ([OIDC], {}, "anyone who has an account at token.actions.githubusercontent.com is trusted"),
        (["111111111111"], {"third_party": True}, "needs no external id"),
        (["111111111111"], {"source_identity": "*"}, "any source identity"),
    ],
)
def test_what_auditors_flag_is_warned_of(principals: list[str], options: Any, problem: str) -> None:
    """At the caller's own line."""
    with pytest.warns(PolicyWarning, match=problem) as caught:
        trust(*principals, **options)
    assert caught[0].filename == __file__


def test_a_careful_trust_policy_makes_no_noise() -> None:
    """Nor does an account of one's own."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        trust("111111111111")
        trust("111111111111", external_id="agreed-on", third_party=True)
        trust("*", organization_id="o-a1b2c3d4e5")
        trust("111111111111", source_identity="bruce*")
    assert caught == []


def test_all_that_the_module_offers_is_there() -> None:
    """And sorted."""
    assert [name for name in policies.__all__ if not hasattr(policies, name)] == []
    assert policies.__all__ == sorted(policies.__all__, key=lambda name: (not name[0].isupper(), name))
