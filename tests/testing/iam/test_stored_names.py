from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.worlds import World
from xsession.policies import Policy, allow, trust
from xsession.testing import LocalAWS

TRUST = trust("111111111111").to_json()
DOCUMENT = allow("ec2:*").to_json()
MADE: list[tuple[str, dict[str, Any]]] = [
    ("group", {"GroupName": "Saiyans"}),
    ("instance_profile", {"InstanceProfileName": "Saiyans"}),
    ("policy", {"PolicyName": "Saiyans", "PolicyDocument": DOCUMENT}),
    ("role", {"RoleName": "Saiyans", "AssumeRolePolicyDocument": TRUST}),
    ("user", {"UserName": "Saiyans"}),
]


@pytest.fixture
def iam(local_aws: LocalAWS) -> Any:
    """The IAM of an account with a role, a user and a policy."""
    client: Any = local_aws.account("222222222222").root.client("iam")
    client.create_role(RoleName="Reader", AssumeRolePolicyDocument=TRUST, Tags=[{"Key": "Owner", "Value": "batman"}])
    client.create_user(UserName="Bruce", Tags=[{"Key": "Owner", "Value": "batman"}])
    return client


def test_a_role_is_found_in_any_case(iam: Any) -> None:
    """Under the name that it has."""
    assert iam.get_role(RoleName="READER")["Role"]["RoleName"] == "Reader"


def test_an_account_has_no_second_role_either(local_aws: LocalAWS) -> None:
    """Set up without a request: it is refused in boto3's way."""
    vegeta = local_aws.account("222222222222")
    vegeta.role("Reader", trusts="111111111111")
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        vegeta.role("reader", trusts="111111111111")


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


@pytest.mark.parametrize(("kind", "request_"), MADE)
def test_names_differ_by_more_than_case(world: World, kind: str, request_: dict[str, Any]) -> None:
    """Whatever they are of."""
    make = getattr(world.vegeta.root.client("iam"), f"create_{kind}")
    make(**request_)
    (parameter,) = [name for name in request_ if name.endswith("Name")]
    for name in ("saiyans", "SAIYANS", "Saiyans"):
        with pytest.raises(ClientError, match="EntityAlreadyExists"):
            make(**{**request_, parameter: name})
    assert make(**{**request_, parameter: "Saiyans2"})


def test_a_policy_may_have_the_name_of_one_of_awss(world: World) -> None:
    """That is in no account."""
    iam: Any = world.vegeta.root.client("iam")
    iam.attach_role_policy(RoleName="Reader", PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess")
    assert iam.create_policy(PolicyName="ReadOnlyAccess", PolicyDocument=DOCUMENT)


@pytest.mark.parametrize("kind", ["role", "user", "instance_profile", "policy"])
def test_a_tag_takes_the_place_of_one_whose_key_has_another_case(world: World, kind: str) -> None:
    """And is removed in any case."""
    iam: Any = world.vegeta.root.client("iam")
    made = getattr(iam, f"create_{kind}")(**dict(MADE)[kind], Tags=[{"Key": "Owner", "Value": "batman"}])
    name = {"PolicyArn": made["Policy"]["Arn"]} if kind == "policy" else {"InstanceProfileName": "Saiyans"}
    name = {"RoleName": "Saiyans"} if kind == "role" else {"UserName": "Saiyans"} if kind == "user" else name
    getattr(iam, f"tag_{kind}")(**name, Tags=[{"Key": "owner", "Value": "vegeta"}, {"Key": "b", "Value": "c"}])
    assert tags_of(iam, kind, name) == {"owner": "vegeta", "b": "c"}
    getattr(iam, f"untag_{kind}")(**name, TagKeys=["OWNER"])
    assert tags_of(iam, kind, name) == {"b": "c"}


def tags_of(iam: Any, kind: str, name: dict[str, str]) -> dict[str, str]:
    """The tags that something has."""
    if kind == "instance_profile":
        tags = iam.get_instance_profile(**name)["InstanceProfile"]["Tags"]
    else:
        tags = getattr(iam, f"list_{kind}_tags")(**name)["Tags"]
    assert len({tag["Key"].lower() for tag in tags}) == len(tags)
    return {tag["Key"]: tag["Value"] for tag in tags}


def test_two_tags_of_a_request_differ_by_more_than_case(world: World) -> None:
    """Those of users too, which moto does not look at."""
    tags: Any = [{"Key": "team", "Value": "a"}, {"Key": "Team", "Value": "a"}]
    with pytest.raises(ClientError, match="Tag keys are case insensitive"):
        world.vegeta.root.client("iam").create_user(UserName="goku", Tags=tags)
