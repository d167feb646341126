from __future__ import annotations

import pytest

from tests.support.scripted_sts import ROLE
from xsession import Role
from xsession._sts._regions import sts_region


@pytest.mark.parametrize(
    ("role", "candidates", "expected"),
    [
        (Role(ROLE, sts_region_name="eu-north-1"), ("us-east-2", "us-west-1"), "eu-north-1"),
        (Role(ROLE), ("us-east-2", "us-west-1"), "us-east-2"),
        (Role(ROLE), (None, "us-west-1"), "us-west-1"),
        (Role(ROLE), (None, None), "us-east-1"),
        (Role(ROLE), ("cn-north-1", "eu-west-1"), "eu-west-1"),
        (Role("arn:aws-cn:iam::222222222222:role/R"), ("eu-west-1",), "cn-north-1"),
        (Role("arn:aws-cn:iam::222222222222:role/R", sts_region_name="us-east-1"), ("cn-north-1",), "us-east-1"),
        (Role("arn:aws-us-gov:iam::222222222222:role/R"), ("us-gov-east-1",), "us-gov-east-1"),
        (Role("arn:aws-iso-b:iam::222222222222:role/R"), (), "us-isob-east-1"),
        (Role("arn:aws-eusc:iam::222222222222:role/R"), ("eu-west-1",), "eusc-de-east-1"),
        (Role("arn:aws-new:iam::222222222222:role/R"), (), "us-east-1"),
        (None, (None, "eu-west-1"), "eu-west-1"),
        (None, (), "us-east-1"),
    ],
)
def test_the_region_of_sts(role: Role | None, candidates: tuple[str | None, ...], expected: str) -> None:
    """The role's own, else the first in its partition, else that partition's first."""
    assert sts_region(role, *candidates) == expected
