from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.errors import InvalidPolicyError
from xsession.policies import (
    Policy,
    assume_roles,
    check_session_policy,
    cloudwatch_read,
    dynamodb_read,
    ec2_describe,
    ec2_start_stop,
    logs_read,
    s3_read,
    s3_write,
    secrets_read,
    ssm_parameters_read,
)

ROLE = "arn:aws:iam::222222222222:role/BatmanReadsBucket"
SOMEWHERE = {"region_name": "eu-west-1", "account_id": "222222222222"}
HERE = "eu-west-1:222222222222"

# Which actions can't be limited to a resource, by the service authorization reference.
WITHOUT_RESOURCES = (
    "ec2:Describe",
    "cloudwatch:GetMetric",
    "cloudwatch:ListMetrics",
    "logs:GetQueryResults",
    "logs:StopQuery",
)


def resources(policy: Policy) -> dict[str, list[str]]:
    """Each action with what it is allowed on."""
    return {action: list(statement.resources) for statement in policy.statements for action in statement.actions}


def test_a_bucket_is_listed_and_its_objects_are_read() -> None:
    """Listing is of the bucket, reading of its objects."""
    assert s3_read("levels", partition="aws-cn").to_dict()["Statement"] == [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws-cn:s3:::levels/*"},
        {
            "Effect": "Allow",
            "Action": ["s3:GetBucketLocation", "s3:ListBucket"],
            "Resource": "arn:aws-cn:s3:::levels",
        },
    ]


def test_a_prefix_limits_what_is_listed_and_read() -> None:
    """The bucket's region is no key's business."""
    assert s3_read("levels", "2026/").to_dict()["Statement"] == [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::levels/2026/*"},
        {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::levels",
            "Condition": {"StringLike": {"s3:prefix": "2026/*"}},
        },
        {"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": "arn:aws:s3:::levels"},
    ]


def test_a_prefix_has_no_wildcards_and_no_variables() -> None:
    """They are characters of keys: nothing else is read because of them."""
    policy = s3_read("levels", "a*?${aws:username}/")
    escaped = "a${*}${?}${$}{aws:username}/*"
    assert policy.statements[0].resources == (f"arn:aws:s3:::levels/{escaped}",)
    assert dict(policy.statements[1].conditions["StringLike"]) == {"s3:prefix": (escaped,)}
    assert s3_write("levels", "*").statements[0].resources == ("arn:aws:s3:::levels/${*}*",)


@given(st.text(alphabet="*?${}ab/", max_size=12))
def test_wildcards_of_a_prefix_are_escaped_whatever_it_is(prefix: str) -> None:
    """Nothing is left of them but the one at the end."""
    (statement,) = s3_write("levels", prefix).statements
    keys = statement.resources[0].removeprefix("arn:aws:s3:::levels/").removesuffix("*")
    bare = keys.replace("${*}", "").replace("${?}", "").replace("${$}", "")
    assert not set(bare) & set("*?$")


def test_writing_deletes_only_if_asked() -> None:
    """And reads nothing."""
    actions = {"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"}
    assert resources(s3_write("levels", "in/")).keys() == actions
    assert resources(s3_write("levels", "in/", delete=True)).keys() == actions | {"s3:DeleteObject"}


def test_instances_are_started_and_stopped_one_by_one() -> None:
    """Describing takes no resource."""
    instance = f"arn:aws:ec2:{HERE}:instance/i-0123456789abcdef0"
    assert resources(ec2_start_stop("i-0123456789abcdef0", **SOMEWHERE)) == {
        "ec2:StartInstances": [instance],
        "ec2:StopInstances": [instance],
        "ec2:DescribeInstances": ["*"],
        "ec2:DescribeInstanceStatus": ["*"],
    }
    assert resources(ec2_start_stop("*"))["ec2:StopInstances"] == ["arn:aws:ec2:*:*:instance/*"]


def test_what_instances_were_started_with_is_not_described() -> None:
    """User data may hold secrets."""
    assert (
        not {"ec2:DescribeInstanceAttribute", "ec2:DescribeLaunchTemplateVersions"} & resources(ec2_describe()).keys()
    )


def test_tables_are_read_with_their_indexes() -> None:
    """Only queries and scans go to an index."""
    table = f"arn:aws:dynamodb:{HERE}:table/levels"
    found = resources(dynamodb_read("levels", **SOMEWHERE))
    assert found["dynamodb:GetItem"] == [table]
    assert found["dynamodb:Query"] == [table, f"{table}/index/*"]


def test_a_secret_has_six_more_characters_in_its_arn() -> None:
    """A longer name is another secret."""
    found = resources(secrets_read("app/db", **SOMEWHERE))
    assert found["secretsmanager:GetSecretValue"] == [f"arn:aws:secretsmanager:{HERE}:secret:app/db-??????"]


def test_parameters_are_read_one_by_one_or_below_a_path() -> None:
    """The slash at the beginning of a name is the ARN's own."""
    found = resources(ssm_parameters_read("/app/db", "plain", "/tree/", **SOMEWHERE))
    arn = f"arn:aws:ssm:{HERE}:parameter"
    assert found["ssm:GetParameter"] == [f"{arn}/app/db", f"{arn}/plain", f"{arn}/tree/*"]
    assert found["ssm:GetParametersByPath"] == [f"{arn}/tree", f"{arn}/tree/*"]
    assert "ssm:GetParametersByPath" not in resources(ssm_parameters_read("plain"))


def test_log_groups_are_read_with_their_streams() -> None:
    """A query's answer belongs to no group."""
    found = resources(logs_read("/aws/lambda/x", **SOMEWHERE))
    group = f"arn:aws:logs:{HERE}:log-group:/aws/lambda/x"
    assert found["logs:FilterLogEvents"] == [group, f"{group}:*"]
    assert found["logs:GetQueryResults"] == ["*"]


def test_the_caller_s_side() -> None:
    """Tags and a source identity need actions of their own."""
    assert resources(assume_roles(ROLE)) == {"sts:AssumeRole": [ROLE]}
    assert resources(assume_roles(ROLE, session_tags=True, source_identity=True)).keys() == {
        "sts:AssumeRole",
        "sts:TagSession",
        "sts:SetSourceIdentity",
    }
    assert assume_roles("arn:aws:iam::*:role/Batman*").statements[0].resources == ("arn:aws:iam::*:role/Batman*",)


MADE: list[Policy] = [
    assume_roles(ROLE),
    s3_read("levels", "2026/"),
    s3_write("levels"),
    ec2_start_stop("i-0123456789abcdef0"),
    ec2_describe(),
    dynamodb_read("levels"),
    secrets_read("app"),
    ssm_parameters_read("/tree/"),
    logs_read("group"),
    cloudwatch_read(),
]


@pytest.mark.parametrize("policy", MADE)
def test_each_is_a_session_policy(policy: Policy) -> None:
    """It is short enough, and reads and writes as IAM's JSON."""
    check_session_policy(policy)
    assert Policy.from_json(policy.to_json()) == policy


@pytest.mark.parametrize("policy", MADE)
def test_actions_without_resources_are_allowed_on_all(policy: Policy) -> None:
    """On anything else, AWS would never allow them."""
    for action, allowed in resources(policy).items():
        if action.startswith(WITHOUT_RESOURCES):
            assert allowed == ["*"]


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (assume_roles, "role_arns: at least one"),
        (lambda: assume_roles("*"), r"role_arns '\*' is not valid"),
        (
            lambda: assume_roles("arn:aws:iam::222222222222:user/bruce"),
            "role_arns 'arn:aws:iam::22.*:user/bruce' is not",
        ),
        (lambda: s3_read("Levels"), "bucket 'Levels' is not valid"),
        (lambda: s3_read("a"), "bucket 'a' is not valid"),
        (lambda: s3_write("levels", partition="eu"), "partition 'eu' is not valid"),
        (ec2_start_stop, "instance_ids: at least one"),
        (lambda: ec2_start_stop("vm-1"), "instance_ids 'vm-1' is not valid"),
        (lambda: ec2_start_stop("i-0abc", region_name="Dublin"), "region_name 'Dublin' is not valid"),
        (lambda: ec2_start_stop("i-0abc", account_id="2222"), "account_id '2222' is not valid"),
        (lambda: ec2_start_stop("i-0abc", partition="x"), "partition 'x' is not valid"),
        (lambda: dynamodb_read("t*"), r"table_names 't\*' is not valid"),
        (lambda: secrets_read("a b"), "secret_names 'a b' is not valid"),
        (lambda: ssm_parameters_read("//"), "names '//' is not valid"),
        (lambda: logs_read("*"), r"log_groups '\*' is not valid"),
    ],
)
def test_what_can_not_be_is_refused(make: Callable[[], Any], problem: str) -> None:
    """The argument, the value and the rule are named."""
    with pytest.raises(InvalidPolicyError, match=problem):
        make()
