from __future__ import annotations

import pytest

from tests.support.organizations import OrganizationWorld, member_id
from tests.support.worlds import BATMAN, World


@pytest.fixture
def org(world: World) -> OrganizationWorld:
    """An organization with its management account alone."""
    return OrganizationWorld(world)


def test_all_pages_are_read(org: OrganizationWorld) -> None:
    """Empty ones have others behind them; OUs cost nothing per account (H85)."""
    for number in range(1, 45):
        org.member(number, f"account-{number}", role=False, unit="Workloads/Prod" if number % 2 else "Sandbox")
    org.organization.page_sizes = [20, 0, 20, 5]
    accounts = org.accounts()
    assert len(accounts) == 45
    assert accounts["account-1"].ou_path == "Workloads/Prod"
    assert accounts["batman"].account_id == BATMAN
    assert org.aws.count("ListAccounts") == 4
    assert org.aws.count("ListOrganizationalUnitsForParent") == 2  # the root, and Workloads
    assert org.asked() == 6
    assert [call.region_name for call in org.aws.calls if call.service == "organizations"] == ["us-east-1"] * 6


def test_its_accounts_are_reached_by_the_role(org: OrganizationWorld) -> None:
    """As any other account; with tags and OU for `where`."""
    one = org.member(1, "data", unit="Workloads/Prod", tags={"env": "prod"})
    org.member(2, "web", unit="Sandbox", tags={"env": "test"})
    accounts = org.accounts()
    assert list(accounts.where(ou_path="Workloads/*")) == ["data"]
    assert list(accounts.where(env="test")) == ["web"]
    xs = org.session()
    xs.accounts = xs.accounts | accounts
    assert xs.whoami("data").account_id == one == member_id(1)
    assert xs.get_client("sts", one).get_caller_identity()["Account"] == one
