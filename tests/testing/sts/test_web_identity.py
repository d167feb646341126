from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.worlds import VEGETA, World
from xsession.policies import trust
from xsession.testing import FakeClock, LocalAWS
from xsession.testing._http import RefusedError
from xsession.testing._iam._not_judged import UnknownRequestError
from xsession.testing._sts._web_identity import make_token, read_token

ISSUER = "https://token.ci.example.com"
CAVE = "repo:bats/cave:ref:refs/heads/main"


def token(**claims: Any) -> str:
    """A token of these claims, with an end, and not signed."""
    payload = base64.urlsafe_b64encode(json.dumps({"iss": ISSUER, "exp": 2_000, **claims}).encode()).decode()
    return f"x.{payload.rstrip('=')}.x"


def test_claims_become_condition_keys() -> None:
    """Where there is an authorized party, that is the audience, as in IAM."""
    keys = read_token(token(sub="s", aud=["a", "b"], amr=["x"]), 1_000).keys
    assert keys == {
        "token.ci.example.com:sub": ["s"],
        "token.ci.example.com:aud": ["a", "b"],
        "token.ci.example.com:amr": ["x"],
    }
    keys = read_token(token(sub="s", aud="a", azp="party"), 1_000).keys
    assert (keys["token.ci.example.com:aud"], keys["token.ci.example.com:oaud"]) == (["party"], ["a"])


GITHUB = "https://token.actions.githubusercontent.com"


def test_a_known_providers_own_claims_are_condition_keys() -> None:
    """And no others: AWS has none for them."""
    claims = {"repository_owner_id": "9001", "ref": "refs/heads/main", "run_id": "1", "environment": None}
    keys = read_token(token(iss=GITHUB, sub="s", aud="a", **claims), 1_000).keys
    assert keys == {
        "token.actions.githubusercontent.com:sub": ["s"],
        "token.actions.githubusercontent.com:aud": ["a"],
        "token.actions.githubusercontent.com:repository_owner_id": ["9001"],
        "token.actions.githubusercontent.com:ref": ["refs/heads/main"],
    }
    assert set(read_token(token(sub="s", repository_owner_id="9001"), 1_000).keys) == {"token.ci.example.com:sub"}


def test_claims_within_claims_are_read_too() -> None:
    """Numbers and truth values as policies write them."""
    google = token(iss="https://accounts.google.com", sub="s", google={"organization_number": 42})
    assert read_token(google, 1_000).keys["accounts.google.com:google/organization_number"] == ["42"]
    circle = "https://oidc.circleci.com/org/0193"
    keys = read_token(token(iss=circle, sub="s", **{"oidc.circleci.com/project-id": "p"}), 1_000).keys
    assert keys["oidc.circleci.com/org/0193:oidc.circleci.com/project-id"] == ["p"]
    gitlab = read_token(token(iss="https://gitlab.com", sub="s", ref_protected=True), 1_000)
    assert gitlab.keys["gitlab.com:ref_protected"] == ["true"]


@pytest.mark.parametrize("text", ["", "no-token", "x.!.x", "x.e30.x", "x.W10.x", make_token(ISSUER, "s", "a", 999)])
def test_what_is_no_token_or_has_ended_is_refused(text: str) -> None:
    """Before it counts who it is about."""
    with pytest.raises(RefusedError):
        read_token(text, 1_000)


def test_claims_for_aws_are_not_judged() -> None:
    """Session tags would be among them."""
    with pytest.raises(UnknownRequestError, match="claims"):
        read_token(token(**{"https://aws.amazon.com/tags": {}}), 1_000)


def assumed(world: World, role_arn: str, text: str, **request: Any) -> Any:
    """What STS answers to a request that is not signed."""
    sts = world.aws.session().client("sts", config=Config(signature_version=UNSIGNED))
    wanted: dict[str, Any] = {"RoleArn": role_arn, "RoleSessionName": "ci", "WebIdentityToken": text, **request}
    return sts.assume_role_with_web_identity(**wanted)


