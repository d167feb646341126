from __future__ import annotations

import email.utils
import time

import pytest
from botocore.exceptions import ClientError

from tests.support.assumed_roles import ONCE, as_session, assumed, refused
from tests.support.worlds import BATMAN, World, who
from xsession.testing import LocalAWS
from xsession.testing._iam._not_judged import UnknownConditionError


def test_a_condition_that_is_not_known_ends_the_test() -> None:
    """Never a verdict that is worth nothing."""

    def run() -> None:
        with LocalAWS() as aws:
            world = World(aws)
            statement = {
                "Effect": "Allow",
                "Principal": {"AWS": BATMAN},
                "Action": "sts:AssumeRole",
                "Condition": {"StringEquals": {"aws:Moon": "full"}},
            }
            world.vegeta.set_trust("Reader", {"Version": "2012-10-17", "Statement": [statement]})
            refused(world, "NotKnownHere")

    with pytest.raises(UnknownConditionError, match="aws:Moon"):
        run()


def test_another_accounts_bucket_is_closed(world: World) -> None:
    """Whatever its key may do elsewhere."""
    bucket = world.bucket()
    with pytest.raises(ClientError, match="AccessDenied"):
        world.source.client("s3").list_objects_v2(Bucket=bucket)
    assert as_session(world, assumed(world)).client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1


def test_a_skewed_server_tells_its_time(world: World) -> None:
    """By which a client can see how far it is off."""
    world.aws.set_clock_skew(3_600)
    with pytest.raises(ClientError) as caught:
        who(world.source.client("sts", config=ONCE))
    told = email.utils.parsedate_to_datetime(caught.value.response["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert 3_500 < told.timestamp() - time.time() < 3_700
