from __future__ import annotations

from typing import Any

import pytest

from xsession.policies import Policy, Statement, deny, findings, trust
from xsession.policies._findings import allows_action

GITHUB = "token.actions.githubusercontent.com"
OIDC = f"arn:aws:iam::222222222222:oidc-provider/{GITHUB}"
SAML = "arn:aws:iam::222222222222:saml-provider/okta"


def codes(*statements: dict[str, Any], third_party: bool = False) -> list[str]:
    """The codes of what is found in statements, each of which allows unless it says otherwise."""
    policy = Policy([Statement(**{"effect": "Allow", **statement}) for statement in statements])
    return [finding.code for finding in findings(policy, third_party=third_party)]


def trusting(conditions: Any = None, *, kind: str = "AWS", name: str = "*", action: str = "*") -> dict[str, Any]:
    """A statement's arguments."""
    return {"principals": {kind: [name]}, "actions": [action], "conditions": conditions or {}}


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["anyone"]),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, []),
        ({"ArnLike": {"AWS:principalarn": "arn:aws:iam::111111111111:role/*"}}, []),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/*"}}, []),
        ({"StringLike": {"aws:PrincipalOrgID": "*"}}, ["anyone"]),
        ({"StringLike": {"aws:PrincipalOrgID": ["o-1", "*"]}}, ["anyone"]),
        ({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, ["anyone"]),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, ["anyone"]),
        ({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}, ["anyone"]),
        ({"StringEquals": {"sts:ExternalId": "x"}}, ["anyone"]),
    ],
)
def test_any_principal_is_flagged_unless_a_condition_says_who(conditions: Any, expected: list[str]) -> None:
    """Only one that must hold, on who calls, counts."""
    assert codes(trusting(conditions, action="sts:AssumeRole")) == expected


def test_all_but_a_few_is_flagged() -> None:
    """To deny all but a few is right."""
    names = {"not_principals": {"AWS": ["111111111111"]}, "actions": ["sts:AssumeRole"]}
    assert codes(names) == ["not-principal"]
    assert codes({**names, "effect": "Deny"}) == []


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["no-external-id"]),
        ({"StringEquals": {"sts:ExternalId": "x"}}, []),
        ({"StringLike": {"sts:ExternalId": "*"}}, ["no-external-id"]),
        ({"StringEqualsIfExists": {"sts:ExternalId": "x"}}, ["no-external-id"]),
    ],
)
def test_a_third_party_needs_an_external_id(conditions: Any, expected: list[str]) -> None:
    """One's own accounts need none."""
    entry = trusting(conditions, name="111111111111", action="sts:Assume*")
    assert codes(entry, third_party=True) == expected
    assert codes(entry) == []


def test_services_and_tags_have_no_external_id() -> None:
    """Only AssumeRole has one."""
    service = trusting(kind="Service", name="ec2.amazonaws.com", action="sts:AssumeRole")
    assert codes(service, trusting(name="111111111111", action="sts:TagSession"), third_party=True) == []


@pytest.mark.parametrize(
    ("name", "conditions", "expected"),
    [
        (OIDC, {}, ["no-subject"]),
        (OIDC, {"StringLike": {f"{GITHUB}:sub": "repo:wayne/*"}}, []),
        (OIDC, {"StringLike": {f"{GITHUB}:sub": "repo:wayne/cave:*"}}, []),
        (OIDC, {"StringLike": {f"{GITHUB}:sub": "job_workflow_ref:wayne/*"}}, []),
        (OIDC, {"StringEquals": {f"{GITHUB}:sub": "repo:wayne"}}, []),
        (OIDC, {"StringLike": {f"{GITHUB}:sub": "repo:*"}}, ["no-subject"]),
        (OIDC, {"StringLike": {f"{GITHUB}:sub": "repo:*/cave:*"}}, ["no-subject"]),
        (OIDC, {"StringLike": {f"{GITHUB}:sub": "repo:wayne*"}}, ["no-subject"]),
        (OIDC, {"StringLike": {f"{GITHUB}:sub": "rep*"}}, ["no-subject"]),
        (OIDC, {"StringLike": {f"{GITHUB}:sub": "?*"}}, ["no-subject"]),
        (OIDC, {"StringLike": {f"{GITHUB}:sub": ["repo:wayne/*", "*"]}}, ["no-subject"]),
        (OIDC, {"StringEquals": {f"{GITHUB}:aud": "sts.amazonaws.com"}}, ["no-subject"]),
        (OIDC, {"StringEquals": {"gitlab.com:sub": "x"}}, ["no-subject"]),
        ("cognito-identity.amazonaws.com", {"StringEquals": {"cognito-identity.amazonaws.com:aud": "pool"}}, []),
        ("graph.facebook.com", {"StringEquals": {"graph.facebook.com:app_id": "1"}}, []),
        (SAML, {}, []),
    ],
)
def test_a_provider_needs_a_subject(name: str, conditions: Any, expected: list[str]) -> None:
    """Every account at GitHub can get a token of GitHub's."""
    assert codes(trusting(conditions, kind="Federated", name=name, action="sts:AssumeRoleWithWebIdentity")) == expected


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["any-source-identity"]),
        ({"StringLike": {"sts:SourceIdentity": "bruce*"}}, []),
        ({"StringEquals": {"aws:SourceIdentity": "bruce"}}, []),
        ({"StringLike": {"sts:SourceIdentity": "*"}}, ["any-source-identity"]),
    ],
)
def test_a_source_identity_needs_a_condition(conditions: Any, expected: list[str]) -> None:
    """Else it says whatever the caller likes."""
    assert codes(trusting(conditions, name="111111111111", action="sts:SetSourceIdentity")) == expected


def test_what_is_allowed_by_exclusion_counts() -> None:
    """NotAction allows what it does not name."""
    entry = {"principals": {"AWS": ["111111111111"]}, "not_actions": ["sts:assumerole"]}
    assert codes(entry) == ["any-source-identity"]
    assert codes({**entry, "not_actions": ["sts:*"]}) == []


def test_a_finding_says_where() -> None:
    """It holds the statement; a mapping is taken too, and a policy without findings has none."""
    document = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}}
    (finding,) = findings(document)
    assert finding.statement == Policy.from_dict(document).statements[0]
    assert findings(trust("111111111111")) == ()


def test_a_policy_tells_whether_it_allows_an_action() -> None:
    """To whomever; wildcards count, denials do not."""
    policy = trust("111111111111", session_tags=["team"])
    assert allows_action(policy, "sts:TagSession")
    assert not allows_action(policy, "sts:SetSourceIdentity")
    assert not allows_action(deny("sts:*"), "sts:TagSession")
