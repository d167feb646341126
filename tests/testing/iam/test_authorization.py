"""Whole requests, judged by the policies of `_directory`; what is `_not_judged` ends the test."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.worlds import BATMAN, BUCKET, VEGETA, World
from xsession.policies import Policy, allow, deny, trust
from xsession.testing import FakeClock, LocalAWS
from xsession.testing._iam._not_judged import UnknownConditionError, UnknownRequestError

ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})
OBJECTS = f"arn:aws:s3:::{BUCKET}/*"
READ = allow("s3:GetObject", resources=OBJECTS) + allow("s3:ListBucket", resources=f"arn:aws:s3:::{BUCKET}")


def assumed(aws: LocalAWS, key: Any, role_arn: str, **request: Any) -> boto3.Session:
    """A session of a role."""
    answer = aws.session(key).client("sts").assume_role(RoleArn=role_arn, RoleSessionName="test", **request)
    issued, session = answer["Credentials"], aws.session(None)
    session._session.set_credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
    return session


def limited(world: World, permissions: Policy, **request: Any) -> boto3.Session:
    """A session of a role of Vegeta's that may only this."""
    return assumed(
        world.aws, world.key, world.vegeta.role("Limited", trusts=BATMAN, permissions=permissions), **request
    )


def client(session: boto3.Session, service_name: str) -> Any:
    """A client that asks once."""
    return session.client(service_name, config=ONCE)  # type: ignore[call-overload]  # one of several


def refusal(call: Any, **request: Any) -> tuple[str, str, int]:
    """AWS's code, message and status for a request."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    response: Any = caught.value.response
    return response["Error"]["Code"], response["Error"]["Message"], response["ResponseMetadata"]["HTTPStatusCode"]


# What a role may


def test_a_role_may_what_its_policies_allow(world: World) -> None:
    """And nothing else; the words are S3's."""
    world.bucket()
    s3 = client(limited(world, READ), "s3")
    assert s3.get_object(Bucket=BUCKET, Key="scouter.csv")["Body"].read()
    assert s3.head_object(Bucket=BUCKET, Key="scouter.csv")
    assert s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    code, message, status = refusal(s3.put_object, Bucket=BUCKET, Key="x", Body=b"")
    assert (code, status) == ("AccessDenied", 403)
    assert message == (
        f"User: arn:aws:sts::{VEGETA}:assumed-role/Limited/test is not authorized to perform: s3:PutObject "
        f'on resource: "arn:aws:s3:::{BUCKET}/x" because no identity-based policy allows the s3:PutObject action'
    )
    assert refusal(s3.list_buckets)[0] == "AccessDenied"


def test_a_head_answer_has_no_words(world: World) -> None:
    """Only its status."""
    world.bucket()
    assert refusal(client(limited(world, allow("ec2:*")), "s3").head_object, Bucket=BUCKET, Key="scouter.csv") == (
        "403",
        "Forbidden",
        403,
    )


def test_who_may_not_list_a_bucket_is_not_told_what_it_lacks(world: World) -> None:
    """A missing object is a refusal, then, as in S3; a missing bucket is missing."""
    world.bucket()
    s3 = client(limited(world, allow("s3:GetObject", resources=OBJECTS)), "s3")
    assert s3.get_object(Bucket=BUCKET, Key="scouter.csv")
    code, message, _ = refusal(s3.get_object, Bucket=BUCKET, Key="missing")
    assert code == "AccessDenied"
    assert message.endswith("because no identity-based policy allows the s3:ListBucket action")
    assert refusal(s3.head_object, Bucket=BUCKET, Key="missing")[0] == "403"
    world.vegeta.root.client("iam").put_role_policy(
        RoleName="Limited", PolicyName="listing", PolicyDocument=allow("s3:ListBucket", "s3:GetObject").to_json()
    )
    assert refusal(s3.get_object, Bucket=BUCKET, Key="missing")[0] == "NoSuchKey"
    assert refusal(s3.get_object, Bucket="no-such-bucket", Key="missing")[0] == "NoSuchBucket"


