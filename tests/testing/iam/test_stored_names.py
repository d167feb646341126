from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from xsession.policies import Policy, trust
from xsession.testing import LocalAWS

TRUST = trust("111111111111").to_json()


@pytest.fixture
def iam(local_aws: LocalAWS) -> Any:
    """The IAM of an account with a role, a user and a policy."""
    client: Any = local_aws.account("222222222222").root.client("iam")
    client.create_role(RoleName="Reader", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "Owner", "Value": "batman"}])
    client.create_user(UserName="Bruce", Tags=[{"Key": "Owner", "Value": "batman"}])
    return client


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("create_role", {"RoleName": "reader", "AssumeRolePolicyDocument": TRUST}),
        ("create_user", {"UserName": "BRUCE"}),
    ],
)
def test_no_two_names_differ_only_by_case(iam: Any, operation: str, parameters: dict[str, str]) -> None:
    """As in IAM: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html."""
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        getattr(iam, operation)(**parameters)


def test_names_of_groups_and_policies_neither(iam: Any) -> None:
    """Those of managed policies, that is."""
    document = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
    iam.create_group(GroupName="Heroes")
    iam.create_policy(PolicyName="Flying", PolicyDocument=document)
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        iam.create_group(GroupName="heroes")
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        iam.create_policy(PolicyName="flying", PolicyDocument=document)


def test_a_role_is_found_in_any_case(iam: Any) -> None:
    """Under the name that it has."""
    assert iam.get_role(RoleName="READER")["Role"]["RoleName"] == "Reader"


def test_an_account_has_no_second_role_either(local_aws: LocalAWS) -> None:
    """Set up without a request: it is refused in boto3's way."""
    vegeta = local_aws.account("222222222222")
    vegeta.role("Reader", trusts="111111111111")
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        vegeta.role("reader", trusts="111111111111")


@pytest.mark.parametrize(("kind", "name"), [("role", {"RoleName": "Reader"}), ("user", {"UserName": "Bruce"})])
def test_a_tag_takes_the_place_of_the_one_in_another_case(iam: Any, kind: str, name: dict[str, str]) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html: a second tag is not added."""
    tags = [{"Key": "Team", "Value": "a"}, {"Key": "owner", "Value": "vegeta"}]
    getattr(iam, f"tag_{kind}")(**name, Tags=tags)
    found = getattr(iam, f"list_{kind}_tags")(**name)["Tags"]
    assert sorted(found, key=lambda tag: str(tag["Key"])) == tags
    getattr(iam, f"untag_{kind}")(**name, TagKeys=["TEAM", "Nobodys"])
    assert getattr(iam, f"list_{kind}_tags")(**name)["Tags"] == tags[1:]


def test_a_role_and_a_user_of_one_name_have_tags_of_their_own(iam: Any) -> None:
    """What is done to the one's leaves the other's alone."""
    iam.create_user(UserName="Reader", Tags=[{"Key": "Owner", "Value": "bruce"}])
    iam.tag_role(RoleName="Reader", Tags=[{"Key": "owner", "Value": "vegeta"}])
    assert iam.list_role_tags(RoleName="Reader")["Tags"] == [{"Key": "owner", "Value": "vegeta"}]
    assert iam.list_user_tags(UserName="Reader")["Tags"] == [{"Key": "Owner", "Value": "bruce"}]


def test_tags_of_other_things_are_motos(iam: Any) -> None:
    """Which takes no notice of their case."""
    arn = iam.create_open_id_connect_provider(Url="https://id.example.com", ThumbprintList=["0" * 40])
    provider = arn["OpenIDConnectProviderArn"]
    for key in ("Owner", "owner"):
        iam.tag_open_id_connect_provider(OpenIDConnectProviderArn=provider, Tags=[{"Key": key, "Value": key}])
    (tag,) = iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=provider)["Tags"]
    assert tag["Value"] == "owner"


def test_who_is_not_there_has_no_tags(iam: Any) -> None:
    """IAM says so."""
    with pytest.raises(ClientError, match="NoSuchEntity"):
        iam.tag_role(RoleName="Nobody", Tags=[{"Key": "a", "Value": "b"}])


@pytest.mark.parametrize(
    "change",
    [
        {"Principal": {"AWS": "arn:aws:iam::111111111111:role/app-*"}},
        {"Effect": "Deny", "Principal": None, "NotPrincipal": {"AWS": "111111111111"}},
    ],
)
def test_trust_policies_that_iam_refuses_are_refused(local_aws: LocalAWS, iam: Any, change: dict[str, Any]) -> None:
    """Wildcards in a principal, and NotPrincipal; in requests and where a test sets a role up."""
    statement = {**trust("111111111111").to_dict()["Statement"][0], **change}
    document = {
        "Version": "2012-10-17",
        "Statement": {key: value for key, value in statement.items() if value is not None},
    }
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        iam.create_role(RoleName="Other", AssumeRolePolicyDocument=json.dumps(document))
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        iam.update_assume_role_policy(RoleName="Reader", PolicyDocument=json.dumps(document))
    with pytest.raises(ClientError, match="MalformedPolicyDocument"):
        local_aws.account("222222222222").role("Third", trusts=Policy.from_dict(document))
