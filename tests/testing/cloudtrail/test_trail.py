"""What LookupEvents answers: the events that `_events` makes of requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.worlds import BATMAN, VEGETA, World
from xsession.policies import trust
from xsession.testing import FakeClock, Fault, LocalAWS

ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})
REGION = "eu-west-1"


@pytest.fixture
def clock() -> FakeClock:
    """The server's clock; it stands still."""
    return FakeClock()


@pytest.fixture
def world(clock: FakeClock) -> Iterator[World]:
    """Accounts on a local AWS with that clock."""
    with LocalAWS(clock=clock) as aws:
        made = World(aws)
        yield made
        made.close()


def looked_up(session: boto3.Session, region_name: str = REGION, **question: Any) -> list[dict[str, Any]]:
    """The events of the session's account but for those of the question itself, newest first."""
    client = session.client("cloudtrail", region_name=region_name, config=ONCE)
    pages = client.get_paginator("lookup_events").paginate(**question)
    events: list[Any] = [event for page in pages for event in page["Events"] if event["EventName"] != "LookupEvents"]
    return events


def by(key: str, value: str) -> dict[str, Any]:
    """A question by one attribute."""
    return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}


def document(event: dict[str, Any]) -> dict[str, Any]:
    """The event as trails have it."""
    loaded: dict[str, Any] = json.loads(event["CloudTrailEvent"])
    return loaded


def assumed(world: World, **request: Any) -> boto3.Session:
    """A session of Vegeta's role, named "jane"."""
    wanted = {"RoleArn": world.role, "RoleSessionName": "jane", **request}
    issued = world.source.client("sts").assume_role(**wanted)["Credentials"]
    session = world.aws.session(None)
    session._session.set_credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    return session


def key_id(session: boto3.Session) -> str:
    """The key of a session."""
    credentials = session.get_credentials()
    assert credentials is not None
    return str(credentials.access_key)


def test_assume_role_is_an_event_in_both_accounts(world: World) -> None:
    """With one shared id; the role's account learns the caller's account and unique id alone."""
    tags = [{"Key": "team", "Value": "bats"}]
    session = assumed(world, SourceIdentity="bruce", ExternalId="agreed", DurationSeconds=900, Tags=tags)
    (there,), (here,) = looked_up(world.vegeta.root), looked_up(world.batman.root)
    assert here["Username"] == "bruce"
    assert here["AccessKeyId"] == world.key.access_key_id
    assert "Username" not in there
    assert "AccessKeyId" not in there
    ours, theirs = document(here), document(there)
    assert ours["sharedEventID"] == theirs["sharedEventID"]
    assert ours["eventID"] != theirs["eventID"]
    assert (ours["recipientAccountId"], theirs["recipientAccountId"]) == (BATMAN, VEGETA)
    assert theirs["userIdentity"] == {"type": "AWSAccount", "principalId": world.key.user_id, "accountId": BATMAN}
    assert ours["userIdentity"] == {
        "type": "IAMUser",
        "principalId": world.key.user_id,
        "arn": f"arn:aws:iam::{BATMAN}:user/bruce",
        "accountId": BATMAN,
        "accessKeyId": world.key.access_key_id,
        "userName": "bruce",
    }
    assert theirs["requestParameters"] == {
        "roleArn": world.role,
        "roleSessionName": "jane",
        "sourceIdentity": "bruce",
        "externalId": "agreed",
        "durationSeconds": 900,
        "principalTags": {"team": "bats"},
    }
    assert theirs["responseElements"]["credentials"]["accessKeyId"] == key_id(session)
    assert theirs["responseElements"]["assumedRoleUser"]["arn"].endswith(":assumed-role/Reader/jane")
    assert theirs["responseElements"]["sourceIdentity"] == "bruce"
    assert theirs["resources"] == [{"accountId": VEGETA, "type": "AWS::IAM::Role", "ARN": world.role}]
    assert session.get_credentials().secret_key not in there["CloudTrailEvent"]  # type: ignore[union-attr]  # it has some


