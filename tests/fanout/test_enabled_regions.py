from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.worlds import World
from xsession.fanout._enabled_regions import EnabledRegions, enabled_regions
from xsession.roles import RoleChain


def denied(operation: str) -> ClientError:
    """What an account answers where its role may not."""
    return ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": operation}}, operation)


class Account:
    """An account's session whose clients answer as scripted.

    Args:
        ec2: What DescribeRegions answers.
        account: What ListRegions answers, page by page.
    """

    def __init__(self, ec2: Any, account: Any = ()) -> None:
        self.region_name = None
        self.chain = RoleChain("arn:aws-cn:iam::222222222222:role/R")
        self.asked: list[tuple[str, str]] = []
        self.tokens: list[Any] = []
        self._ec2, self._account = ec2, iter(account)

    def get_client(self, service_name: str, *, region_name: str) -> Any:
        """One of either."""
        self.asked.append((service_name, region_name))
        return SimpleNamespace(describe_regions=lambda: answer(self._ec2), list_regions=self._page)

    def _page(self, **arguments: Any) -> Any:
        self.tokens.append(arguments.get("NextToken"))
        return answer(next(self._account))


def answer(value: Any) -> Any:
    """The value, or the error."""
    if isinstance(value, Exception):
        raise value
    return value


def test_an_account_is_asked(world: World) -> None:
    """By EC2."""
    regions = enabled_regions(world.session()["vegeta"])
    assert "eu-west-1" in regions
    assert list(regions) == sorted(regions)


def test_regions_that_botocore_does_not_know_are_among_them() -> None:
    """AWS opens one now and then."""
    account = Account({"Regions": [{"RegionName": "xx-new-1"}, {"RegionName": "cn-north-1"}]})
    assert EnabledRegions()(account) == ("cn-north-1", "xx-new-1")
    assert account.asked == [("ec2", "cn-north-1")]


def test_where_ec2_is_denied_account_is_asked() -> None:
    """All of its pages, five a second."""
    pages = [{"Regions": [{"RegionName": f"r-{n}"}], "NextToken": f"t{n}" if n < 3 else None} for n in range(1, 4)]
    slept: list[float] = []
    account = Account(denied("DescribeRegions"), pages)
    assert EnabledRegions(lambda: 0.0, slept.append)(account) == ("r-1", "r-2", "r-3")
    assert account.tokens == [None, "t1", "t2"]
    assert slept == pytest.approx([0.0, 0.2, 0.4])


def test_where_both_are_denied_ec2s_answer_counts() -> None:
    """It is what a role mostly lacks; any other error is told as it is."""
    with pytest.raises(ClientError, match="DescribeRegions"):
        EnabledRegions()(Account(denied("DescribeRegions"), [denied("ListRegions")]))
    with pytest.raises(ValueError, match="broken"):
        EnabledRegions()(Account(ValueError("broken")))
