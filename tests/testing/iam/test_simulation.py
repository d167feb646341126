from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.worlds import BATMAN, VEGETA, World
from xsession.policies import Policy, allow, deny

READ = allow("s3:GetObject", resources="arn:aws:s3:::levels/*")


def simulated(world: World, arn: str, *actions: str, **request: Any) -> list[Any]:
    """What IAM says of actions of a user or a role."""
    iam = world.vegeta.root.client("iam")
    answer = iam.simulate_principal_policy(PolicySourceArn=arn, ActionNames=actions, **request)
    assert not answer["IsTruncated"]
    return list(answer["EvaluationResults"])


def made(world: World, permissions: Policy) -> str:
    """A role that may this."""
    return world.vegeta.role("Simulated", trusts=BATMAN, permissions=permissions)


def test_each_action_is_judged_on_each_resource(world: World) -> None:
    """By the evaluation that requests get."""
    role = made(world, READ + allow("ec2:*") + deny("ec2:RunInstances"))
    resources = ["arn:aws:s3:::levels/goku", "arn:aws:s3:::other/goku"]
    results = simulated(world, role, "s3:GetObject", "ec2:RunInstances", ResourceArns=resources)
    assert [(result["EvalActionName"], result["EvalResourceName"], result["EvalDecision"]) for result in results] == [
        ("s3:GetObject", resources[0], "allowed"),
        ("s3:GetObject", resources[1], "implicitDeny"),
        ("ec2:RunInstances", resources[0], "explicitDeny"),
        ("ec2:RunInstances", resources[1], "explicitDeny"),
    ]


def test_the_policies_that_apply_are_named(world: World) -> None:
    """With their kind."""
    role, iam = made(world, READ), world.vegeta.root.client("iam")
    iam.attach_role_policy(RoleName="Simulated", PolicyArn="arn:aws:iam::aws:policy/AmazonS3FullAccess")
    (result,) = simulated(world, role, "s3:GetObject", ResourceArns=["arn:aws:s3:::levels/goku"])
    found = [(one["SourcePolicyId"], one["SourcePolicyType"]) for one in result["MatchedStatements"]]
    assert found == [("permissions", "role"), ("AmazonS3FullAccess", "aws-managed")]


def test_condition_keys_are_those_that_are_given(world: World) -> None:
    """Those that are missing are named."""
    role = made(world, allow("sts:AssumeRole", conditions={"StringEquals": {"sts:ExternalId": "agreed"}}))
    (result,) = simulated(world, role, "sts:AssumeRole")
    assert result["EvalDecision"] == "implicitDeny"
    assert result["MissingContextValues"] == ["sts:ExternalId"]
    entry = {"ContextKeyName": "sts:ExternalId", "ContextKeyValues": ["agreed"], "ContextKeyType": "string"}
    (result,) = simulated(world, role, "sts:AssumeRole", ContextEntries=[entry])
    assert (result["EvalDecision"], result["MissingContextValues"]) == ("allowed", [])


def test_further_policies_may_be_tried(world: World) -> None:
    """And users, as well as roles."""
    key = world.vegeta.user("prince", permissions=READ)
    (result,) = simulated(world, key.principal.arn, "ec2:RunInstances")
    assert result["EvalDecision"] == "implicitDeny"
    (result,) = simulated(world, key.principal.arn, "ec2:RunInstances", PolicyInputList=[allow("ec2:*").to_json()])
    assert result["EvalDecision"] == "allowed"


@pytest.mark.parametrize(
    ("arn", "request_", "code"),
    [
        (f"arn:aws:iam::{VEGETA}:role/Missing", {}, "NoSuchEntity"),
        (f"arn:aws:iam::{VEGETA}:user/missing", {}, "NoSuchEntity"),
        ("an-arn-that-is-not-one", {}, "NoSuchEntity"),
        (f"arn:aws:iam::{VEGETA}:role/Reader", {"ResourcePolicy": "{}"}, "InvalidInput"),
        (f"arn:aws:iam::{VEGETA}:role/Reader", {"PolicyInputList": ["{}"]}, "InvalidInput"),
    ],
)
def test_what_can_not_be_simulated_is_refused(world: World, arn: str, request_: dict[str, Any], code: str) -> None:
    """An unknown principal, and what it does not know."""
    with pytest.raises(ClientError, match=code):
        simulated(world, arn, "s3:GetObject", **request_)
