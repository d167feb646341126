from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.organizations import shows_paths
from tests.support.worlds import BATMAN, HUB, VEGETA
from xsession.testing import LocalAWS, NotJudgedError


def client(aws: LocalAWS, service: str = "organizations", account_id: str = BATMAN) -> Any:
    """A client of a user of an account."""
    session: Any = aws.session(aws.account(account_id).user("bruce"))
    return session.client(service, region_name="us-east-1")


def code(func: Any, **arguments: Any) -> str:
    """AWS's code, where it refuses."""
    with pytest.raises(ClientError) as caught:
        func(**arguments)
    return str(caught.value.response["Error"]["Code"])


@shows_paths
def test_accounts_have_a_state_and_a_path(local_aws: LocalAWS) -> None:
    """As AWS shows them since September 2026: without a status."""
    organization = local_aws.organization(BATMAN)
    organization.account(VEGETA, "vegeta", unit="Workloads/Prod", state="SUSPENDED", tags={"env": "prod"})
    asked = client(local_aws)
    _, vegeta = asked.list_accounts()["Accounts"]
    workloads, prod = organization.unit("Workloads"), organization.unit("Workloads/Prod")
    root = organization.root_id
    assert vegeta["Paths"] == [f"{organization.id}/{root}/{workloads}/{prod}/{VEGETA}/"]
    assert (vegeta["State"], "Status" in vegeta, vegeta["Name"]) == ("SUSPENDED", False, "vegeta")
    assert vegeta["Arn"] == f"arn:aws:organizations::{BATMAN}:account/{organization.id}/{VEGETA}"
    assert [unit["Id"] for unit in asked.list_roots()["Roots"]] == [root]
    (unit,) = asked.list_organizational_units_for_parent(ParentId=root)["OrganizationalUnits"]
    assert (unit["Id"], unit["Name"]) == (workloads, "Workloads")
    assert [each["Id"] for each in asked.list_accounts_for_parent(ParentId=prod)["Accounts"]] == [VEGETA]
    assert asked.list_tags_for_resource(ResourceId=VEGETA)["Tags"] == [{"Key": "env", "Value": "prod"}]
    assert asked.describe_organization()["Organization"]["MasterAccountId"] == BATMAN


def test_only_the_management_account_and_its_delegates_may_ask(local_aws: LocalAWS) -> None:
    """A member may describe the organization; others are in none."""
    organization = local_aws.organization(BATMAN)
    organization.account(VEGETA, "vegeta")
    member = client(local_aws, account_id=VEGETA)
    assert code(member.list_accounts) == "AccessDeniedException"
    assert member.describe_organization()["Organization"]["Id"] == organization.id
    organization.delegated.add(VEGETA)
    assert len(member.list_accounts()["Accounts"]) == 2
    assert code(client(local_aws, account_id=HUB).list_accounts) == "AWSOrganizationsNotInUseException"


def test_what_aws_would_refuse_is_refused(local_aws: LocalAWS) -> None:
    """Pages of more than twenty, tokens of nobody's, parents and targets that are not there."""
    local_aws.organization(BATMAN)
    asked = client(local_aws)
    assert code(asked.list_accounts, NextToken="x") == "InvalidInputException"
    assert code(asked.list_accounts_for_parent, ParentId="ou-0001-99999999") == "ParentNotFoundException"
    assert code(asked.list_tags_for_resource, ResourceId=VEGETA) == "TargetNotFoundException"


def test_tags_are_those_of_ones_own_organization(local_aws: LocalAWS) -> None:
    """The tagging API shows what belongs to the caller's account."""
    local_aws.organization(BATMAN).account(VEGETA, "vegeta", tags={"env": "prod"})
    request = {"ResourceTypeFilters": ["organizations:account"]}
    (found,) = client(local_aws, "resourcegroupstaggingapi").get_resources(**request)["ResourceTagMappingList"]
    assert found["Tags"] == [{"Key": "env", "Value": "prod"}]
    theirs = client(local_aws, "resourcegroupstaggingapi", VEGETA)
    assert theirs.get_resources(**request)["ResourceTagMappingList"] == []


def test_regions_are_listed_five_times_a_second(local_aws: LocalAWS) -> None:
    """For all who ask in an account; the management account does not name itself."""
    local_aws.organization(BATMAN).account(VEGETA, "vegeta")
    local_aws.organizations.set_regions(VEGETA, {"eu-west-1": "ENABLED", "ap-east-1": "DISABLED"})
    local_aws.organizations._now = lambda: 0.0
    asked: Any = client(local_aws, "account")
    asked.meta.events.register("needs-retry.account.ListRegions", lambda **_: None)
    listed = asked.list_regions(AccountId=VEGETA, RegionOptStatusContains=["ENABLED"])["Regions"]
    assert listed == [{"RegionName": "eu-west-1", "RegionOptStatus": "ENABLED"}]
    assert code(asked.list_regions, AccountId=BATMAN) == "AccessDeniedException"
    assert code(asked.list_regions, AccountId=HUB) == "AccessDeniedException"
    assert asked.list_regions()["Regions"][0]["RegionOptStatus"] == "ENABLED_BY_DEFAULT"
    local_aws.organizations.region_requests_per_second = 1
    assert code(asked.list_regions) == "TooManyRequestsException"
    local_aws.organizations.region_requests_per_second = None
    assert asked.list_regions()["Regions"]


def test_what_is_not_known_fails_the_test() -> None:
    """It never gets an answer that AWS would not give."""
    with pytest.raises(NotJudgedError, match="the local AWS has no organizations ListPolicies"), LocalAWS() as aws:  # noqa: PT012 # it raises at the end
        aws.organization(BATMAN)
        assert code(client(aws).list_policies, Filter="TAG_POLICY") == "NotKnownHere"
