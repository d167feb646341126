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
        ({"StringEquals": {"aws:PrincipalAccount": "111111111111"}}, []),
        ({"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}}, []),
        ({"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, []),
        ({"StringLike": {"aws:userid": "AROAEXAMPLEEXAMPLE123:*"}}, []),
        ({"ArnLike": {"aws:PrincipalArn": "arn:*:iam::111111111111:role/x"}}, []),
        ({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/x*"}}, []),
        # A path may hold colons, and in a string * crosses them.
        ({"StringLike": {"aws:PrincipalArn": "arn:*:iam::111111111111:role/x"}}, ["anyone"]),
        ({"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}}, ["anyone"]),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/Admin"}}, ["anyone"]),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1111*:role/Admin"}}, ["anyone"]),
        ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, ["anyone"]),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-1/*"}}, ["anyone"]),
        ({"StringLike": {"aws:PrincipalAccount": "1*"}}, ["anyone"]),
        ({"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}, ["anyone"]),
        ({"StringLike": {"aws:userid": "*:bruce"}}, ["anyone"]),
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
        ({"StringLike": {"sts:ExternalId": "${STS:externalId, 'x'}*"}}, ["no-external-id"]),
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


BRANCH = "ref:refs/heads/main"
OWNED = {
    GITHUB: {
        "sub": [
            "repo:wayne/*",
            "repo:wayne@65/cave@74:*",
            "repo:wayne@*",
            "repository_owner:wayne",
            "repository_owner_id:65:*",
        ],
        "repository": ["wayne/*"],
        "repository_id": ["74"],
        "repository_owner_id": ["65"],
        "job_workflow_ref": ["wayne/ci/.github/workflows/deploy.yml@*"],
    },
    "gitlab.com": {"sub": ["project_path:wayne/*"], "project_id": ["1"], "namespace_id": ["2"]},
    "agent.buildkite.com": {
        "sub": ["organization:wayne:*", "0184990a-477b-4fa8-9968-496074483cee"],
        "organization_slug": ["wayne"],
    },
    "app.terraform.io": {"sub": ["organization:wayne:*"]},
    "accounts.google.com": {"sub": ["111222333444"]},
    "oidc.circleci.com/org/0a1b": {"sub": ["org/0a1b/project/*"], "oidc.circleci.com/project-id": ["2c"]},
    "api.bitbucket.org/2.0/workspaces/wayne/pipelines-config/identity/oidc": {"sub": ["{0a1b}:*"]},
    "oidc.eks.eu-west-1.amazonaws.com/id/A1": {"sub": ["system:serviceaccount:default:*"]},
    "api.pulumi.com/oidc": {"sub": ["pulumi:deploy:org:wayne:*"], "aud": ["wayne"]},
}
OPEN = {
    GITHUB: {
        "sub": [
            "environment:prod*",
            BRANCH,
            "repository_owner:*",
            "repository_owner:wayne*",
            "actor:*",
            "repo:*@65/*",
        ],
        "repository": ["*/cave", "way*/cave"],
        "actor": ["bruce"],
        "environment": ["prod"],
        "ref": ["refs/heads/main"],
        "aud": ["sts.amazonaws.com"],
    },
    "gitlab.com": {"sub": ["ref_type:branch:*", "user_login:*", "project_path:*/cave"], "user_login": ["bruce"]},
    "agent.buildkite.com": {"sub": ["organization:*:pipeline:deploy:*", "deploy"], "pipeline_slug": ["deploy"]},
    "app.terraform.io": {"sub": ["organization:*", "organization:wayne*", "organization:*:project:p:*"]},
    "accounts.google.com": {"sub": ["1*"], "aud": ["an-app"]},
    "oidc.circleci.com/org/0a1b": {"sub": ["org/*"], "aud": ["0a1b"]},
    "oidc.eks.eu-west-1.amazonaws.com/id/A1": {"sub": ["system:serviceaccount:*", "sys*", "*:default"]},
}


def listed(values: dict[str, dict[str, list[str]]]) -> list[tuple[str, str, str]]:
    """Issuer, claim and value, each at a time."""
    return [(issuer, claim, one) for issuer, claims in values.items() for claim, ones in claims.items() for one in ones]


def found(issuer: str, claim: str, value: str) -> list[str]:
    """What is found where a trust policy has this one condition."""
    name = f"arn:aws:iam::222222222222:oidc-provider/{issuer}"
    conditions = {"StringLike": {f"{issuer}:{claim}": value}}
    return codes(trusting(conditions, kind="Federated", name=name, action="sts:AssumeRoleWithWebIdentity"))


@pytest.mark.parametrize(("issuer", "claim", "value"), listed(OWNED))
def test_a_condition_that_names_the_owner_is_enough(issuer: str, claim: str, value: str) -> None:
    """By name or by an id that never changes, each issuer in its own way."""
    assert found(issuer, claim, value) == []


@pytest.mark.parametrize(("issuer", "claim", "value"), listed(OPEN))
def test_a_condition_that_anyone_there_can_meet_is_flagged(issuer: str, claim: str, value: str) -> None:
    """What a subject is made of is chosen by whoever owns the repository; so are branches and environments."""
    assert found(issuer, claim, value) == ["no-subject"]


def test_all_values_of_a_condition_must_name_the_owner() -> None:
    """One that does not lets everybody in."""
    conditions = {"StringLike": {f"{GITHUB}:sub": ["repo:wayne/*", BRANCH]}}
    entry = trusting(conditions, kind="Federated", name=OIDC, action="sts:AssumeRoleWithWebIdentity")
    assert codes(entry) == ["no-subject"]


def test_a_finding_shows_how_a_subject_begins() -> None:
    """At a shared issuer; one's own issuer has no others."""
    entry = trusting(kind="Federated", name=OIDC, action="sts:AssumeRoleWithWebIdentity")
    (finding,) = findings(Policy([Statement(effect="Allow", **entry)]))
    assert finding.message.endswith(f"require a {GITHUB}:sub that begins with repo:<owner>@<id>/")


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["any-source-identity"]),
        ({"StringLike": {"sts:SourceIdentity": "bruce*"}}, []),
        ({"StringEquals": {"aws:SourceIdentity": "bruce"}}, []),
        ({"StringLike": {"sts:SourceIdentity": "*"}}, ["any-source-identity"]),
        ({"StringEquals": {"sts:SourceIdentity": "${sts:SourceIdentity}"}}, ["any-source-identity"]),
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
