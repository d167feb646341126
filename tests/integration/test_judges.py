"""The same scenarios before both judges: where they agree, the local AWS is not only tested against ourselves."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.support.judges import Judge, client
from xsession.policies import Policy, allow, deny, trust
from xsession.testing._sts import make_token

BATMAN, VEGETA, HUB = "111111111111", "222222222222", "333333333333"

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """A name that no other test has: the judges keep what they made."""
    return f"test-{next(_numbers)}"


def make_role(judge: Judge, account_id: str, name: str, trusts: Policy, permissions: Policy) -> str:
    """A role's ARN."""
    iam = client(judge.root(account_id), "iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusts.to_json())
    iam.put_role_policy(RoleName=name, PolicyName="permissions", PolicyDocument=permissions.to_json())
    return str(made["Role"]["Arn"])


def assume(session: boto3.Session, role_arn: str, **request: Any) -> Any:
    """What STS answers."""
    return client(session, "sts").assume_role(**{"RoleArn": role_arn, "RoleSessionName": "test", **request})


def assumed(judge: Judge, session: boto3.Session, role_arn: str, **request: Any) -> boto3.Session:
    """The session of a role."""
    issued = assume(session, role_arn, **request)["Credentials"]
    return judge.session(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])


def code_of(call: Any, *args: Any, **request: Any) -> str:
    """AWS's code of the refusal of a request."""
    with pytest.raises(ClientError) as caught:
        call(*args, **request)
    return str(caught.value.response["Error"]["Code"])


ASSUME = allow("sts:*")


# AssumeRole


def test_only_whom_the_trust_policy_names_assumes_it(judge: Judge, name: str) -> None:
    """A role that is not there is refused alike."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), ASSUME)
    bruce, clerk = judge.user(BATMAN, name, ASSUME), judge.user(HUB, name, ASSUME)
    assert assume(bruce, role)["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{VEGETA}:assumed-role/{name}/test"
    assert code_of(assume, clerk, role) == "AccessDenied"
    assert code_of(assume, bruce, f"{role}-missing") == "AccessDenied"


def test_the_callers_account_must_allow_it_too(judge: Judge, name: str) -> None:
    """Across accounts, whatever the trust policy says."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), ASSUME)
    assert assume(judge.user(BATMAN, f"{name}-a", allow("sts:AssumeRole", resources=role)), role)
    assert code_of(assume, judge.user(BATMAN, f"{name}-b", allow("s3:*")), role) == "AccessDenied"
    assert code_of(assume, judge.user(BATMAN, f"{name}-c", ASSUME + deny("sts:AssumeRole")), role) == "AccessDenied"


def test_the_external_id_must_be_the_agreed_one(judge: Judge, name: str) -> None:
    """Neither another nor none."""
    role = make_role(judge, VEGETA, name, trust(BATMAN, external_id="agreed-on"), ASSUME)
    bruce = judge.user(BATMAN, name, ASSUME)
    assert assume(bruce, role, ExternalId="agreed-on")
    assert code_of(assume, bruce, role) == "AccessDenied"
    assert code_of(assume, bruce, role, ExternalId="guessed") == "AccessDenied"


def test_the_session_name_may_be_asked_for(judge: Judge, name: str) -> None:
    """With wildcards."""
    role = make_role(judge, VEGETA, name, trust(BATMAN, role_session_name="bruce-*"), ASSUME)
    bruce = judge.user(BATMAN, name, ASSUME)
    assert assume(bruce, role, RoleSessionName="bruce-1")
    assert code_of(assume, bruce, role, RoleSessionName="joker-1") == "AccessDenied"


