"""Faults, with the connections that `_wsgi` cuts."""

from __future__ import annotations

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from tests.support.assumed_roles import ONCE, assumed, refused
from tests.support.worlds import BATMAN, World, who
from xsession.testing import Fault


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault(kind="reset", times=None), ConnectionClosedError),
        (Fault(kind="garbage", times=None), ResponseParserError),
        (Fault(status=503, code="SlowDown", times=None), ClientError),
    ],
)
def test_faults_are_what_boto3_meets_in_the_wild(world: World, fault: Fault, kind: type[Exception]) -> None:
    """Until the server recovers."""
    sts = world.source.client("sts", config=ONCE)
    world.aws.fail(fault)
    with pytest.raises(kind):
        who(sts)
    world.aws.recover()
    assert who(sts) == BATMAN


def test_a_fault_hits_only_what_it_is_for(world: World) -> None:
    """By operation, role and number."""
    world.aws.fail(Fault(operation="AssumeRole", role_arn=world.role, status=400, code="Nope"))
    assert who(world.source.client("sts")) == BATMAN
    assert assumed(world, RoleArn=world.chain.roles[0].role_arn)
    refused(world, "Nope")
    assert assumed(world)


def test_an_answer_may_hang_until_it_is_released(world: World) -> None:
    """Or come late."""
    world.aws.fail(Fault(kind="hang"))
    sts = world.source.client("sts", config=Config(read_timeout=0.05, retries={"total_max_attempts": 1}))
    with pytest.raises(Exception, match="Read timeout"):
        who(sts)
    world.aws.release()
    world.aws.fail(Fault(kind="latency", seconds=0.2))
    with pytest.raises(Exception, match="Read timeout"):
        who(sts)
    assert who(sts) == BATMAN
