"""Permissions that cross-account work needs, each with the resources that its actions accept.

Which actions accept which resources: https://docs.aws.amazon.com/service-authorization/latest/reference/
None of them includes `kms:Decrypt`: what is encrypted with a customer's own key needs it too, on that key.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from xsession._aws import ACCOUNT_ID, PARTITION, REGION, ROLE_ARN_RULE, as_text
from xsession.errors import InvalidPolicyError

from ._document import Conditions, Policy, Statement

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_INSTANCE = re.compile(r"i-[0-9a-f]{4,17}|\*")
_TABLE = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_SECRET = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}")
_PARAMETER = re.compile(r"/?[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*/?")
_LOG_GROUP = re.compile(r"[A-Za-z0-9_./#-]{1,512}")
_ROLE_ARN = re.compile(rf"arn:{PARTITION}:iam::({ACCOUNT_ID}|\*):role/[\w+=,.@*?/-]+", re.ASCII)

_PARTITION = re.compile(PARTITION)
_REGION = re.compile(rf"{REGION}|\*")
_ACCOUNT_ID = re.compile(rf"{ACCOUNT_ID}|\*")


def assume_roles(*role_arns: str, session_tags: bool = False, source_identity: bool = False) -> Policy:
    """The caller's side of a role: the policy that lets a user or a role assume others.

    Args:
        role_arns: The roles; * and ? are wildcards.
        session_tags: Whether session tags may be sent, own or inherited ones.
        source_identity: Whether a source identity may be sent, its own or an inherited one.

    Raises:
        InvalidPolicyError: No role, or something that is not a role's ARN.
    """
    _check("role_arns", role_arns, _ROLE_ARN, ROLE_ARN_RULE)
    actions = ["sts:AssumeRole"]
    actions += ["sts:TagSession"] if session_tags else []
    actions += ["sts:SetSourceIdentity"] if source_identity else []
    return Policy([_allow(actions, role_arns)])


def s3_read(bucket: str, prefix: str = "", *, partition: str = "aws") -> Policy:
    """Lists a bucket and reads its objects.

    Args:
        bucket: Its name.
        prefix: Only keys that begin so; end it with "/" for a folder. No wildcards: "*" is the character.
        partition: The bucket's partition.

    Raises:
        InvalidPolicyError: Not a bucket's name, or not a partition.
    """
    arn = _bucket_arn(bucket, partition)
    keys = f"{as_text(prefix)}*"
    read = _allow(["s3:GetObject"], [f"{arn}/{keys}"])
    if not prefix:
        return Policy([read, _allow(["s3:GetBucketLocation", "s3:ListBucket"], [arn])])
    listing = _allow(["s3:ListBucket"], [arn], {"StringLike": {"s3:prefix": keys}})
    return Policy([read, listing, _allow(["s3:GetBucketLocation"], [arn])])


def s3_write(bucket: str, prefix: str = "", *, delete: bool = False, partition: str = "aws") -> Policy:
    """Writes objects, in one piece or in parts; does not read: add `s3_read` for that.

    Args:
        bucket: Its name.
        prefix: Only keys that begin so; end it with "/" for a folder. No wildcards: "*" is the character.
        delete: Whether objects may be deleted too; overwriting is writing.
        partition: The bucket's partition.

    Raises:
        InvalidPolicyError: Not a bucket's name, or not a partition.
    """
    objects = f"{_bucket_arn(bucket, partition)}/{as_text(prefix)}*"
    actions = ["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:PutObject"]
    return Policy([_allow([*actions, "s3:DeleteObject"] if delete else actions, [objects])])


def ec2_start_stop(*instance_ids: str, region_name: str = "*", account_id: str = "*", partition: str = "aws") -> Policy:
    """Starts and stops instances, and sees the state of all: describing can't be limited to some.

    Args:
        instance_ids: "i-0123456789abcdef0", ...; "*": every instance.
        region_name: Only in this region.
        account_id: Only in this account.
        partition: The partition.

    Raises:
        InvalidPolicyError: No instance, or a value that is not what it should be.
    """
    _check("instance_ids", instance_ids, _INSTANCE, "i- and hex digits, or *")
    arn = _arns("ec2", region_name, account_id, partition)
    actions = ["ec2:StartInstances", "ec2:StopInstances"]
    state = ["ec2:DescribeInstanceStatus", "ec2:DescribeInstances"]
    return Policy([_allow(actions, [arn(f"instance/{name}") for name in instance_ids]), _allow(state, ["*"])])


def ec2_describe() -> Policy:
    """Sees instances, images, disks and networks; not what instances were started with, which may hold secrets."""
    things = (
        "AvailabilityZones Images InstanceStatus InstanceTypes Instances NetworkInterfaces Regions RouteTables "
        "SecurityGroups Snapshots Subnets Tags Volumes Vpcs"
    )
    return Policy([_allow([f"ec2:Describe{thing}" for thing in things.split()], ["*"])])


def dynamodb_read(*table_names: str, region_name: str = "*", account_id: str = "*", partition: str = "aws") -> Policy:
    """Reads tables and their indexes.

    Args:
        table_names: The tables.
        region_name: Only in this region.
        account_id: Only in this account.
        partition: The partition.

    Raises:
        InvalidPolicyError: No table, or a value that is not what it should be.
    """
    _check("table_names", table_names, _TABLE, "3 to 255 of A-Z a-z 0-9 _ . -")
    arn = _arns("dynamodb", region_name, account_id, partition)
    tables = [arn(f"table/{name}") for name in table_names]
    one = ["dynamodb:BatchGetItem", "dynamodb:DescribeTable", "dynamodb:GetItem"]
    many = ["dynamodb:Query", "dynamodb:Scan"]
    return Policy([_allow(one, tables), _allow(many, [*tables, *(f"{table}/index/*" for table in tables)])])


def secrets_read(*secret_names: str, region_name: str = "*", account_id: str = "*", partition: str = "aws") -> Policy:
    """Reads secrets of Secrets Manager.

    Args:
        secret_names: Their names, without the six characters that AWS puts behind them in an ARN.
        region_name: Only in this region.
        account_id: Only in this account.
        partition: The partition.

    Raises:
        InvalidPolicyError: No secret, or a value that is not what it should be.
    """
    _check("secret_names", secret_names, _SECRET, "1 to 512 of A-Z a-z 0-9 / _ + = . @ -")
    arn = _arns("secretsmanager", region_name, account_id, partition)
    actions = ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"]
    return Policy([_allow(actions, [arn(f"secret:{name}-??????") for name in secret_names])])


def ssm_parameters_read(*names: str, region_name: str = "*", account_id: str = "*", partition: str = "aws") -> Policy:
    """Reads parameters of Systems Manager.

    Args:
        names: Their names; one that ends with "/" is a path, and stands for all that is below it.
        region_name: Only in this region.
        account_id: Only in this account.
        partition: The partition.

    Raises:
        InvalidPolicyError: No name, or a value that is not what it should be.
    """
    _check("names", names, _PARAMETER, "names of A-Z a-z 0-9 _ . - with / between them")
    arn = _arns("ssm", region_name, account_id, partition)
    parameters = [arn(f"parameter/{name.lstrip('/')}{'*' if name.endswith('/') else ''}") for name in names]
    statements = [_allow(["ssm:GetParameter", "ssm:GetParameters"], parameters)]
    # This one is asked about the path alone, which is written without a slash at its end:
    # https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-retrieval-authorization.html
    paths = [arn(f"parameter/{name.strip('/')}{below}") for name in names if name.endswith("/") for below in ("", "/*")]
    statements += [_allow(["ssm:GetParametersByPath"], paths)] if paths else []
    return Policy(statements)


def logs_read(*log_groups: str, region_name: str = "*", account_id: str = "*", partition: str = "aws") -> Policy:
    """Reads and queries log groups of CloudWatch Logs; lists the names of all, which can't be limited.

    Args:
        log_groups: Their names.
        region_name: Only in this region.
        account_id: Only in this account.
        partition: The partition.

    Raises:
        InvalidPolicyError: No log group, or a value that is not what it should be.
    """
    _check("log_groups", log_groups, _LOG_GROUP, "1 to 512 of A-Z a-z 0-9 _ . / # -")
    arn = _arns("logs", region_name, account_id, partition)
    groups = [arn(f"log-group:{name}{rest}") for name in log_groups for rest in ("", ":*")]
    read = ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents", "logs:StartQuery"]
    # A query is known by an id of its own.
    other = ["logs:DescribeLogGroups", "logs:GetQueryResults", "logs:StopQuery"]
    return Policy([_allow(read, groups), _allow(other, ["*"])])


def cloudwatch_read() -> Policy:
    """Reads metrics and the state of alarms: all of them, since metrics are no resources."""
    things = ["DescribeAlarms", "GetMetricData", "GetMetricStatistics", "ListMetrics"]
    return Policy([_allow([f"cloudwatch:{thing}" for thing in things], ["*"])])


def _allow(actions: Iterable[str], resources: Iterable[str], conditions: Conditions | None = None) -> Statement:
    return Statement(effect="Allow", actions=list(actions), resources=list(resources), conditions=conditions or {})


def _check(name: str, values: Iterable[object], pattern: re.Pattern[str], rule: str) -> None:
    chosen = list(values)
    if not chosen:
        msg = f"{name}: at least one is needed"
        raise InvalidPolicyError(msg)
    for value in chosen:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise InvalidPolicyError.invalid(value, name, rule)


def _bucket_arn(bucket: str, partition: str) -> str:
    _check("bucket", [bucket], _BUCKET, "3 to 63 of a-z 0-9 . -, a letter or digit at both ends")
    _check("partition", [partition], _PARTITION, "aws, aws-cn, aws-us-gov, ...")
    return f"arn:{partition}:s3:::{bucket}"


def _arns(service: str, region_name: str, account_id: str, partition: str) -> Callable[[str], str]:
    _check("region_name", [region_name], _REGION, "an AWS region such as eu-west-1, or *")
    _check("account_id", [account_id], _ACCOUNT_ID, "12 digits, or *")
    _check("partition", [partition], _PARTITION, "aws, aws-cn, aws-us-gov, ...")
    return lambda resource: f"arn:{partition}:{service}:{region_name}:{account_id}:{resource}"
