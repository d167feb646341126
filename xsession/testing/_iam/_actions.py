"""Which IAM actions a request takes, and on which resources.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from xsession._base import frozen

from ._required_actions import RequiredAction

ArnOf = Callable[[str, str], str]

_ON_INSTANCES = frozenset({"StartInstances", "StopInstances", "RebootInstances", "TerminateInstances"})
# Services whose actions are called like their operations, and whose requests say which operation they ask for.
_NAMED_ALIKE = frozenset(
    {"cloudtrail", "dynamodb", "ec2", "iam", "kms", "organizations", "secretsmanager", "sqs", "ssm", "sts"}
)
# By service, how those operations begin that are about no resource.
_WITHOUT_RESOURCE = {"cloudtrail": "Lookup", "ec2": "Describe"}
# Parameters of IAM's requests that name what they are about, and what they name.
_IAM_NAMES = (("RoleName", "role"), ("UserName", "user"))
_IAM_ARNS = ("PolicySourceArn", "PolicyArn", "OpenIDConnectProviderArn", "SAMLProviderArn")
_IAM_LISTS = {"ListRoles": "role", "ListUsers": "user", "ListPolicies": "policy", "ListGroups": "group"}


@frozen
class Asked:
    """A request to a service other than S3.

    Args:
        service: "ec2", ...
        operation: "StopInstances", ...
        parameters: Its fields, where it is a form.
        body: Its payload, where it is JSON.
        region_name: The region that it was signed for.
        account_id: The account that it is made in.
        partition: That account's partition.
    """

    service: str
    operation: str
    parameters: Mapping[str, str]
    body: bytes
    region_name: str
    account_id: str
    partition: str


def required_actions(asked: Asked, arn_of: ArnOf) -> tuple[RequiredAction, ...] | None:
    """What a request needs permission for; None: it is not known.

    Args:
        asked: The request.
        arn_of: The ARN of a "role" or a "user" of the account, by its name.
    """
    if asked.service not in _NAMED_ALIKE:
        return None
    action = f"{asked.service}:{asked.operation}"
    keys = _tag_keys(asked.parameters)
    if asked.service == "ec2":
        keys["ec2:region"] = (asked.region_name,)
        if asked.operation in _ON_INSTANCES:
            start = f"arn:{asked.partition}:ec2:{asked.region_name}:{asked.account_id}:instance/"
            return tuple(RequiredAction(action, start + one, keys) for one in listed(asked.parameters, "InstanceId.{}"))
    return (RequiredAction(action, _resource(asked, arn_of), keys),)


def listed(parameters: Mapping[str, str], pattern: str) -> list[str]:
    """The values of a numbered parameter, such as "InstanceId.{}"."""
    values: list[str] = []
    while (value := parameters.get(pattern.format(len(values) + 1))) is not None:
        values.append(value)
    return values


def _resource(asked: Asked, arn_of: ArnOf) -> str | None:
    if asked.service == "iam":
        return _iam_resource(asked, arn_of)
    if asked.service in ("dynamodb", "sqs"):
        return _json_resource(asked)
    start = _WITHOUT_RESOURCE.get(asked.service)
    return "*" if start is not None and asked.operation.startswith(start) else None


def _iam_resource(asked: Asked, arn_of: ArnOf) -> str | None:
    parameters = asked.parameters
    start = f"arn:{asked.partition}:iam::{asked.account_id}:"
    if asked.operation in _IAM_LISTS:
        return f"{start}{_IAM_LISTS[asked.operation]}{parameters.get('PathPrefix', '/')}"
    if asked.operation == "CreatePolicy":
        return f"{start}policy{parameters.get('Path', '/')}{parameters.get('PolicyName', '')}"
    if asked.operation in ("CreateRole", "CreateUser"):
        kind = asked.operation.removeprefix("Create").lower()
        return f"{start}{kind}{parameters.get('Path', '/')}{parameters.get(f'{kind.title()}Name', '')}"
    for name, kind in _IAM_NAMES:
        if name in parameters:
            return arn_of(kind, parameters[name])
    return next((parameters[name] for name in _IAM_ARNS if name in parameters), None)


def _json_resource(asked: Asked) -> str | None:
    try:
        fields = json.loads(asked.body or b"{}")
    except ValueError:
        return None
    start = f"arn:{asked.partition}:{asked.service}:{asked.region_name}:{asked.account_id}:"
    if asked.service == "dynamodb":
        table = fields.get("TableName")
        if not isinstance(table, str):
            return f"{start}table/*" if asked.operation == "ListTables" else None
        arn = table if table.startswith("arn:") else f"{start}table/{table}"
        return f"{arn}/index/{fields['IndexName']}" if "IndexName" in fields else arn
    queue = fields.get("QueueName") or str(fields.get("QueueUrl", "")).rpartition("/")[2]
    return f"{start}{queue}" if queue else "*" if asked.operation == "ListQueues" else None


def _tag_keys(parameters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    names = listed(parameters, "Tags.member.{}.Key")
    keys: dict[str, tuple[str, ...]] = {
        f"aws:requesttag/{name.lower()}": (parameters.get(f"Tags.member.{number}.Value", ""),)
        for number, name in enumerate(names, start=1)
    }
    if names:
        keys["aws:tagkeys"] = tuple(names)
    return keys
