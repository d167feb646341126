from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from xsession import InvalidPolicyError, Role, RoleSpec
from xsession.policies import Policy, allow, check_managed_policy, check_role_policies, deny, s3_read, trust

BATMAN = "111111111111"
ROLE = "arn:aws:iam::222222222222:role/R"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
TRUST = trust(BATMAN).to_dict()["Statement"][0]


def document(statement: dict[str, Any], **change: Any) -> dict[str, Any]:
    """A policy whose second statement is changed."""
    changed = {name: value for name, value in {**statement, **change}.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [statement, changed]}


MEANINGLESS = [
    ({"Action": "iam: asdf "}, "statement 2: Action 'iam: asdf ' is not valid"),
    ({"Action": "s3.s:ListBucket"}, "statement 2: Action 's3.s:ListBucket' is not valid"),
    ({"Condition": {"StringEquals": {}}}, "statement 2: Condition 'StringEquals' is empty"),
    ({"Condition": {"StringEqual": {}}}, "statement 2: Condition 'StringEqual' is empty"),
    ({"Condition": {"Bool": {"SourceIp": "x"}}}, "statement 2: condition key 'SourceIp' is not valid: <service>:<key>"),
    ({"Condition": {"Bool": {"aws: SourceIp": "x"}}}, "statement 2: condition key 'aws: SourceIp' is not valid"),
    (
        {"Condition": {"StringEquals": {"sts:ExternalId": []}}},
        "statement 2: condition key 'sts:ExternalId' has no value",
    ),
]


@pytest.mark.parametrize(("change", "problem"), MEANINGLESS)
def test_what_nobody_means_is_not_written(change: dict[str, Any], problem: str) -> None:
    """IAM would store it, and it would allow nothing, or everything."""
    permissions = document(READ, **change)
    trusted = document(TRUST, **change)
    policy = Policy.from_dict(permissions)
    writes: list[Callable[[], object]] = [
        lambda: Role(ROLE, policy=permissions),
        lambda: RoleSpec("R", trust=trust(BATMAN), permissions=permissions),
        lambda: RoleSpec("R", trust=trusted),
        lambda: check_managed_policy(policy),
        lambda: check_role_policies(s3_read("levels"), policy),
    ]
    for write in writes:
        with pytest.raises(InvalidPolicyError) as caught:
            write()
        assert problem in str(caught.value)


def test_a_list_that_came_out_empty_is_no_condition() -> None:
    """Whoever makes policies by functions learns it at once."""
    empty: Any = {"StringEquals": {"aws:PrincipalOrgID": []}}
    makers: list[Callable[[], Policy]] = [
        lambda: allow("s3:*", conditions=empty),
        lambda: deny("s3:*", conditions=empty),
        lambda: trust(BATMAN, conditions=empty),
        lambda: trust(BATMAN, external_id=[]),
    ]
    for make in makers:
        with pytest.raises(InvalidPolicyError, match="has no value"):
            make()


def test_a_statement_about_nobody_is_not_written() -> None:
    """As where a list of principals came out empty."""
    with pytest.raises(InvalidPolicyError, match="statement 2: a statement names no principal"):
        RoleSpec("R", trust=document(TRUST, Principal={"AWS": []}))


@pytest.mark.parametrize("key", ["aws:ResourceTag/Cost Center", "aws:RequestTag/a:b/\u00e9", "oidc.eks.eu/id/A:sub"])
def test_keys_of_tags_may_have_spaces(key: str) -> None:
    """So do those of conditions about them: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html."""
    condition = {"StringEquals": {key: "7"}}
    assert allow("ec2:*", conditions=condition).to_dict()["Statement"][0]["Condition"] == condition
    assert trust(BATMAN, conditions=condition).to_dict()["Statement"][0]["Condition"] == condition


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_trust_policy_has_no_not_principal(effect: str) -> None:
    """IAM refuses it."""
    excluded = document(TRUST, Effect=effect, Principal=None, NotPrincipal={"AWS": BATMAN})
    with pytest.raises(InvalidPolicyError, match="statement 2: a trust policy has no NotPrincipal"):
        RoleSpec("R", trust=excluded)


@pytest.mark.parametrize(
    "principal",
    [
        f"arn:aws:iam::{BATMAN}:role/app-*",
        f"arn:aws:iam::{BATMAN}:user/?",
        f"arn:aws:sts::{BATMAN}:assumed-role/Reader/*",
        f"arn:aws:iam::{BATMAN}:oidc-provider/id.example.com/*",
    ],
)
def test_a_wildcard_is_no_part_of_a_principal(principal: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html."""
    with pytest.raises(InvalidPolicyError, match=r"a wildcard can't stand for a part of a principal.*aws:PrincipalArn"):
        trust(principal)
    kind = "Federated" if "provider" in principal else "AWS"
    with pytest.raises(InvalidPolicyError, match=r"statement 2: .* a wildcard"):
        RoleSpec("R", trust=document(TRUST, Principal={kind: principal}))


def test_everyone_is_a_principal() -> None:
    """Under a condition, or auditors flag it."""
    assert trust("*", organization_id="o-a1b2c3d4e5").statements[0].principals == {"AWS": ("*",)}


@pytest.mark.parametrize("arn", ["arn:aws:sqs", "arn:aws:cloudfront:*", "arn:aws:iam::*", "arn:aws:organizations::*:"])
@pytest.mark.parametrize("name", ["Resource", "NotResource"])
def test_an_incomplete_arn_belongs_into_identity_policies_only(arn: str, name: str) -> None:
    """IAM completes it there, and STS refuses it in session policies."""
    policy = document(READ, **{"Resource": None, name: arn})
    assert RoleSpec("R", trust=trust(BATMAN), permissions=policy).permissions == Policy.from_dict(policy)
    check_managed_policy(Policy.from_dict(policy))
    with pytest.raises(
        InvalidPolicyError, match=r"statement 2: resource .* is an incomplete ARN.*; write arn:aws:"
    ) as caught:
        Role(ROLE, policy=policy)
    assert caught.value.role_arn == ROLE
