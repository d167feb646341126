"""Whom trust policies name after a principal was deleted; whole requests, through `_local_iam`."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.assumed_roles import as_session, assumed, refused
from tests.support.worlds import BATMAN, HUB, World
from xsession.policies import Policy, trust


def trusted(world: World, *principals: str) -> str:
    """A role of Vegeta's that trusts them alone; returns its ARN."""
    return world.vegeta.role("Trusting", trusts=trust(*principals))


def named(world: World) -> Any:
    """Whom that role trusts."""
    return document_of(world)["Statement"][0]["Principal"]["AWS"]


def document_of(world: World) -> Any:
    """That role's trust policy."""
    return world.vegeta.root.client("iam").get_role(RoleName="Trusting")["Role"]["AssumeRolePolicyDocument"]


def deleted_role(iam: Any, name: str) -> None:
    """Deletes a role with its permissions."""
    iam.delete_role_policy(RoleName=name, PolicyName="permissions")
    iam.delete_role(RoleName=name)


def test_a_role_that_is_made_again_is_another_principal(world: World) -> None:
    """The trust policy shows the id of the one that is gone; saved with the ARN again, it means the new one."""
    hub = world.hub.role("Batcave", trusts=BATMAN)
    arn = trusted(world, hub, f"arn:aws:iam::{HUB}:root")
    world.vegeta.set_trust("Trusting", trust(hub))
    assert assumed(world, as_session(world, assumed(world, RoleArn=hub)), RoleArn=arn)
    iam = world.hub.root.client("iam")
    unique_id = iam.get_role(RoleName="Batcave")["Role"]["RoleId"]
    deleted_role(iam, "Batcave")
    assert named(world) == unique_id
    assert world.hub.role("Batcave", trusts=BATMAN) == hub
    session = as_session(world, assumed(world, RoleArn=hub))
    refused(world, "AccessDenied", session, RoleArn=arn)
    world.vegeta.set_trust("Trusting", trust(hub))
    assert assumed(world, session, RoleArn=arn)


def test_a_user_that_is_made_again_is_another_principal(world: World) -> None:
    """Whose old key and whose sessions are not known any more."""
    key = world.batman.user("alfred")
    arn = trusted(world, key.principal.arn, f"arn:aws:iam::{BATMAN}:user/bruce")
    alfred = world.aws.session(key)
    session = as_session(world, alfred.client("sts").get_session_token())
    assert assumed(world, alfred, RoleArn=arn)
    iam = world.batman.root.client("iam")
    unique_id = iam.get_user(UserName="alfred")["User"]["UserId"]
    assert unique_id.startswith("AIDA")
    iam.delete_user_policy(UserName="alfred", PolicyName="permissions")
    iam.delete_user(UserName="alfred")
    assert sorted(named(world)) == [unique_id, f"arn:aws:iam::{BATMAN}:user/bruce"]
    again = world.aws.session(world.batman.user("alfred"))
    refused(world, "AccessDenied", again, RoleArn=arn)
    refused(world, "InvalidClientTokenId", alfred, RoleArn=arn)
    refused(world, "InvalidClientTokenId", session, RoleArn=arn)
    assert assumed(world, RoleArn=arn)


def test_what_only_looks_like_the_principal_is_left_alone(world: World) -> None:
    """A condition's value, and a name that begins with the same letters."""
    world.hub.role("Bat", trusts=BATMAN)
    hub = f"arn:aws:iam::{HUB}:role/Bat"
    conditions = {"ArnEquals": {"aws:PrincipalArn": [hub]}}
    policy = trust(HUB, f"{hub}cave", conditions=conditions)
    world.hub.role("Batcave", trusts=BATMAN)
    world.vegeta.role("Trusting", trusts=policy)
    deleted_role(world.hub.root.client("iam"), "Bat")
    assert Policy.from_dict(document_of(world)) == policy


def test_sts_knows_no_key_of_a_user_who_was_deleted(world: World) -> None:
    """GetCallerIdentity needs no permission, but a key that there is."""
    alfred = world.aws.session(world.batman.user("alfred")).client("sts")
    assert alfred.get_caller_identity()["Arn"] == f"arn:aws:iam::{BATMAN}:user/alfred"
    iam = world.batman.root.client("iam")
    iam.delete_user_policy(UserName="alfred", PolicyName="permissions")
    iam.delete_user(UserName="alfred")
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        alfred.get_caller_identity()


def test_what_is_not_deleted_stays(world: World) -> None:
    """IAM refuses to delete a role that has policies, and one that is not there."""
    hub = world.hub.role("Batcave", trusts=BATMAN)
    trusted(world, hub)
    iam = world.hub.root.client("iam")
    for name in ("Batcave", "missing"):
        with pytest.raises(ClientError, match=r"DeleteConflict|NoSuchEntity"):
            iam.delete_role(RoleName=name)
    assert hub in json.dumps(named(world))