def test_a_multipart_upload_is_putting_an_object(world: World) -> None:
    """Step by step; aborting it is not."""
    world.bucket()
    s3 = client(limited(world, allow("s3:PutObject", resources=OBJECTS)), "s3")
    upload = {"Bucket": BUCKET, "Key": "big"}
    upload["UploadId"] = s3.create_multipart_upload(**upload)["UploadId"]
    part = s3.upload_part(**upload, PartNumber=1, Body=b"x")
    assert "s3:ListMultipartUploadParts" in refusal(s3.list_parts, **upload)[1]
    assert "s3:AbortMultipartUpload" in refusal(s3.abort_multipart_upload, **upload)[1]
    s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})


def test_another_accounts_bucket_is_not_copied_from(world: World) -> None:
    """Since bucket policies, which could allow it, are not evaluated."""
    world.bucket()
    world.batman.bucket("cave")
    s3 = client(world.source, "s3")
    source = {"Bucket": BUCKET, "Key": "scouter.csv"}
    assert refusal(s3.copy_object, Bucket="cave", Key="x", CopySource=source)[:2] == ("AccessDenied", "Access Denied")


def test_arns_are_of_the_accounts_partition(local_aws: LocalAWS) -> None:
    """Of China's, here."""
    account = local_aws.account("444444444444", partition="aws-cn")
    account.bucket("levels", {"a": b"x"})
    key = account.user("li", permissions=allow("s3:GetObject", resources="arn:aws-cn:s3:::levels/*"))
    s3 = client(local_aws.session(key, region_name="cn-north-1"), "s3")
    assert s3.get_object(Bucket="levels", Key="a")
    assert 'on resource: "arn:aws-cn:s3:::levels"' in refusal(s3.list_objects_v2, Bucket="levels")[1]


def test_a_contractor_starts_and_stops_one_instance(world: World) -> None:
    """Not another one, and does not terminate it."""
    mine, other = world.vegeta.instances(2)
    arn = f"arn:aws:ec2:*:{VEGETA}:instance/{mine}"
    ec2 = client(limited(world, allow("ec2:StartInstances", "ec2:StopInstances", resources=arn)), "ec2")
    assert ec2.stop_instances(InstanceIds=[mine])
    assert ec2.start_instances(InstanceIds=[mine])
    code, message, status = refusal(ec2.stop_instances, InstanceIds=[mine, other])
    assert (code, status) == ("UnauthorizedOperation", 403)
    assert f"on resource: arn:aws:ec2:eu-west-1:{VEGETA}:instance/{other} because no identity-based policy" in message
    assert "ec2:TerminateInstances" in refusal(ec2.terminate_instances, InstanceIds=[mine])[1]
    assert "perform: ec2:DescribeInstances because" in refusal(ec2.describe_instances)[1]


def test_json_services_refuse_in_their_own_way(world: World) -> None:
    """By another code and status."""
    dynamodb = client(limited(world, allow("dynamodb:GetItem", resources="*")), "dynamodb")
    code, message, status = refusal(dynamodb.list_tables)
    assert (code, status) == ("AccessDeniedException", 400)
    assert "dynamodb:ListTables" in message


