from __future__ import annotations

import email.utils
import os
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from botocore.parsers import ResponseParserError

from tests.support.worlds import BATMAN, BUCKET, VEGETA, World, who
from xsession import ConfigError, CrossAccountSession
from xsession.policies import allow, deny, trust
from xsession.testing import EventCapture, FakeClock, Fault, LocalAWS, Story
from xsession.testing._iam._not_judged import UnknownConditionError

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


# AssumeRole


def test_a_role_is_assumed_by_whom_it_trusts(world: World) -> None:
    """And by nobody else; a role that is not there is refused in the same words."""
    assert assumed(world)["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{VEGETA}:assumed-role/Reader/test"
    stranger = world.aws.session(world.hub.user("clerk"))
    assert "not authorized to perform: sts:AssumeRole" in refused(world, "AccessDenied", stranger)
    refused(world, "AccessDenied", RoleArn=f"arn:aws:iam::{VEGETA}:role/Missing")


@pytest.mark.parametrize(
    "request_",
    [
        {"DurationSeconds": 899},
        {"DurationSeconds": 43_201},
        {"DurationSeconds": 3_601},
        {"RoleSessionName": "with space"},
        {"ExternalId": "with space"},
        {"SourceIdentity": "aws:bruce"},
        {"Tags": [{"Key": "a", "Value": "1"}, {"Key": "A", "Value": "2"}]},
        {"Tags": [{"Key": "aws:a", "Value": "1"}]},
        {"PolicyArns": [{"arn": f"arn:aws:iam::{VEGETA}:policy/{'p' * 500}"}] * 5},
        {"RoleArn": "arn:aws:iam::222222222222:user/NoRoleAtAll"},
    ],
)
def test_what_sts_would_not_take_is_refused(world: World, request_: dict[str, Any]) -> None:
    """By AWS's limits."""
    world.source._session.set_default_client_config(Config(parameter_validation=False))
    refused(world, "ValidationError", **request_)


def test_a_policy_that_is_none_is_refused(world: World) -> None:
    """Before anything is issued."""
    refused(world, "MalformedPolicyDocument", Policy='{"Statement": 1}')


def test_tags_policies_and_source_identity_are_taken(world: World) -> None:
    """And told of in the answer."""
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    answer = assumed(world, SourceIdentity="bruce", Tags=[{"Key": "team", "Value": "bats"}], Policy=policy)
    assert answer["SourceIdentity"] == "bruce"
    assert 1 <= answer["PackedPolicySize"] <= 100


def test_a_source_identity_can_not_be_changed_on_the_way(world: World) -> None:
    """It goes on with the chain."""
    hub = assumed(world, RoleArn=world.chain.roles[0].role_arn, SourceIdentity="bruce")
    session = as_session(world, hub)
    last = world.chain.last.role_arn
    assert assumed(world, session, RoleArn=last)["SourceIdentity"] == "bruce"
    refused(world, "AccessDenied", session, RoleArn=last, SourceIdentity="joker")


def test_an_external_id_must_be_the_one_that_was_agreed_on(world: World) -> None:
    """Else it is refused like a stranger."""
    arn = world.vegeta.role("Agreed", trusts=BATMAN, external_id="agreed-on")
    refused(world, "AccessDenied", RoleArn=arn)
    refused(world, "AccessDenied", RoleArn=arn, ExternalId="guessed")
    assert assumed(world, RoleArn=arn, ExternalId="agreed-on")


def test_a_code_of_an_mfa_device_works_once(world: World) -> None:
    """As real ones do."""
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": BATMAN},
                "Action": "sts:AssumeRole",
                "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
            }
        ],
    }
    world.vegeta.set_trust("Reader", trust)
    serial = f"arn:aws:iam::{BATMAN}:mfa/bruce"
    world.aws.expect_mfa_code(serial, "123456")
    refused(world, "AccessDenied")
    assert assumed(world, SerialNumber=serial, TokenCode="123456")
    assert "invalid MFA" in refused(world, "AccessDenied", SerialNumber=serial, TokenCode="123456")


