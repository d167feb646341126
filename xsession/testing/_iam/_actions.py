"""Which IAM actions a request takes, and on which resources.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from xsession.testing._http import APIRequest, numbered_values

from ._required_actions import RequiredAction
from ._trust import Principal

ArnOf: TypeAlias = Callable[[str, str], str]

_ON_INSTANCES = frozenset({"StartInstances", "StopInstances", "RebootInstances", "TerminateInstances"})
# Services whose actions have the names of their operations, and whose requests say which operation they ask for.
_NAMED_ALIKE = frozenset(
    {
        "account",
        "cloudtrail",
        "dynamodb",
        "ec2",
        "iam",
        "kms",
        "organizations",
        "secretsmanager",
        "sqs",
        "ssm",
        "sts",
        "tagging",
    }
)
# By service, how those operations begin that are about no resource.
_WITHOUT_RESOURCE = {
    "account": "List",
    "cloudtrail": "Lookup",
    "ec2": "Describe",
    "organizations": "List",
    "tagging": "Get",
}
# Services that sign with another name than their actions have.
_PREFIXES = {"tagging": "tag"}
# Parameters of IAM's requests that name what they are about, and what they name.
_IAM_NAMES = (("RoleName", "role"), ("UserName", "user"))
_IAM_ARNS = ("PolicySourceArn", "PolicyArn", "OpenIDConnectProviderArn", "SAMLProviderArn")
_IAM_LISTS = {"ListRoles": "role", "ListUsers": "user", "ListPolicies": "policy", "ListGroups": "group"}


def required_actions(request: APIRequest, caller: Principal, arn_of: ArnOf) -> tuple[RequiredAction, ...] | None:
    """What a request needs permission for; None: it is not known.

    Args:
        request: The request, to a service other than S3.
        caller: Who calls, and so in which account.
        arn_of: The ARN of a "role" or a "user" of the account, by its name.
    """
    if request.service not in _NAMED_ALIKE:
        return None
    action = f"{_PREFIXES.get(request.service, request.service)}:{request.operation}"
    keys = _tag_keys(request.parameters)
    if request.service == "ec2":
        keys["ec2:region"] = (request.region_name,)
        if request.operation in _ON_INSTANCES:
            start = f"arn:{caller.partition}:ec2:{request.region_name}:{caller.account_id}:instance/"
            names = numbered_values(request.parameters, "InstanceId.{}")
            return tuple(RequiredAction(action, start + name, keys) for name in names)
    return (RequiredAction(action, _resource(request, caller, arn_of), keys),)


def _resource(request: APIRequest, caller: Principal, arn_of: ArnOf) -> str | None:
    if request.service == "iam":
        return _iam_resource(request, caller, arn_of)
    if request.service in ("dynamodb", "sqs"):
        return _json_resource(request, caller)
    start = _WITHOUT_RESOURCE.get(request.service)
    return "*" if start is not None and request.operation.startswith(start) else None


def _iam_resource(request: APIRequest, caller: Principal, arn_of: ArnOf) -> str | None:
    parameters = request.parameters
    start = f"arn:{caller.partition}:iam::{caller.account_id}:"
    if request.operation in _IAM_LISTS:
        return f"{start}{_IAM_LISTS[request.operation]}{parameters.get('PathPrefix', '/')}"
    if request.operation == "CreatePolicy":
        return f"{start}policy{parameters.get('Path', '/')}{parameters.get('PolicyName', '')}"
    if request.operation in ("CreateRole", "CreateUser"):
        kind = request.operation.removeprefix("Create").lower()
        return f"{start}{kind}{parameters.get('Path', '/')}{parameters.get(f'{kind.title()}Name', '')}"
    for name, kind in _IAM_NAMES:
        if name in parameters:
            return arn_of(kind, parameters[name])
    return next((parameters[name] for name in _IAM_ARNS if name in parameters), None)


def _json_resource(request: APIRequest, caller: Principal) -> str | None:
    fields = request.fields
    if fields is None:
        return None
    start = f"arn:{caller.partition}:{request.service}:{request.region_name}:{caller.account_id}:"
    if request.service == "dynamodb":
        table = fields.get("TableName")
        if not isinstance(table, str):
            return f"{start}table/*" if request.operation == "ListTables" else None
        arn = table if table.startswith("arn:") else f"{start}table/{table}"
        return f"{arn}/index/{fields['IndexName']}" if "IndexName" in fields else arn
    queue = fields.get("QueueName") or str(fields.get("QueueUrl", "")).rpartition("/")[2]
    return f"{start}{queue}" if queue else "*" if request.operation == "ListQueues" else None


def _tag_keys(parameters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    names = numbered_values(parameters, "Tags.member.{}.Key")
    keys: dict[str, tuple[str, ...]] = {
        f"aws:requesttag/{name.lower()}": (parameters.get(f"Tags.member.{number}.Value", ""),)
        for number, name in enumerate(names, start=1)
    }
    if names:
        keys["aws:tagkeys"] = tuple(names)
    return keys
