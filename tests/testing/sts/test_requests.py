from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config

from tests.support.assumed_roles import refused
from tests.support.worlds import BATMAN, VEGETA, World
from xsession.policies import allow, trust


@pytest.mark.parametrize(
    "request_",
    [
        {"DurationSeconds": 899},
        {"DurationSeconds": 43_201},
        {"DurationSeconds": 3_601},
        {"RoleSessionName": "with space"},
        {"ExternalId": "with space"},
        {"SourceIdentity": "aws:bruce"},
        {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]},
        {"Tags": [{"Key": "aws:a", "Value": "1"}]},
        {"PolicyArns": [{"arn": f"arn:aws:iam::{VEGETA}:policy/{'p' * 500}"}] * 5},
        {"RoleArn": "arn:aws:iam::222222222222:user/NoRoleAtAll"},
    ],
)
def test_what_sts_would_not_take_is_refused(world: World, request_: dict[str, Any]) -> None:
    """By AWS's limits."""
    world.source._session.set_default_client_config(Config(parameter_validation=False))
    refused(world, "ValidationError", **request_)


def test_a_policy_that_is_none_is_refused(world: World) -> None:
    """Before anything is issued."""
    refused(world, "MalformedPolicyDocument", Policy='{"Statement": 1}')


def test_a_session_policy_has_no_incomplete_arn(world: World) -> None:
    """STS completes none: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html."""
    policy = allow("sqs:*", resources="arn:aws:sqs").to_json()
    assert "incomplete ARN" in refused(world, "MalformedPolicyDocument", Policy=policy)


def test_a_session_policy_has_no_principal(world: World) -> None:
    """That would be a trust policy."""
    message = refused(world, "MalformedPolicyDocument", Policy=trust(BATMAN).to_json())
    assert "principal" in message