def test_a_session_token_makes_what_follows_a_chain(world: World) -> None:
    """Its roles live an hour at most."""
    arn = world.vegeta.role("Long", trusts=BATMAN, max_session_duration=43_200)
    assert assumed(world, RoleArn=arn, DurationSeconds=7_200)
    session = as_session(world, world.source.client("sts").get_session_token())
    assert who(session.client("sts")) == BATMAN
    assert "role chaining" in refused(world, "ValidationError", session, RoleArn=arn, DurationSeconds=7_200)
    with pytest.raises(ClientError, match="AccessDenied"):
        session.client("sts").get_session_token()


def test_transitive_tags_go_on_to_the_next_role(world: World) -> None:
    """Where a trust policy may ask for them."""
    hub = world.chain.roles[0].role_arn
    arn = world.vegeta.role("Tagged", trusts=hub)
    allow: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"AWS": hub},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
    }
    allow["Condition"] = {"StringEquals": {"aws:RequestTag/team": "bats"}}
    world.vegeta.set_trust("Tagged", {"Version": "2012-10-17", "Statement": [allow]})
    tags = [{"Key": "team", "Value": "bats"}]
    plain = as_session(world, assumed(world, RoleArn=hub, Tags=tags))
    refused(world, "AccessDenied", plain, RoleArn=arn)
    transitive = as_session(world, assumed(world, RoleArn=hub, Tags=tags, TransitiveTagKeys=["team"]))
    assert assumed(world, transitive, RoleArn=arn)


def test_an_operation_that_is_not_there_is_an_error(world: World) -> None:
    """Not an answer of moto's, which asks no trust policy."""
    with pytest.raises(ClientError, match="InvalidAction"):
        world.source.client("sts").get_federation_token(Name="bruce")


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


# Credentials


def test_credentials_expire_by_the_clock_that_it_is_given() -> None:
    """Each service says so in its own way."""
    clock = FakeClock()
    with LocalAWS(clock=clock, lifetime=60) as aws:
        world = World(aws)
        session = as_session(world, assumed(world))
        assert who(session.client("sts")) == VEGETA
        clock.advance(60)
        for service_name, call, code in (
            ("sts", "get_caller_identity", "ExpiredToken"),
            ("s3", "list_buckets", "ExpiredToken"),
            ("ec2", "describe_instances", "RequestExpired"),
            ("dynamodb", "list_tables", "ExpiredTokenException"),
        ):
            client: Any = session.client(service_name, config=ONCE)  # type: ignore[call-overload]  # one of four
            with pytest.raises(ClientError, match=code):
                getattr(client, call)()


@pytest.mark.parametrize(
    ("service_name", "call", "code"),
    [
        ("sts", "get_caller_identity", "InvalidClientTokenId"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("ec2", "describe_instances", "AuthFailure"),
        ("dynamodb", "list_tables", "UnrecognizedClientException"),
    ],
)
def test_an_unknown_key_is_refused_in_the_services_own_way(
    world: World, service_name: Any, call: str, code: str
) -> None:
    """Deleted ones as well, temporary or not."""
    session = as_session(world, assumed(world))
    credentials: Any = session.get_credentials()
    world.aws.delete_key(credentials.access_key)
    with pytest.raises(ClientError, match=code):
        getattr(session.client(service_name, config=ONCE), call)()


def test_signatures_are_checked(world: World) -> None:
    """A wrong secret, a token of another session, none at all."""
    wrong = world.aws.session(None)
    wrong._session.set_credentials(world.key.access_key_id, "wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        who(wrong.client("sts"))
    answer = assumed(world)
    issued, other = answer["Credentials"], assumed(world)["Credentials"]
    wrong._session.set_credentials(issued["AccessKeyId"], issued["SecretAccessKey"], other["SessionToken"])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        who(wrong.client("sts"))


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls_work_and_can_not_be_changed(world: World, version: str) -> None:
    """Of both versions that boto3 makes."""
    bucket = world.bucket()
    session = as_session(world, assumed(world))
    s3 = session.client("s3", config=Config(signature_version=version))
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "scouter.csv"})
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - a URL of our own
        assert answer.read().startswith(b"name,level")
    with pytest.raises(OSError, match="403"):
        urllib.request.urlopen(url.replace("scouter", "secrets"))  # noqa: S310 - likewise