def ci_role(world: World, subject: str = "repo:bats/*") -> str:
    """A role for jobs of the bats."""
    provider = world.vegeta.oidc_provider(ISSUER)
    conditions = {
        "StringLike": {"token.ci.example.com:sub": subject},
        "StringEquals": {"token.ci.example.com:aud": "sts.amazonaws.com"},
    }
    return world.vegeta.role("CI", trusts=trust(provider, conditions=conditions))


def test_a_job_assumes_the_role_that_trusts_it(world: World) -> None:
    """Without any key."""
    answer = assumed(world, ci_role(world), world.aws.web_identity_token(ISSUER, CAVE))
    assert answer["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{VEGETA}:assumed-role/CI/ci"
    assert answer["SubjectFromWebIdentityToken"] == CAVE
    assert (answer["Audience"], answer["Provider"].rpartition("/")[2]) == ("sts.amazonaws.com", "token.ci.example.com")
    issued, session = answer["Credentials"], world.aws.session()
    session._session.set_credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    assert session.client("s3").list_buckets()
    assert world.aws.count("AssumeRoleWithWebIdentity", service="sts", account_id=None) == 1


def refused(world: World, role_arn: str, text: str, **request: Any) -> str:
    """The code and message with which it is refused."""
    with pytest.raises(ClientError) as caught:
        assumed(world, role_arn, text, **request)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_another_subject_is_refused(world: World) -> None:
    """In AWS's words; as is a role that is not there."""
    role = ci_role(world)
    words = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
    assert refused(world, role, world.aws.web_identity_token(ISSUER, "repo:joker/cave")) == words
    assert refused(world, f"{role}s", world.aws.web_identity_token(ISSUER, CAVE)) == words
    assert refused(world, world.role, world.aws.web_identity_token(ISSUER, CAVE)) == words


def test_a_trust_policy_asks_for_claims_of_a_known_provider(world: World) -> None:
    """By ids, which no renamed repository or owner gets."""
    provider = world.vegeta.oidc_provider(GITHUB)
    host = GITHUB.removeprefix("https://")
    asked = {f"{host}:repository_owner_id": "9001", f"{host}:environment": "prod"}
    subject = "repo:bats@9001/*"
    role = world.vegeta.role("CI", trusts=trust(provider, subject=subject, conditions={"StringEquals": asked}))
    mine = "repo:bats@9001/cave@7:environment:prod"
    claims = {"repository_owner_id": "9001", "environment": "prod"}
    assert assumed(world, role, world.aws.web_identity_token(GITHUB, mine, claims=claims))
    for wrong in ({"repository_owner_id": "1"}, {"environment": "dev"}, {"environment": None}):
        refused(world, role, world.aws.web_identity_token(GITHUB, mine, claims={**claims, **wrong}))


def test_another_provider_or_audience_is_refused(world: World) -> None:
    """As the account's provider does not know them."""
    role = ci_role(world)
    stranger = world.aws.web_identity_token("https://other.example.com", CAVE)
    assert refused(world, role, stranger).startswith("InvalidIdentityToken: No OpenIDConnect provider found")
    audience = world.aws.web_identity_token(ISSUER, CAVE, audience="other")
    assert refused(world, role, audience) == "InvalidIdentityToken: Incorrect token audience"


def test_a_token_ends_by_the_servers_clock() -> None:
    """As credentials do."""
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        role, text = ci_role(world), aws.web_identity_token(ISSUER, CAVE, seconds=60)
        assert assumed(world, role, text)
        clock.advance(60)
        assert refused(world, role, text) == "ExpiredTokenException: Token expired"


def test_the_roles_limits_hold(world: World) -> None:
    """For its sessions of any kind."""
    text = world.aws.web_identity_token(ISSUER, CAVE)
    assert refused(world, ci_role(world), text, DurationSeconds=7_200).startswith("ValidationError")
