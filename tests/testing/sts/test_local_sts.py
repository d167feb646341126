"""AssumeRole and GetSessionToken as AWS has them; with the answers of `_responses`."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.assumed_roles import as_session, assumed, refused
from tests.support.worlds import BATMAN, VEGETA, World, who
from xsession.policies import allow, deny


def test_a_role_is_assumed_by_whom_it_trusts(world: World) -> None:
    """And by no other caller; a role that does not exist is refused in the same words."""
    assert assumed(world)["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{VEGETA}:assumed-role/Reader/test"
    stranger = world.aws.session(world.hub.user("clerk"))
    assert "not authorized to perform: sts:AssumeRole" in refused(world, "AccessDenied", stranger)
    refused(world, "AccessDenied", RoleArn=f"arn:aws:iam::{VEGETA}:role/Missing")


def test_tags_policies_and_source_identity_are_taken(world: World) -> None:
    """And told of in the answer."""
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    answer = assumed(world, SourceIdentity="bruce", Tags=[{"Key": "team", "Value": "bats"}], Policy=policy)
    assert answer["SourceIdentity"] == "bruce"
    assert 1 <= answer["PackedPolicySize"] <= 100


def test_a_source_identity_can_not_be_changed_on_the_way(world: World) -> None:
    """It goes on with the chain."""
    hub = assumed(world, RoleArn=world.chain.roles[0].role_arn, SourceIdentity="bruce")
    session = as_session(world, hub)
    last = world.chain.last.role_arn
    assert assumed(world, session, RoleArn=last)["SourceIdentity"] == "bruce"
    refused(world, "AccessDenied", session, RoleArn=last, SourceIdentity="joker")


def test_an_external_id_must_be_the_one_that_was_agreed_on(world: World) -> None:
    """Else it is refused like a stranger."""
    arn = world.vegeta.role("Agreed", trusts=BATMAN, external_id="agreed-on")
    refused(world, "AccessDenied", RoleArn=arn)
    refused(world, "AccessDenied", RoleArn=arn, ExternalId="guessed")
    assert assumed(world, RoleArn=arn, ExternalId="agreed-on")


def test_a_code_of_an_mfa_device_works_once(world: World) -> None:
    """As real ones do."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": BATMAN},
                "Action": "sts:AssumeRole",
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            }
        ],
    }
    world.vegeta.set_trust("Reader", trust)
    serial = f"arn:aws:iam::{BATMAN}:mfa/bruce"
    world.aws.expect_mfa_code(serial, "123456")
    refused(world, "AccessDenied")
    assert assumed(world, SerialNumber=serial, TokenCode="123456")
    assert "invalid MFA" in refused(world, "AccessDenied", SerialNumber=serial, TokenCode="123456")


def test_a_session_token_makes_what_follows_a_chain(world: World) -> None:
    """Its roles live an hour at most."""
    arn = world.vegeta.role("Long", trusts=BATMAN, max_session_duration=43_200)
    assert assumed(world, RoleArn=arn, DurationSeconds=7_200)
    session = as_session(world, world.source.client("sts").get_session_token())
    assert who(session.client("sts")) == BATMAN
    assert "role chaining" in refused(world, "ValidationError", session, RoleArn=arn, DurationSeconds=7_200)
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("sts").get_session_token()


def test_transitive_tags_go_on_to_the_next_role(world: World) -> None:
    """Where a trust policy may ask for them."""
    hub = world.chain.roles[0].role_arn
    arn = world.vegeta.role("Tagged", trusts=hub)
    allow: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": hub},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    allow["Condition"] = {"StringEquals": {"aws:RequestTag/team": "bats"}}
    world.vegeta.set_trust("Tagged", {"Version": "2012-10-17", "Statement": [allow]})
    tags = [{"Key": "team", "Value": "bats"}]
    plain = as_session(world, assumed(world, RoleArn=hub, Tags=tags))
    refused(world, "AccessDenied", plain, RoleArn=arn)
    transitive = as_session(world, assumed(world, RoleArn=hub, Tags=tags, TransitiveTagKeys=["team"]))
    assert assumed(world, transitive, RoleArn=arn)


@pytest.mark.parametrize("key", ["team", "Team"])
def test_an_inherited_tag_is_not_set_again(world: World, key: str) -> None:
    """In whatever case, to whatever value; one that is not transitive may be."""
    hub = world.chain.roles[0].role_arn
    last = world.chain.last.role_arn
    tags = [{"Key": "team", "Value": "bats"}, {"Key": "own", "Value": "x"}]
    session = as_session(world, assumed(world, RoleArn=hub, Tags=tags, TransitiveTagKeys=["team"]))
    again = [{"Key": key, "Value": "bats"}]
    words = refused(world, "InvalidParameterValue", session, RoleArn=last, Tags=again)
    assert "conflicts with a transitive tag key from the calling session" in words
    assert assumed(world, session, RoleArn=last, Tags=[{"Key": "own", "Value": "y"}])


def test_an_operation_that_is_not_there_is_an_error(world: World) -> None:
    """Not an answer of moto's, which asks no trust policy."""
    with pytest.raises(ClientError, match="InvalidAction"):
        world.source.client("sts").get_federation_token(Name="bruce")


def test_the_lifetime_can_be_changed(world: World) -> None:
    """For credentials issued from now on."""
    world.aws.set_lifetime(7.0)
    xs = world.session()
    assert (xs.get_frozen_credentials("vegeta").lifetime or 0) <= 8


def test_sts_may_be_off_in_a_region(world: World) -> None:
    """For one account, or for all."""
    world.aws.disable_region("eu-west-1", VEGETA)
    assert f"account:{VEGETA}" in refused(world, "RegionDisabledException")
    assert assumed(world, RoleArn=world.chain.roles[0].role_arn)
    elsewhere = world.source.client("sts", region_name="eu-north-1")
    assert elsewhere.assume_role(RoleArn=world.role, RoleSessionName="test")
    world.aws.disable_region("eu-west-1")
    with pytest.raises(ClientError, match="RegionDisabledException"):
        world.source.client("sts").get_session_token()
    assert who(world.source.client("sts")) == BATMAN


def test_a_deny_keeps_a_user_from_a_session_token(world: World) -> None:
    """Which needs no permission."""
    plain = world.aws.session(world.batman.user("alfred", permissions=allow("s3:*")))
    assert plain.client("sts").get_session_token()
    world.batman.user("alfred", permissions=allow("s3:*") + deny("sts:*"))
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        plain.client("sts").get_session_token()
