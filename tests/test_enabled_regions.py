from __future__ import annotations

from typing import Any

import pytest

from tests.support.clocks import PassingClock
from tests.support.organizations import OrganizationWorld, member_id
from tests.support.worlds import BATMAN, World
from xsession import OrganizationError
from xsession._enabled_regions import KEPT_SECONDS, AccountRegions
from xsession.accounts import Account
from xsession.policies import allow
from xsession.testing import Fault

REGIONS = {
    "eu-west-1": "ENABLED_BY_DEFAULT",
    "af-south-1": "ENABLED",
    "ap-east-1": "DISABLED",
    "me-south-1": "DISABLING",
}
ON = ("af-south-1", "eu-west-1")
MAY_LIST = allow("sts:*", "account:ListRegions")


@pytest.fixture
def org(world: World) -> OrganizationWorld:
    """An organization of one more account."""
    made = OrganizationWorld(world)
    made.member(1, "data", role=False)
    world.aws.organizations.set_regions(member_id(1), REGIONS)
    return made


def role(org: OrganizationWorld, permissions: Any = None, number: int = 1) -> dict[str, str]:
    """An account by the role in it."""
    arn = org.aws.account(member_id(number)).role("Regions", trusts=BATMAN, permissions=permissions)
    return {"data": arn}


def test_the_account_is_asked_once(org: OrganizationWorld) -> None:
    """By EC2, whose call has no limit of five a second; a day later again."""
    xs = org.session(role(org))
    regions = xs.enabled_regions("data")
    assert "eu-west-1" in regions
    assert list(regions) == sorted(regions)
    assert xs.enabled_regions("data") == regions
    assert org.aws.count("DescribeRegions", account_id=member_id(1)) == 1
    assert org.aws.count("ListRegions") == 0


def test_where_ec2_refuses_account_management_is_asked(org: OrganizationWorld) -> None:
    """Of the account's own role; regions that are off, or on the way there, are none."""
    xs = org.session(role(org, MAY_LIST))
    assert xs.enabled_regions("data") == ON
    assert org.aws.count("ListRegions", account_id=member_id(1)) == 1


def test_the_management_account_may_be_asked_for_all(org: OrganizationWorld) -> None:
    """Where roles may neither; it asks for itself without naming itself."""
    org.aws.organizations.set_regions(BATMAN, {"us-east-1": "ENABLED_BY_DEFAULT"})
    central = org.world.batman.role("Central", trusts=BATMAN, permissions=MAY_LIST)
    xs = org.session({**role(org, allow("sts:*")), "central": central})
    assert xs.enabled_regions("data", central="central") == ON
    assert xs.enabled_regions("central", central="central") == ("us-east-1",)
    assert org.aws.count("ListRegions", account_id=BATMAN) == 2


def test_where_neither_is_allowed_both_are_named(org: OrganizationWorld) -> None:
    """And nothing is kept."""
    xs = org.session(role(org, allow("sts:*")))
    for _ in range(2):
        with pytest.raises(
            OrganizationError, match=r"ListRegions: AccessDenied.*; allow ec2:DescribeRegions or account:L"
        ):
            xs.enabled_regions("data")
    assert org.aws.count("ListRegions") == 2


def test_no_region_is_an_error_of_the_account(org: OrganizationWorld) -> None:
    """Never "nothing to do" (H98)."""
    org.aws.organizations.set_regions(member_id(1), {"eu-west-1": "DISABLED"})
    xs = org.session(role(org, MAY_LIST))
    with pytest.raises(OrganizationError, match="account 'data': AWS names no region that is enabled"):
        xs.enabled_regions("data")


def test_a_failure_of_ec2_is_no_refusal(org: OrganizationWorld) -> None:
    """What passes is tried again, and then said."""
    clock = PassingClock()
    xs = org.session(role(org))
    regions = AccountRegions(xs.__getitem__, clock)
    account = xs.accounts["data"]
    org.aws.fail(Fault(service="ec2", status=503, code="RequestLimitExceeded", times=3))
    assert "eu-west-1" in regions(account)
    regions.forget()
    org.aws.fail(Fault(service="ec2", status=503, code="RequestLimitExceeded", times=None))
    with pytest.raises(OrganizationError, match="DescribeRegions: RequestLimitExceeded"):
        regions(account)
    org.aws.recover()
    before = org.aws.count("DescribeRegions")
    assert regions(account)
    clock.advance(KEPT_SECONDS)
    assert regions(account)
    assert org.aws.count("DescribeRegions") == before + 2


def test_sixty_accounts_stay_within_the_limit(org: OrganizationWorld) -> None:
    """Five a second, by the clock of both; nobody sees a 429, and a second run asks for nothing (H97)."""
    clock = PassingClock()
    org.aws.organizations._now = clock.wall
    xs = org.session({"central": org.world.batman.role("Central", trusts=BATMAN, permissions=MAY_LIST)})
    regions = AccountRegions(xs.__getitem__, clock, lambda: xs["central"])
    accounts = []
    for number in range(1, 61):
        org.member(number, f"account-{number}", role=False)
        org.aws.organizations.set_regions(member_id(number), REGIONS)
        arn = org.aws.account(member_id(number)).role("Regions", trusts=BATMAN, permissions=allow("sts:*"))
        accounts.append(Account(f"account-{number}", arn))
    before = clock.boot()
    assert {regions(account) for account in accounts} == {ON}
    assert 11.8 <= clock.boot() - before <= 12.2
    listed = [call for call in org.aws.calls if call.operation == "ListRegions"]
    assert [call.status for call in listed] == [200] * 60
    org.aws.clear_calls()
    assert {regions(account) for account in accounts} == {ON}
    assert org.aws.calls == []


def test_all_pages_of_regions_are_read(org: OrganizationWorld) -> None:
    """AWS gives fifty at a time; and a 429 that another program caused is waited for."""
    many = {f"xx-test-{number}": "ENABLED" for number in range(1, 61)}
    org.aws.organizations.set_regions(member_id(1), many)
    clock = PassingClock()
    xs = org.session(role(org, MAY_LIST))
    org.aws.fail(Fault(service="account", status=429, code="TooManyRequestsException"))
    assert AccountRegions(xs.__getitem__, clock)(xs.accounts["data"]) == tuple(sorted(many))
