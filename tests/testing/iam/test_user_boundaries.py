from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.worlds import BATMAN, World
from xsession.policies import allow, deny

ONLY_EC2 = allow("ec2:*")


@pytest.fixture
def iam(world: World) -> Any:
    """Batman's IAM."""
    return world.batman.root.client("iam")


def policy(iam: Any, name: str, document: Any) -> str:
    """A managed policy; returns its ARN."""
    return str(iam.create_policy(PolicyName=name, PolicyDocument=document.to_json())["Policy"]["Arn"])


def test_a_user_is_limited_by_the_boundary_it_was_made_with(world: World, iam: Any) -> None:
    """In the words of AWS."""
    made = iam.create_user(UserName="alice", PermissionsBoundary=policy(iam, "OnlyEc2", ONLY_EC2))["User"]
    assert made["PermissionsBoundary"] == iam.get_user(UserName="alice")["User"]["PermissionsBoundary"]
    session = world.aws.session(world.batman.user("alice"))
    assert session.client("ec2").describe_regions()
    with pytest.raises(ClientError, match="because no permissions boundary allows the s3:ListAllMyBuckets action"):
        session.client("s3").list_buckets()
    with pytest.raises(ClientError, match="because no permissions boundary allows the sts:AssumeRole action"):
        session.client("sts").assume_role(RoleArn=world.role, RoleSessionName="alice")


def test_a_boundary_is_set_and_removed(world: World, iam: Any) -> None:
    """From the next request on."""
    s3 = world.aws.session(world.batman.user("alice")).client("s3")
    assert s3.list_buckets()["Buckets"] == []
    arn = policy(iam, "NoS3", allow("*") + deny("s3:*"))
    iam.put_user_permissions_boundary(UserName="alice", PermissionsBoundary=arn)
    with pytest.raises(ClientError, match=f"with an explicit deny in a permissions boundary: {arn}"):
        s3.list_buckets()
    iam.delete_user_permissions_boundary(UserName="alice")
    assert "PermissionsBoundary" not in iam.get_user(UserName="alice")["User"]
    assert s3.list_buckets()["Buckets"] == []


@pytest.mark.parametrize("kind", ["user", "role"])
def test_a_boundary_is_a_policy_that_is_there(world: World, iam: Any, kind: str) -> None:
    """One of AWS's own, too."""
    world.batman.user("alice")
    world.batman.role("Alice", trusts=BATMAN)
    put = getattr(iam, f"put_{kind}_permissions_boundary")
    name = {"UserName": "alice"} if kind == "user" else {"RoleName": "Alice"}
    put(**name, PermissionsBoundary="arn:aws:iam::aws:policy/ReadOnlyAccess")
    with pytest.raises(ClientError, match="NoSuchEntity"):
        put(**name, PermissionsBoundary=f"arn:aws:iam::{BATMAN}:policy/missing")
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        put(**name, PermissionsBoundary="arn:aws:s3:::no-policy-at-all")


def test_only_a_user_that_is_there_gets_one(iam: Any) -> None:
    """Or is freed of one."""
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.delete_user_permissions_boundary(UserName="nobody")


def test_a_boundary_is_not_removed_by_a_request_without_one(world: World) -> None:
    """boto3 does not send such a request, unless told to."""
    world.batman.user("alice")
    iam = world.batman.root.client("iam", config=Config(parameter_validation=False))
    with pytest.raises(ClientError, match="ValidationError"):
        iam.put_user_permissions_boundary(UserName="alice")  # type: ignore[call-arg]  # that is the point