def test_what_a_session_of_a_role_does_is_told_with_its_origin(world: World, clock: FakeClock) -> None:
    """Whose session it is, since when, and with which source identity."""
    (instance,) = world.vegeta.instances()
    since = clock.wall()
    session = assumed(world, SourceIdentity="bruce")
    clock.advance(60)
    session.client("ec2", region_name=REGION).stop_instances(InstanceIds=[instance], Force=True)
    event = looked_up(world.vegeta.root, **by("EventName", "StopInstances"))[0]
    assert event["Username"] == "jane"
    assert event["EventSource"] == "ec2.amazonaws.com"
    assert event["ReadOnly"] == "false"
    assert event["Resources"] == [{"ResourceType": "AWS::EC2::Instance", "ResourceName": instance}]
    assert event["EventTime"] == datetime.fromtimestamp(since + 60, UTC)
    told = document(event)
    assert told["eventID"] == event["EventId"]
    assert told["awsRegion"] == REGION
    assert told["sourceIPAddress"] == "127.0.0.1"
    assert "Boto3" in told["userAgent"]
    assert told["requestParameters"] == {"force": True, "instancesSet": {"items": [{"instanceId": instance}]}}
    identity = told["userIdentity"]
    unique_id = identity["principalId"].partition(":")[0]
    assert identity == {
        "type": "AssumedRole",
        "principalId": f"{unique_id}:jane",
        "arn": f"arn:aws:sts::{VEGETA}:assumed-role/Reader/jane",
        "accountId": VEGETA,
        "accessKeyId": key_id(session),
        "sessionContext": {
            "attributes": {
                "creationDate": datetime.fromtimestamp(since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "mfaAuthenticated": "false",
            },
            "sessionIssuer": {
                "type": "Role",
                "principalId": unique_id,
                "arn": world.role,
                "accountId": VEGETA,
                "userName": "Reader",
            },
            "sourceIdentity": "bruce",
        },
    }


def test_whether_mfa_was_passed_is_told(world: World) -> None:
    """For the sessions of users and of roles; its code is not."""
    serial = f"arn:aws:iam::{BATMAN}:mfa/bruce"
    world.aws.expect_mfa_code(serial, "123456")
    world.aws.expect_mfa_code(serial, "654321")
    token = world.source.client("sts").get_session_token(SerialNumber=serial, TokenCode="123456")["Credentials"]
    user = world.aws.session(None)
    user._session.set_credentials(token["AccessKeyId"], token["SecretAccessKey"], token["SessionToken"])
    for session in (user, assumed(world, SerialNumber=serial, TokenCode="654321")):
        session.client("sts").get_caller_identity()
    events = [document(looked_up(account, **by("EventName", "GetCallerIdentity"))[0]) for account in world_roots(world)]
    attributes = [event["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"] for event in events]
    assert attributes == ["true", "true"]
    assert events[0]["userIdentity"]["type"] == "IAMUser"
    told = looked_up(world.batman.root, **by("EventName", "AssumeRole"))[0]["CloudTrailEvent"]
    assert "654321" not in told


def test_a_web_identity_is_known_to_its_provider(world: World) -> None:
    """An event of the role's account; the token itself is hidden.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html#STS-API-SAML-WIF
    """
    issuer, subject = "https://gitlab.com", "project_path:wayne/cave:ref_type:branch:ref:main"
    root = world.vegeta.root
    provider = root.client("iam").create_open_id_connect_provider(
        Url=issuer, ClientIDList=["aud"], ThumbprintList=["0" * 40]
    )
    arn = provider["OpenIDConnectProviderArn"]
    role = world.vegeta.role("CI", trusts=trust(arn, subject=subject, audience="aud"))
    sts: Any = world.aws.session().client("sts", config=Config(signature_version=UNSIGNED))
    token = world.aws.web_identity_token(issuer, subject, audience="aud")
    request = {"RoleArn": role, "RoleSessionName": "job-1", "WebIdentityToken": token}
    issued = sts.assume_role_with_web_identity(**request)["Credentials"]["AccessKeyId"]
    with pytest.raises(ClientError):
        sts.assume_role_with_web_identity(**{**request, "WebIdentityToken": token[:-9]})
    (event,) = looked_up(root, "us-east-1", **by("EventName", "AssumeRoleWithWebIdentity"))
    assert (event["Username"], event.get("AccessKeyId")) == (subject, None)
    told = document(event)
    assert told["userIdentity"] == {
        "type": "WebIdentityUser",
        "principalId": f"{arn}:aud:{subject}",
        "userName": subject,
        "identityProvider": arn,
    }
    assert told["requestParameters"]["webIdentityToken"] == "HIDDEN_DUE_TO_SECURITY_REASONS"
    assert told["responseElements"]["credentials"]["accessKeyId"] == issued
    assert told["recipientAccountId"] == VEGETA
    assert token not in json.dumps(event, default=str)


def test_a_name_is_a_string_even_of_digits(world: World) -> None:
    """Numbers are numbers where AWS has them as such."""
    assumed(world, RoleSessionName="12345", DurationSeconds=900)
    (told,) = looked_up(world.vegeta.root)
    parameters = {"roleArn": world.role, "roleSessionName": "12345", "durationSeconds": 900}
    assert document(told)["requestParameters"] == parameters


def world_roots(world: World) -> list[boto3.Session]:
    """Batman's account and Vegeta's."""
    return [world.batman.root, world.vegeta.root]


def test_what_was_refused_is_told(world: World) -> None:
    """Across accounts in the caller's alone; EC2's codes have a prefix."""
    with pytest.raises(ClientError):
        assumed(world, RoleArn=f"arn:aws:iam::{VEGETA}:role/Missing")
    with pytest.raises(ClientError):
        world.source.client("ec2").stop_instances(InstanceIds=["i-0000000000000000f"])
    stop, assume = (document(event) for event in looked_up(world.batman.root))
    assert assume["errorCode"] == "AccessDenied"
    assert "not authorized to perform: sts:AssumeRole" in assume["errorMessage"]
    assert stop["errorCode"] == "Client.InvalidInstanceID.NotFound"
    assert looked_up(world.vegeta.root) == []


def test_callers_whom_aws_does_not_know_leave_no_trace(world: World, clock: FakeClock) -> None:
    """Nor do those whose credentials have ended, nor requests without an answer."""
    session = assumed(world)
    world.aws.fail(Fault(service="ec2", kind="reset"))
    before = len(looked_up(world.vegeta.root))
    for name in ("reset", "expired", "deleted"):
        if name == "expired":
            clock.advance(7_200)
        if name == "deleted":
            world.aws.delete_key(key_id(session))
        with pytest.raises(Exception, match=r"(?i)closed|expired|validate"):
            session.client("ec2", region_name=REGION, config=ONCE).describe_instances()
    assert len(looked_up(world.vegeta.root)) == before


def test_data_events_are_not_shown(world: World) -> None:
    """What happens to buckets is; what happens to their objects is not."""
    s3 = assumed(world).client("s3", region_name=REGION)
    s3.create_bucket(Bucket="levels", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="levels", Key="goku", Body=b"9001")
    s3.get_object(Bucket="levels", Key="goku")
    s3.list_objects_v2(Bucket="levels")
    s3.list_buckets()
    events = looked_up(world.vegeta.root, **by("EventSource", "s3.amazonaws.com"))
    assert [event["EventName"] for event in events] == ["ListBuckets", "CreateBucket"]
    assert document(events[1])["requestParameters"] == {"bucketName": "levels"}


def test_each_region_has_its_own_and_global_services_one(world: World) -> None:
    """IAM's is us-east-1, whatever the client's."""
    session = assumed(world)
    session.client("ec2", region_name="us-west-2").describe_instances()
    session.client("iam", region_name=REGION).list_roles()
    names = {
        region: [event["EventName"] for event in looked_up(world.vegeta.root, region)]
        for region in (REGION, "us-west-2", "us-east-1")
    }
    assert names == {REGION: ["AssumeRole"], "us-west-2": ["DescribeInstances"], "us-east-1": ["ListRoles"]}


def test_an_account_sees_its_own_events_alone(world: World) -> None:
    """Those of another account are not for it."""
    assumed(world).client("ec2", region_name=REGION).describe_instances()
    assert [event["EventName"] for event in looked_up(world.batman.root)] == ["AssumeRole"]
    assert looked_up(world.hub.root) == []


def test_events_are_found_by_each_attribute(world: World) -> None:
    """One of them."""
    (instance,) = world.vegeta.instances()
    session = assumed(world)
    ec2 = session.client("ec2", region_name=REGION)
    ec2.stop_instances(InstanceIds=[instance])
    ec2.describe_instances()
    root = world.vegeta.root
    stop = looked_up(root, **by("ResourceName", instance))[0]
    found = {
        "AccessKeyId": (key_id(session), ["DescribeInstances", "StopInstances"]),
        "EventId": (stop["EventId"], ["StopInstances"]),
        "EventName": ("DescribeInstances", ["DescribeInstances"]),
        "EventSource": ("sts.amazonaws.com", ["AssumeRole"]),
        "ReadOnly": ("false", ["StopInstances"]),
        "ResourceName": (key_id(session), ["AssumeRole"]),
        "ResourceType": ("AWS::EC2::Instance", ["StopInstances"]),
        "Username": ("jane", ["DescribeInstances", "StopInstances"]),
    }
    for attribute, (value, names) in found.items():
        assert [event["EventName"] for event in looked_up(root, **by(attribute, value))] == names, attribute
    assert looked_up(root, **by("Username", "joker")) == []


def test_pages_hold_the_newest_first_and_none_twice(world: World, clock: FakeClock) -> None:
    """Also where more happens while they are read."""
    sts = assumed(world).client("sts", region_name=REGION)
    for _ in range(7):
        sts.get_caller_identity()
        clock.advance(1)
    client = world.vegeta.root.client("cloudtrail", region_name=REGION)
    question = {**by("EventName", "GetCallerIdentity"), "MaxResults": 3}
    seen: list[Any] = []
    token: dict[str, Any] = {}
    for size in (3, 3, 1):
        page = client.lookup_events(**question, **token)
        assert len(page["Events"]) == size
        seen += page["Events"]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
        sts.get_caller_identity()
    assert token == {}
    assert [event["EventTime"] for event in seen] == sorted((event["EventTime"] for event in seen), reverse=True)
    assert len({event["EventId"] for event in seen}) == 7


def test_times_bound_the_question(world: World, clock: FakeClock) -> None:
    """And nothing is kept for longer than 90 days."""
    sts = world.source.client("sts", region_name=REGION)
    times = []
    for _ in range(3):
        times.append(datetime.fromtimestamp(clock.wall(), UTC))
        sts.get_caller_identity()
        clock.advance(3_600)
    root = world.batman.root
    found = looked_up(root, StartTime=times[1], EndTime=times[1] + timedelta(minutes=1))
    assert [event["EventTime"] for event in found] == [times[1]]
    assert len(looked_up(root, StartTime=times[1])) == 2
    clock.advance(90 * 86_400 - 3 * 3_600)
    assert len(looked_up(root)) == 3
    clock.advance(1)
    assert len(looked_up(root)) == 2


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (
            {"LookupAttributes": [*by("EventName", "a")["LookupAttributes"], *by("Username", "b")["LookupAttributes"]]},
            "InvalidLookupAttributesException",
        ),
        (by("Colour", "red"), "InvalidLookupAttributesException"),
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"MaxResults": 0}, "InvalidMaxResultsException"),
        ({"StartTime": datetime(2030, 1, 2, tzinfo=UTC), "EndTime": datetime(2030, 1, 1, tzinfo=UTC)}, "InvalidTime"),
        ({"NextToken": "garbage"}, "InvalidNextTokenException"),
        ({"NextToken": "bnVsbA=="}, "InvalidNextTokenException"),
        ({"EventCategory": "insight"}, "InvalidEventCategoryException"),
    ],
)
def test_what_cloudtrail_would_not_take_is_refused(local_aws: LocalAWS, question: dict[str, Any], code: str) -> None:
    """With its codes."""
    config = ONCE.merge(Config(parameter_validation=False))
    client = local_aws.account(VEGETA).root.client("cloudtrail", region_name=REGION, config=config)
    with pytest.raises(ClientError, match=code):
        client.lookup_events(**question)