def test_the_callers_arn_may_be_asked_for(judge: Judge, name: str) -> None:
    """As aws:PrincipalArn."""
    wanted = trust(BATMAN, conditions={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::*:user/{name}"}})
    role = make_role(judge, VEGETA, name, wanted, ASSUME)
    assert assume(judge.user(BATMAN, name, ASSUME), role)
    assert code_of(assume, judge.user(BATMAN, f"{name}-other", ASSUME), role) == "AccessDenied"


def test_without_mfa_a_role_that_requires_it_is_closed(judge: Judge, name: str) -> None:
    """To a caller that sends no code."""
    role = make_role(judge, VEGETA, name, trust(BATMAN, mfa_required=True), ASSUME)
    assert code_of(assume, judge.user(BATMAN, name, ASSUME), role) == "AccessDenied"


def test_with_mfa_a_role_that_requires_it_is_open(judge: Judge, name: str) -> None:
    """By a code of the caller's device."""
    role = make_role(judge, VEGETA, name, trust(BATMAN, mfa_required=True), ASSUME)
    serial = f"arn:aws:iam::{BATMAN}:mfa/{name}"
    bruce = judge.user(BATMAN, name, ASSUME)
    assert assume(bruce, role, SerialNumber=serial, TokenCode=judge.mfa_code(serial))


def test_a_source_identity_may_be_asked_for(judge: Judge, name: str) -> None:
    """Of a caller that may set it."""
    role = make_role(judge, VEGETA, name, trust(BATMAN, source_identity="bruce"), ASSUME)
    bruce = judge.user(BATMAN, name, ASSUME)
    assert assume(bruce, role, SourceIdentity="bruce")["SourceIdentity"] == "bruce"


def test_another_source_identity_is_refused(judge: Judge, name: str) -> None:
    """And none."""
    role = make_role(judge, VEGETA, name, trust(BATMAN, source_identity="bruce"), ASSUME)
    bruce = judge.user(BATMAN, name, ASSUME)
    assert code_of(assume, bruce, role, SourceIdentity="joker") == "AccessDenied"
    assert code_of(assume, bruce, role) == "AccessDenied"


TAGS = [{"Key": "team", "Value": "bats"}]


def test_session_tags_need_a_permission_of_their_own(judge: Judge, name: str) -> None:
    """In the trust policy."""
    bruce = judge.user(BATMAN, name, ASSUME)
    plain = make_role(judge, VEGETA, name, trust(BATMAN), ASSUME)
    tagged = make_role(judge, VEGETA, f"{name}-tagged", trust(BATMAN, session_tags=["team"]), ASSUME)
    assert code_of(assume, bruce, plain, Tags=TAGS) == "AccessDenied"
    assert assume(bruce, tagged, Tags=TAGS)
    assert code_of(assume, bruce, tagged, Tags=[{"Key": "other", "Value": "x"}]) == "AccessDenied"


def test_session_tags_may_be_asked_for(judge: Judge, name: str) -> None:
    """By their values."""
    wanted = trust(BATMAN, session_tags=["*"], conditions={"StringEquals": {"aws:RequestTag/team": "bats"}})
    role = make_role(judge, VEGETA, name, wanted, ASSUME)
    bruce = judge.user(BATMAN, name, ASSUME)
    assert assume(bruce, role, Tags=TAGS)
    assert code_of(assume, bruce, role, Tags=[{"Key": "team", "Value": "cats"}]) == "AccessDenied"


def test_the_caller_needs_to_tag_sessions_too(judge: Judge, name: str) -> None:
    """Across accounts."""
    role = make_role(judge, VEGETA, name, trust(BATMAN, session_tags=["*"]), ASSUME)
    bruce = judge.user(BATMAN, name, allow("sts:AssumeRole"))
    assert code_of(assume, bruce, role, Tags=TAGS) == "AccessDenied"


def test_a_chain_goes_over_a_role_that_is_trusted(judge: Judge, name: str) -> None:
    """And not around it."""
    hub = make_role(judge, HUB, name, trust(BATMAN), ASSUME)
    last = make_role(judge, VEGETA, name, trust(hub), ASSUME)
    bruce = judge.user(BATMAN, name, ASSUME)
    session = assumed(judge, assumed(judge, bruce, hub), last)
    assert client(session, "sts").get_caller_identity()["Account"] == VEGETA
    assert code_of(assume, bruce, last) == "AccessDenied"


@pytest.mark.parametrize(
    "request_", [{"DurationSeconds": 3_601}, {"DurationSeconds": 899}, {"RoleSessionName": "with space"}], ids=str
)
def test_what_is_over_the_limits_is_refused(judge: Judge, name: str, request_: dict[str, Any]) -> None:
    """The role's own maximum included."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), ASSUME)
    assert code_of(assume, judge.user(BATMAN, name, ASSUME), role, **request_) == "ValidationError"


def test_whom_a_provider_vouches_for_assumes_a_role(judge: Judge, name: str) -> None:
    """By the token's subject."""
    issuer = f"https://{name}.example.com"
    iam = client(judge.root(VEGETA), "iam")
    provider = iam.create_open_id_connect_provider(
        Url=issuer, ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )["OpenIDConnectProviderArn"]
    wanted = {"StringEquals": {f"{name}.example.com:sub": "repo:bats/cave"}}
    role = make_role(judge, VEGETA, name, trust(provider, conditions=wanted), ASSUME)
    sts = client(judge.root(VEGETA), "sts")
    ends = datetime.now(UTC).timestamp() + 600
    for subject, allowed in (("repo:bats/cave", True), ("repo:joker/cave", False)):
        request = {
            "RoleArn": role,
            "RoleSessionName": "test",
            "WebIdentityToken": make_token(issuer, subject, "sts.amazonaws.com", ends),
        }
        if allowed:
            assert sts.assume_role_with_web_identity(**request)["Credentials"]
        else:
            assert code_of(sts.assume_role_with_web_identity, **request) == "AccessDenied"


# Credentials


def test_a_wrong_secret_or_token_is_refused(judge: Judge, name: str) -> None:
    """By its signature; by its session."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), ASSUME)
    bruce = judge.user(BATMAN, name, ASSUME)
    issued, other = assume(bruce, role)["Credentials"], assume(bruce, role)["Credentials"]
    wrong = judge.session(issued["AccessKeyId"], other["SecretAccessKey"], issued["SessionToken"])
    assert code_of(client(wrong, "sts").get_caller_identity) == "SignatureDoesNotMatch"
    mixed = judge.session(issued["AccessKeyId"], issued["SecretAccessKey"], other["SessionToken"])
    code_of(client(mixed, "sts").get_caller_identity)


def test_credentials_end(judge: Judge, name: str) -> None:
    """By themselves."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), ASSUME)
    bruce = judge.user(BATMAN, name, ASSUME)
    session = assumed(judge, bruce, role, DurationSeconds=judge.shortest_session)
    judge.pass_time(judge.shortest_session)
    assert code_of(client(session, "sts").get_caller_identity) == "ExpiredToken"


# What a session may


def test_a_role_may_what_its_policies_allow(judge: Judge, name: str) -> None:
    """Object by object."""
    s3 = client(judge.root(VEGETA), "s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    for key in ("open/a", "closed/a"):
        s3.put_object(Bucket=name, Key=key, Body=b"x")
    read = allow("s3:GetObject", resources=f"arn:aws:s3:::{name}/open/*")
    role = make_role(judge, VEGETA, name, trust(BATMAN), read)
    s3 = client(assumed(judge, judge.user(BATMAN, name, ASSUME), role), "s3")
    assert s3.get_object(Bucket=name, Key="open/a")["Body"].read() == b"x"
    assert code_of(s3.get_object, Bucket=name, Key="closed/a") == "AccessDenied"
    assert code_of(s3.put_object, Bucket=name, Key="open/a", Body=b"y") == "AccessDenied"
    assert code_of(s3.list_objects_v2, Bucket=name) == "AccessDenied"


def test_a_contractor_starts_and_stops_one_instance(judge: Judge, name: str) -> None:
    """Not another, and ends none."""
    ec2 = client(judge.root(VEGETA), "ec2")
    started = ec2.run_instances(ImageId="ami-12c6146b", MinCount=2, MaxCount=2, InstanceType="t3.micro")["Instances"]
    mine, other = (instance["InstanceId"] for instance in started)
    actions = ("ec2:StartInstances", "ec2:StopInstances")
    may = allow(*actions, resources=f"arn:aws:ec2:*:{VEGETA}:instance/{mine}")
    role = make_role(judge, VEGETA, name, trust(BATMAN), may)
    ec2 = client(assumed(judge, judge.user(BATMAN, name, ASSUME), role), "ec2")
    assert ec2.stop_instances(InstanceIds=[mine])
    assert ec2.start_instances(InstanceIds=[mine])
    assert code_of(ec2.stop_instances, InstanceIds=[other]) == "UnauthorizedOperation"
    assert code_of(ec2.terminate_instances, InstanceIds=[mine]) == "UnauthorizedOperation"


def test_policies_count_at_once(judge: Judge, name: str) -> None:
    """Also those that are attached."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), allow("s3:*"))
    session, iam = assumed(judge, judge.user(BATMAN, name, ASSUME), role), client(judge.root(VEGETA), "iam")
    ec2 = client(session, "ec2")
    code_of(ec2.describe_regions)
    own = iam.create_policy(PolicyName=name, PolicyDocument=allow("ec2:Describe*").to_json())["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=own)
    assert ec2.describe_regions()
    iam.put_role_policy(RoleName=name, PolicyName="denial", PolicyDocument=deny("ec2:*").to_json())
    assert code_of(ec2.describe_regions) == "UnauthorizedOperation"


def test_a_session_policy_narrows(judge: Judge, name: str) -> None:
    """It gives nothing that the role has not."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), allow("s3:*", "ec2:DescribeRegions"))
    policy = allow("ec2:*").to_json()
    session = assumed(judge, judge.user(BATMAN, name, ASSUME), role, Policy=policy)
    assert client(session, "ec2").describe_regions()
    assert code_of(client(session, "ec2").describe_instances) == "UnauthorizedOperation"
    assert code_of(client(session, "s3").list_buckets) == "AccessDenied"


def test_session_policies_add_up(judge: Judge, name: str) -> None:
    """The inline one and those by ARN."""
    iam = client(judge.root(VEGETA), "iam")
    own = iam.create_policy(PolicyName=name, PolicyDocument=allow("ec2:Describe*").to_json())["Policy"]["Arn"]
    role = make_role(judge, VEGETA, name, trust(BATMAN), allow("*"))
    inline = allow("s3:ListAllMyBuckets").to_json()
    session = assumed(judge, judge.user(BATMAN, name, ASSUME), role, Policy=inline, PolicyArns=[{"arn": own}])
    assert client(session, "ec2").describe_regions()
    assert client(session, "s3").list_buckets()
    code_of(client(session, "iam").list_roles)


def test_a_session_policy_of_denials_permits_nothing(judge: Judge, name: str) -> None:
    """Though the role may everything."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), allow("*"))
    session = assumed(judge, judge.user(BATMAN, name, ASSUME), role, Policy=deny("s3:*").to_json())
    assert code_of(client(session, "ec2").describe_regions) == "UnauthorizedOperation"


def test_a_deadline_in_a_session_policy_holds(judge: Judge, name: str) -> None:
    """Before it comes, nothing is refused."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), allow("*"))
    bruce = judge.user(BATMAN, name, ASSUME)
    for late, allowed in ((timedelta(hours=1), True), (timedelta(hours=-1), False)):
        moment = (datetime.now(UTC) + late).strftime("%Y-%m-%dT%H:%M:%SZ")
        policy = allow("*") + deny("*", conditions={"DateGreaterThan": {"aws:CurrentTime": moment}})
        ec2 = client(assumed(judge, bruce, role, Policy=policy.to_json()), "ec2")
        if allowed:
            assert ec2.describe_regions()
        else:
            assert code_of(ec2.describe_regions) == "UnauthorizedOperation"


def test_a_revocation_ends_older_sessions(judge: Judge, name: str) -> None:
    """By the time at which they were issued."""
    role = make_role(judge, VEGETA, name, trust(BATMAN), allow("*"))
    ec2 = client(assumed(judge, judge.user(BATMAN, name, ASSUME), role), "ec2")
    iam = client(judge.root(VEGETA), "iam")
    for late, allowed in ((timedelta(hours=-1), True), (timedelta(hours=1), False)):
        moment = (datetime.now(UTC) + late).strftime("%Y-%m-%dT%H:%M:%SZ")
        revocation = deny("*", conditions={"DateLessThan": {"aws:TokenIssueTime": moment}})
        iam.put_role_policy(RoleName=name, PolicyName="revocation", PolicyDocument=revocation.to_json())
        if allowed:
            assert ec2.describe_regions()
        else:
            assert code_of(ec2.describe_regions) == "UnauthorizedOperation"


@pytest.mark.parametrize(
    ("action", "resource", "expected"),
    [
        ("ec2:DescribeRegions", "*", "allowed"),
        ("ec2:RunInstances", "*", "explicitDeny"),
        ("s3:GetObject", "arn:aws:s3:::levels/goku", "allowed"),
        ("s3:GetObject", "arn:aws:s3:::other/goku", "implicitDeny"),
    ],
)
def test_a_simulation_says_what_would_be(judge: Judge, name: str, action: str, resource: str, expected: str) -> None:
    """By the role's own policies."""
    may = allow("ec2:*") + deny("ec2:RunInstances") + allow("s3:GetObject", resources="arn:aws:s3:::levels/*")
    role = make_role(judge, VEGETA, name, trust(BATMAN), may)
    iam = client(judge.root(VEGETA), "iam")
    answer = iam.simulate_principal_policy(PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource])
    assert [result["EvalDecision"] for result in answer["EvaluationResults"]] == [expected]


def test_policy_variables_stand_for_the_callers_name(judge: Judge, name: str) -> None:
    """Each user has a folder of its own."""
    s3 = client(judge.root(BATMAN), "s3")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    home = allow("s3:PutObject", resources=f"arn:aws:s3:::{name}/${{aws:username}}/*")
    s3 = client(judge.user(BATMAN, name, home), "s3")
    assert s3.put_object(Bucket=name, Key=f"{name}/x", Body=b"")
    assert code_of(s3.put_object, Bucket=name, Key="other/x", Body=b"") == "AccessDenied"
