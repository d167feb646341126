from __future__ import annotations

from tests.support.assumed_roles import assumed, refused
from tests.support.worlds import BATMAN, VEGETA, World


def test_calls_are_counted_but_not_those_of_the_set_up(world: World) -> None:
    """With who made them, where, and how they ended."""
    assert world.aws.calls == []
    assumed(world)
    refused(world, "AccessDenied", RoleArn=f"arn:aws:iam::{VEGETA}:role/Missing")
    first, second = world.aws.calls
    assert (first.service, first.operation, first.account_id, first.status) == ("sts", "AssumeRole", BATMAN, 200)
    assert (first.role_arn, first.region_name, first.error_code) == (world.role, "eu-west-1", None)
    assert (second.status, second.error_code) == (403, "AccessDenied")
    assert world.aws.count("AssumeRole", status=200) == 1
    world.aws.clear_calls()
    assert world.aws.calls == []