def test_another_accounts_bucket_is_closed(world: World) -> None:
    """Whatever its key may do elsewhere."""
    bucket = world.bucket()
    with pytest.raises(ClientError, match="AccessDenied"):
        world.source.client("s3").list_objects_v2(Bucket=bucket)
    assert as_session(world, assumed(world)).client("s3").list_objects_v2(Bucket=bucket)["KeyCount"] == 1


# Calls and faults


def test_calls_are_counted_but_not_those_of_the_set_up(world: World) -> None:
    """With who made them, where, and how they ended."""
    assert world.aws.calls == []
    assumed(world)
    refused(world, "AccessDenied", RoleArn=f"arn:aws:iam::{VEGETA}:role/Missing")
    first, second = world.aws.calls
    assert (first.service, first.operation, first.account_id, first.status) == ("sts", "AssumeRole", BATMAN, 200)
    assert (first.role_arn, first.region_name, first.error_code) == (world.role, "eu-west-1", None)
    assert (second.status, second.error_code) == (403, "AccessDenied")
    assert world.aws.count("AssumeRole", status=200) == 1
    world.aws.clear_calls()
    assert world.aws.calls == []


def test_operations_have_aws_names(world: World) -> None:
    """S3's as well, which stand in no request."""
    bucket = world.bucket()
    session = as_session(world, assumed(world))
    world.aws.clear_calls()
    s3 = session.client("s3")
    s3.list_buckets()
    s3.list_objects_v2(Bucket=bucket)
    s3.list_objects(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    s3.head_object(Bucket=bucket, Key="a/b")
    s3.delete_object(Bucket=bucket, Key="a/b")
    session.client("ec2").describe_regions()
    names = [call.operation for call in world.aws.calls]
    assert names == [
        "ListBuckets",
        "ListObjectsV2",
        "ListObjects",
        "PutObject",
        "HeadObject",
        "DeleteObject",
        "DescribeRegions",
    ]


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


def test_the_lifetime_can_be_changed(world: World) -> None:
    """For credentials issued from now on."""
    world.aws.set_lifetime(7.0)
    xs = world.session()
    assert (xs.get_frozen_credentials("vegeta").lifetime or 0) <= 8


# The process around it


def test_it_leaves_the_environment_alone_unless_asked(world: World) -> None:
    """`applied` hides all other AWS settings within the block."""
    before = dict(os.environ)
    with world.aws.applied(world.key):
        assert os.environ["AWS_ENDPOINT_URL"] == world.aws.endpoint_url
        assert who(boto3.Session().client("sts")) == BATMAN
    assert dict(os.environ) == before


def test_it_must_be_entered() -> None:
    """Or it says so."""
    with pytest.raises(ConfigError, match="context manager"):
        LocalAWS().session()


def test_there_is_one_at_a_time(world: World) -> None:
    """moto has one storage: a second one would empty the first one's."""
    with pytest.raises(ConfigError, match="another"):
        LocalAWS().__enter__()
    assert who(world.source.client("sts")) == BATMAN


def test_an_endpoint_of_the_environment_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would win, and the test would talk to some other AWS."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    with pytest.raises(ConfigError, match="AWS_ENDPOINT_URL_S3"):
        world.aws.session(world.key)


def test_without_moto_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is not installed."""
    monkeypatch.setitem(sys.modules, "moto.server", None)
    with pytest.raises(ConfigError, match=r"xsession\[testing\]"):
        LocalAWS()


def test_each_one_is_empty() -> None:
    """What another had is gone."""
    for _ in range(2):
        with LocalAWS() as aws:
            aws.account(VEGETA).bucket(BUCKET)
            assert [bucket["Name"] for bucket in aws.account(VEGETA).root.client("s3").list_buckets()["Buckets"]] == [
                BUCKET
            ]


def test_the_story_can_be_told(local_aws: LocalAWS, captured_events: EventCapture) -> None:
    """With pytest's fixtures."""
    story = Story.told_by(local_aws)
    xs = CrossAccountSession({"vegeta": story.vegeta_role}, session=story.session, hooks=[captured_events])
    assert (
        len(xs.get_client("ec2", "vegeta").describe_instances(InstanceIds=list(story.instances))["Reservations"]) == 1
    )
    assert captured_events.events
    xs.close()


# Regions and clocks


def test_sts_may_be_off_in_a_region(world: World) -> None:
    """For one account, or for all."""
    world.aws.disable_region("eu-west-1", VEGETA)
    assert f"account:{VEGETA}" in refused(world, "RegionDisabledException")
    assert assumed(world, RoleArn=world.chain.roles[0].role_arn)
    elsewhere = world.source.client("sts", region_name="eu-north-1")
    assert elsewhere.assume_role(RoleArn=world.role, RoleSessionName="test")
    world.aws.disable_region("eu-west-1")
    with pytest.raises(ClientError, match="RegionDisabledException"):
        world.source.client("sts").get_session_token()
    assert who(world.source.client("sts")) == BATMAN


@pytest.mark.parametrize(
    ("service_name", "call", "code"),
    [
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
        ("s3", "list_buckets", "RequestTimeTooSkewed"),
        ("ec2", "describe_instances", "RequestExpired"),
        ("dynamodb", "list_tables", "InvalidSignatureException"),
    ],
)
def test_clocks_may_not_be_too_far_apart(world: World, service_name: Any, call: str, code: str) -> None:
    """Either way; each service says so in its own words."""
    asked = getattr(world.source.client(service_name, config=ONCE), call)
    for skew, word in ((901, "Signature expired"), (-901, "Signature not yet current")):
        world.aws.set_clock_skew(skew)
        with pytest.raises(ClientError, match=code) as caught:
            asked()
        if service_name == "sts":
            assert word in caught.value.response["Error"]["Message"]
    world.aws.set_clock_skew(890)
    assert asked()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingAuthenticationToken"),
        ({"Authorization": "{signed}", "X-Amz-Date": "yesterday"}, "SignatureDoesNotMatch"),
    ],
)
def test_a_request_must_be_signed_and_dated(world: World, headers: dict[str, str], code: str) -> None:
    """Or nobody knows whose it is, and of when."""
    scope = "20260101/eu-west-1/sts/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={world.key.access_key_id}/{scope}, SignedHeaders=host, Signature=0"
    filled = {name: value.format(signed=signed) for name, value in headers.items()}
    url = f"{world.aws.endpoint_url}/?Action=GetCallerIdentity"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, headers=filled))  # noqa: S310 - a URL of our own
    assert code in caught.value.read().decode()
    caught.value.close()