def test_iam_changes_the_verdict_at_once(world: World) -> None:
    """Policies are read where IAM has them: inline, attached, the account's own and AWS's."""
    world.bucket()
    s3, iam = client(limited(world, allow("ec2:*")), "s3"), world.vegeta.root.client("iam")
    read: dict[str, Any] = {"Bucket": BUCKET, "Key": "scouter.csv"}
    refusal(s3.get_object, **read)
    iam.put_role_policy(RoleName="Limited", PolicyName="more", PolicyDocument=READ.to_json())
    assert s3.get_object(**read)
    iam.delete_role_policy(RoleName="Limited", PolicyName="more")
    refusal(s3.get_object, **read)
    arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    iam.attach_role_policy(RoleName="Limited", PolicyArn=arn)
    assert s3.get_object(**read)
    iam.detach_role_policy(RoleName="Limited", PolicyArn=arn)
    refusal(s3.get_object, **read)
    own = iam.create_policy(PolicyName="own", PolicyDocument=READ.to_json())["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="Limited", PolicyArn=own)
    assert s3.get_object(**read)
    iam.create_policy_version(PolicyArn=own, PolicyDocument=deny("*").to_json(), SetAsDefault=True)
    assert "with an explicit deny in an identity-based policy" in refusal(s3.get_object, **read)[1]


def test_a_permissions_boundary_limits_as_well(world: World) -> None:
    """It allows nothing by itself."""
    iam = world.vegeta.root.client("iam")
    session = limited(world, allow("*") + deny("ec2:RunInstances"))
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=allow("ec2:*").to_json())["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="Limited", PermissionsBoundary=boundary)
    assert client(session, "ec2").describe_regions()
    assert (
        "because no permissions boundary allows the s3:ListAllMyBuckets"
        in refusal(client(session, "s3").list_buckets)[1]
    )


def test_a_boundary_that_is_not_there_any_more_is_not_judged(world: World) -> None:
    """moto deletes a policy that is one, which IAM refuses."""
    session = limited(world, READ)
    iam = world.vegeta.root.client("iam")
    arn = iam.create_policy(PolicyName="Gone", PolicyDocument=READ.to_json())["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="Limited", PermissionsBoundary=arn)
    iam.delete_policy(PolicyArn=arn)
    assert refusal(client(session, "ec2").describe_regions)[0] == "NotKnownHere"
    world.aws._server.failures.clear()


def test_iam_itself_is_limited_to_roles_with_their_paths(world: World) -> None:
    """As a provisioner's permissions are."""
    root = world.vegeta.root.client("iam")
    for path in ("/", "/xsession/"):
        name = f"In{path.strip('/')}"
        root.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust(BATMAN).to_json())
    iam = client(limited(world, allow("iam:*", resources=f"arn:aws:iam::{VEGETA}:role/xsession/*")), "iam")
    iam.put_role_policy(RoleName="Inxsession", PolicyName="p", PolicyDocument=READ.to_json())
    assert iam.get_role(RoleName="Inxsession")
    assert f"arn:aws:iam::{VEGETA}:role/In because" in refusal(iam.get_role, RoleName="In")[1]
    assert f"arn:aws:iam::{VEGETA}:role/missing because" in refusal(iam.get_role, RoleName="missing")[1]
    iam.create_role(RoleName="New", Path="/xsession/", AssumeRolePolicyDocument=trust(BATMAN).to_json())
    new = {"RoleName": "Other", "AssumeRolePolicyDocument": trust(BATMAN).to_json()}
    assert "iam:CreateRole" in refusal(iam.create_role, **new)[1]


def test_the_session_of_a_role_that_is_gone_is_no_more(world: World) -> None:
    """A new role of its name is another one."""
    session, iam = limited(world, READ), world.vegeta.root.client("iam")
    iam.delete_role_policy(RoleName="Limited", PolicyName="permissions")
    iam.delete_role(RoleName="Limited")
    world.vegeta.role("Limited", trusts=BATMAN)
    assert refusal(client(session, "ec2").describe_regions)[0] == "AuthFailure"
    assert refusal(client(session, "iam").list_roles)[0] == "InvalidClientTokenId"


def test_the_identity_is_told_whatever_is_denied(world: World) -> None:
    """As AWS does."""
    assert limited(world, deny("*")).client("sts").get_caller_identity()["Account"] == VEGETA


# What a user may


def test_a_user_may_what_its_and_its_groups_policies_allow(world: World) -> None:
    """All by default."""
    key = world.batman.user("alfred", permissions=allow("ec2:DescribeRegions"))
    session, iam = world.aws.session(key), world.batman.root.client("iam")
    assert client(session, "ec2").describe_regions()
    message = refusal(client(session, "s3").list_buckets)[1]
    assert message.startswith(f"User: arn:aws:iam::{BATMAN}:user/alfred is not authorized")
    iam.create_group(GroupName="staff")
    iam.put_group_policy(GroupName="staff", PolicyName="p", PolicyDocument=allow("s3:ListAllMyBuckets").to_json())
    iam.add_user_to_group(GroupName="staff", UserName="alfred")
    assert client(session, "s3").list_buckets()


def test_a_second_key_of_a_user_is_the_same_user(world: World) -> None:
    """With whatever permissions it was given last."""
    first = world.batman.user("alfred", permissions=allow("ec2:*"))
    second = world.batman.user("alfred")
    assert (first.user_id, first.principal) == (second.user_id, second.principal)
    assert client(world.aws.session(first), "s3").list_buckets()


# Both sides of AssumeRole


def test_the_callers_own_account_must_allow_it_too(world: World) -> None:
    """Whatever the other account's trust policy says."""
    arn = world.vegeta.role("Trusting", trusts=f"arn:aws:iam::{BATMAN}:user/alfred")
    session = world.aws.session(world.batman.user("alfred", permissions=allow("s3:*")))
    sts = client(session, "sts")
    code, message, status = refusal(sts.assume_role, RoleArn=arn, RoleSessionName="test")
    assert (code, status) == ("AccessDenied", 403)
    assert message.endswith(f"on resource: {arn} because no identity-based policy allows the sts:AssumeRole action")
    world.batman.user("alfred", permissions=allow("sts:AssumeRole", resources=arn))
    assert sts.assume_role(RoleArn=arn, RoleSessionName="test")
    assert (
        "sts:TagSession"
        in refusal(sts.assume_role, RoleArn=arn, RoleSessionName="test", Tags=[{"Key": "a", "Value": "b"}])[1]
    )


def test_within_an_account_naming_the_caller_is_enough(world: World) -> None:
    """Naming the account is not."""
    named = world.batman.role("Named", trusts=trust(f"arn:aws:iam::{BATMAN}:user/alfred"))
    rooted = world.batman.role("Rooted", trusts=trust(BATMAN))
    sts = client(world.aws.session(world.batman.user("alfred", permissions=allow("s3:*"))), "sts")
    assert sts.assume_role(RoleArn=named, RoleSessionName="test")
    assert "sts:AssumeRole" in refusal(sts.assume_role, RoleArn=rooted, RoleSessionName="test")[1]


# Session policies


def test_a_session_policy_narrows(world: World) -> None:
    """Inline and by ARN add up; neither gives what the role has not."""
    world.bucket()
    own = world.vegeta.root.client("iam").create_policy(
        PolicyName="ec2", PolicyDocument=allow("ec2:DescribeRegions").to_json()
    )
    request = {"Policy": READ.to_json(), "PolicyArns": [{"arn": own["Policy"]["Arn"]}]}
    session = limited(world, allow("s3:*", "ec2:DescribeRegions"), **request)
    s3, ec2 = client(session, "s3"), client(session, "ec2")
    assert s3.list_objects_v2(Bucket=BUCKET)
    assert ec2.describe_regions()
    message = refusal(s3.list_buckets)[1]
    assert message.endswith("because no session policy allows the s3:ListAllMyBuckets action")
    assert "no identity-based policy" in refusal(ec2.describe_instances)[1]


def test_managed_session_policies_may_be_awss(world: World) -> None:
    """Those that do not exist, or are another account's, are refused."""
    arn = "arn:aws:iam::aws:policy/AmazonEC2ReadOnlyAccess"
    session = limited(world, allow("*"), PolicyArns=[{"arn": arn}])
    assert client(session, "ec2").describe_regions()
    assert refusal(client(session, "s3").list_buckets)[0] == "AccessDenied"
    for missing in (f"arn:aws:iam::{VEGETA}:policy/None", f"arn:aws:iam::{BATMAN}:policy/None"):
        wanted = {"RoleArn": world.role, "RoleSessionName": "test", "PolicyArns": [{"arn": missing}]}
        assert refusal(client(world.source, "sts").assume_role, **wanted)[0] == "ValidationError"


def test_a_session_policy_of_denials_permits_nothing(world: World) -> None:
    """Beside it something must allow."""
    session = limited(world, allow("*"), Policy=deny("s3:*").to_json())
    assert "no session policy" in refusal(client(session, "ec2").describe_regions)[1]


def test_a_session_policy_limits_the_next_hop(world: World) -> None:
    """A hub's session that may not assume can't."""
    hub, last = (role.role_arn for role in world.chain.roles)
    session = assumed(world.aws, world.key, hub, Policy=allow("s3:*").to_json())
    message = refusal(client(session, "sts").assume_role, RoleArn=last, RoleSessionName="test")[1]
    assert "because no session policy allows the sts:AssumeRole action" in message


# Time


def deadline(moment: str) -> str:
    """A session policy that ends by itself."""
    late = {"DateGreaterThan": {"aws:CurrentTime": moment}}
    return (allow("*") + deny("*", conditions=late)).to_json()


def test_a_deadline_holds_though_the_credentials_do_not_end() -> None:
    """By the server's clock."""
    clock = FakeClock(1_795_521_600)  # 2026-11-24T12:00:00Z
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        session = assumed(aws, world.key, world.role, Policy=deadline("2026-11-24T12:10:00Z"))
        ec2 = client(session, "ec2")
        clock.advance(600)
        assert ec2.describe_regions()
        clock.advance(1)
        assert "with an explicit deny in a session policy" in refusal(ec2.describe_regions)[1]


def test_a_revocation_ends_older_sessions_only() -> None:
    """Those of the second in which it is made live on, since AWS's clock has seconds."""
    clock = FakeClock(1_795_521_600)
    with LocalAWS(clock=clock) as aws:
        world = World(aws)
        old = client(assumed(aws, world.key, world.role), "ec2")
        clock.advance(5.4)
        same = client(assumed(aws, world.key, world.role), "ec2")
        clock.advance(0.3)
        older = {"DateLessThan": {"aws:TokenIssueTime": "2026-11-24T12:00:05Z"}}
        iam = world.vegeta.root.client("iam")
        iam.put_role_policy(
            RoleName="Reader", PolicyName="XSessionRevoke-1", PolicyDocument=deny("*", conditions=older).to_json()
        )
        code, message, _ = refusal(old.describe_regions)
        assert code == "UnauthorizedOperation"
        assert "with an explicit deny in an identity-based policy" in message
        assert same.describe_regions()
        assert client(assumed(aws, world.key, world.role), "ec2").describe_regions()
        iam.delete_role_policy(RoleName="Reader", PolicyName="XSessionRevoke-1")
        assert old.describe_regions()


# Condition keys


def test_a_session_has_its_condition_keys(world: World) -> None:
    """With the values that AWS gives them: session tags before those of the role."""
    world.aws.set_organization("o-heroes", [VEGETA])
    wanted = {
        "aws:PrincipalAccount": VEGETA,
        "aws:PrincipalArn": f"arn:aws:iam::{VEGETA}:role/Limited",
        "aws:PrincipalTag/team": "bats",
        "aws:PrincipalTag/stage": "dev",
        "aws:PrincipalOrgID": "o-heroes",
        "aws:SourceIdentity": "bruce",
        "aws:userid": "AROA*:test",
        "aws:SourceIp": "127.0.0.1",
        "aws:RequestedRegion": "eu-west-1",
        "ec2:Region": "eu-west-1",
    }
    permissions = allow("ec2:DescribeRegions", conditions={"StringLike": wanted})
    session = limited(world, permissions, SourceIdentity="bruce", Tags=[{"Key": "team", "Value": "bats"}])
    ec2, iam = client(session, "ec2"), world.vegeta.root.client("iam")
    refusal(ec2.describe_regions)
    iam.tag_role(RoleName="Limited", Tags=[{"Key": "team", "Value": "cats"}, {"Key": "stage", "Value": "dev"}])
    assert ec2.describe_regions()


def test_a_user_has_a_name_and_tags(world: World) -> None:
    """But no time of issue."""
    named = {"StringEquals": {"aws:username": "alfred", "aws:PrincipalTag/team": "bats"}}
    conditions = {**named, "Null": {"aws:TokenIssueTime": "true", "aws:MultiFactorAuthPresent": "true"}}
    key = world.batman.user("alfred", permissions=allow("ec2:DescribeRegions", conditions=conditions))
    world.batman.root.client("iam").tag_user(UserName="alfred", Tags=[{"Key": "team", "Value": "bats"}])
    assert client(world.aws.session(key), "ec2").describe_regions()


def test_mfa_has_an_age() -> None:
    """Which grows with the session that was opened by it."""
    clock = FakeClock()
    with LocalAWS(clock=clock) as aws:
        batman = aws.account(BATMAN)
        young = {"NumericLessThan": {"aws:MultiFactorAuthAge": "600"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}
        key = batman.user("alfred", permissions=allow("ec2:DescribeRegions", conditions=young))
        aws.expect_mfa_code("arn:aws:iam::111111111111:mfa/alfred", "123456")
        answer = (
            aws.session(key)
            .client("sts")
            .get_session_token(SerialNumber="arn:aws:iam::111111111111:mfa/alfred", TokenCode="123456")
        )
        issued, session = answer["Credentials"], aws.session(None)
        session._session.set_credentials(issued["AccessKeyId"], issued["SecretAccessKey"], issued["SessionToken"])
        refusal(client(aws.session(key), "ec2").describe_regions)
        assert client(session, "ec2").describe_regions()
        clock.advance(600)
        refusal(client(session, "ec2").describe_regions)


def test_listing_may_be_limited_to_a_prefix(world: World) -> None:
    """By S3's own key."""
    world.vegeta.bucket(BUCKET, {"a/1": b"", "b/1": b""})
    s3 = client(limited(world, allow("s3:ListBucket", conditions={"StringLike": {"s3:prefix": "a/*"}})), "s3")
    assert s3.list_objects_v2(Bucket=BUCKET, Prefix="a/")["KeyCount"] == 1
    refusal(s3.list_objects_v2, Bucket=BUCKET)


# What is not known


@pytest.mark.parametrize(
    ("permissions", "service_name", "call", "kind"),
    [
        (
            allow("ec2:*", conditions={"StringEquals": {"ec2:Moon": "full"}}),
            "ec2",
            "describe_regions",
            UnknownConditionError,
        ),
        (allow("kms:*", resources="arn:aws:kms:*:*:key/1"), "kms", "generate_random", UnknownRequestError),
        (allow("lambda:*"), "lambda", "list_functions", UnknownRequestError),
    ],
)
def test_what_is_not_known_ends_the_test(
    permissions: Policy, service_name: str, call: str, kind: type[Exception]
) -> None:
    """Rather than be allowed, or denied."""

    def run() -> None:
        with LocalAWS() as aws:
            asked = client(limited(World(aws), permissions), service_name)
            assert refusal(getattr(asked, call))[0] == "NotKnownHere"

    with pytest.raises(kind):
        run()


def test_who_may_do_everything_may_do_what_is_not_known(world: World) -> None:
    """There is nothing to be judged."""
    assert limited(world, allow("*")).client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_policy_that_is_no_policy_of_ours_is_not_judged(world: World) -> None:
    """moto takes what is not known here."""
    session = limited(world, allow("ec2:*"))
    role = world.aws._moto.iam(VEGETA, "aws").get_role("Limited")
    role.policies["permissions"] = json.dumps({"Version": "2012-10-17", "Statement": []})
    assert refusal(client(session, "ec2").describe_regions)[0] == "NotKnownHere"
    world.aws._server.failures.clear()