def test_other_operations_of_cloudtrail_are_not_there(world: World) -> None:
    """And say so; that they were refused is an event as well."""
    client = assumed(world).client("cloudtrail", region_name=REGION, config=ONCE)
    with pytest.raises(ClientError, match="UnsupportedOperationException"):
        client.list_trails()
    told = document(looked_up(world.vegeta.root, **by("EventName", "ListTrails"))[0])
    assert told["errorCode"] == "UnsupportedOperationException"


def test_questions_are_throttled_by_the_servers_clock(world: World, clock: FakeClock) -> None:
    """As AWS does: each account and region for itself."""
    world.aws.trail.requests_per_second = 2
    looked_up(world.vegeta.root)
    looked_up(world.vegeta.root)
    with pytest.raises(ClientError, match="ThrottlingException"):
        looked_up(world.vegeta.root)
    looked_up(world.vegeta.root, "us-east-1")
    looked_up(world.batman.root)
    clock.advance(1)
    looked_up(world.vegeta.root)


def test_questions_are_events_too(world: World) -> None:
    """Who asked, and what."""
    assumed(world).client("cloudtrail", region_name=REGION).lookup_events(**by("Username", "jane"))
    client: Any = world.vegeta.root.client("cloudtrail", region_name=REGION)
    (event,) = client.lookup_events(**by("EventName", "LookupEvents"))["Events"]
    assert document(event)["requestParameters"] == {
        "lookupAttributes": [{"AttributeKey": "Username", "AttributeValue": "jane"}]
    }