def test_a_skewed_server_tells_its_time(world: World) -> None:
    """By which a client can see how far it is off."""
    world.aws.set_clock_skew(3_600)
    with pytest.raises(ClientError) as caught:
        who(world.source.client("sts", config=ONCE))
    told = email.utils.parsedate_to_datetime(caught.value.response["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert 3_500 < told.timestamp() - time.time() < 3_700


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_ends(world: World, version: str) -> None:
    """When it says."""
    bucket = world.bucket()
    s3 = as_session(world, assumed(world)).client("s3", config=Config(signature_version=version))
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "scouter.csv"}, ExpiresIn=60)
    world.aws.set_clock_skew(61)
    with pytest.raises(OSError, match="403"):
        urllib.request.urlopen(url)  # noqa: S310 - a URL of our own


def test_a_deny_keeps_a_user_from_a_session_token(world: World) -> None:
    """Which needs no permission."""
    plain = world.aws.session(world.batman.user("alfred", permissions=allow("s3:*")))
    assert plain.client("sts").get_session_token()
    world.batman.user("alfred", permissions=allow("s3:*") + deny("sts:*"))
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        plain.client("sts").get_session_token()


def test_a_session_policy_has_no_principal(world: World) -> None:
    """That would be a trust policy."""
    message = refused(world, "MalformedPolicyDocument", Policy=trust(BATMAN).to_json())
    assert "principal" in message
