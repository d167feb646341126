"""Roles of a local AWS, assumed with boto3 alone."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.worlds import World

ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})


def refused(world: World, code: str, session: Any = None, **request: Any) -> str:
    """Assumes Vegeta's role, in vain; returns AWS's message."""
    sts = (session or world.source).client("sts", config=ONCE)
    with pytest.raises(ClientError, match=code) as caught:
        sts.assume_role(**{"RoleArn": world.role, "RoleSessionName": "test", **request})
    return caught.value.response["Error"]["Message"]


def assumed(world: World, session: Any = None, **request: Any) -> Any:
    """What STS answers for Vegeta's role."""
    request = {"RoleArn": world.role, "RoleSessionName": "test", **request}
    return (session or world.source).client("sts").assume_role(**request)


def as_session(world: World, answer: Any) -> boto3.Session:
    """A boto3 session with the credentials of an answer."""
    session = world.aws.session(None)
    issued = answer["Credentials"]
    session._session.set_credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    return session
