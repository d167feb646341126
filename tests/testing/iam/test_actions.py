"""The `_required_actions` of services other than S3."""

from __future__ import annotations

import json
from typing import Any

import pytest

from xsession.testing._http._api_request import APIRequest
from xsession.testing._http._body_rules import json_object
from xsession.testing._http._http_request import HTTPRequest
from xsession.testing._http._signatures import Signature
from xsession.testing._iam._actions import required_actions
from xsession.testing._iam._required_actions import RequiredAction
from xsession.testing._iam._trust import Principal

ACCOUNT = "222222222222"
TABLE = f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/t"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/team/Reader"


CALLER = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/prince")


def required(
    service: str, operation: str, parameters: dict[str, str], body: bytes = b""
) -> tuple[RequiredAction, ...] | None:
    """What a request needs permission for."""
    signature = Signature("AKIA1", f"20260101/eu-west-1/{service}/aws4_request", (), "", "", None, presigned=False)
    fields = json_object(body)
    request = APIRequest(
        HTTPRequest("POST", "/", "", {}, body), signature, service, operation, parameters, fields=fields
    )
    return required_actions(request, CALLER, lambda kind, name: f"arn:aws:iam::{ACCOUNT}:{kind}/team/{name}")


def needed(service: str, operation: str, body: Any = None, **parameters: str) -> list[tuple[str, str | None]] | None:
    """The actions and resources that a request takes."""
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    found = required(service, operation, parameters, b"" if body is None else text)
    return None if found is None else [(one.action, one.resource) for one in found]


def test_instances_are_asked_for_one_by_one() -> None:
    """Those that are only described are not."""
    start = f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance"
    asked = {"InstanceId.1": "i-1", "InstanceId.2": "i-2"}
    expected = [("ec2:StopInstances", f"{start}/i-1"), ("ec2:StopInstances", f"{start}/i-2")]
    assert needed("ec2", "StopInstances", **asked) == expected
    assert needed("ec2", "DescribeInstances", **asked) == [("ec2:DescribeInstances", "*")]
    assert needed("ec2", "RunInstances") == [("ec2:RunInstances", None)]


@pytest.mark.parametrize(
    ("operation", "parameters", "resource"),
    [
        ("GetRole", {"RoleName": "Reader"}, ROLE_ARN),
        ("AttachRolePolicy", {"RoleName": "Reader", "PolicyArn": "arn:aws:iam::aws:policy/X"}, ROLE_ARN),
        ("CreateRole", {"RoleName": "New"}, f"arn:aws:iam::{ACCOUNT}:role/New"),
        ("CreateRole", {"RoleName": "New", "Path": "/a/"}, f"arn:aws:iam::{ACCOUNT}:role/a/New"),
        ("ListRoles", {}, f"arn:aws:iam::{ACCOUNT}:role/"),
        ("GetPolicy", {"PolicyArn": "arn:aws:iam::aws:policy/X"}, "arn:aws:iam::aws:policy/X"),
        ("CreatePolicy", {"PolicyName": "P"}, f"arn:aws:iam::{ACCOUNT}:policy/P"),
        ("PutUserPolicy", {"UserName": "u"}, f"arn:aws:iam::{ACCOUNT}:user/team/u"),
        ("SimulatePrincipalPolicy", {"PolicySourceArn": ROLE_ARN}, ROLE_ARN),
        ("GetAccountSummary", {}, None),
    ],
)
def test_iam_names_what_it_is_about(operation: str, parameters: dict[str, str], resource: str | None) -> None:
    """Roles with their paths."""
    assert needed("iam", operation, **parameters) == [(f"iam:{operation}", resource)]


@pytest.mark.parametrize(
    ("service", "operation", "body", "resource"),
    [
        ("cloudtrail", "LookupEvents", {}, "*"),
        ("dynamodb", "GetItem", {"TableName": "t"}, TABLE),
        (
            "dynamodb",
            "Query",
            {"TableName": "t", "IndexName": "i"},
            f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/t/index/i",
        ),
        ("dynamodb", "ListTables", {}, f"arn:aws:dynamodb:eu-west-1:{ACCOUNT}:table/*"),
        ("dynamodb", "TransactGetItems", {"TransactItems": []}, None),
        ("dynamodb", "GetItem", b"{", None),
        ("sqs", "SendMessage", {"QueueUrl": "http://x/222222222222/q"}, f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"),
        ("sqs", "CreateQueue", {"QueueName": "q"}, f"arn:aws:sqs:eu-west-1:{ACCOUNT}:q"),
        ("sqs", "ListQueues", {}, "*"),
        ("kms", "Decrypt", {}, None),
        ("secretsmanager", "DescribeSecret", {"SecretId": "s"}, None),
    ],
)
def test_json_services_name_it_in_their_payload(service: str, operation: str, body: Any, resource: str | None) -> None:
    """Or it is not known."""
    assert needed(service, operation, body) == [(f"{service}:{operation}", resource)]


def test_other_services_are_not_known() -> None:
    """Since their actions may have other names than their operations."""
    assert needed("lambda", "GET") is None


def test_tags_of_a_request_are_condition_keys() -> None:
    """As in CreateRole."""
    parameters = {"RoleName": "R", "Tags.member.1.Key": "Team", "Tags.member.1.Value": "bats"}
    found = required("iam", "CreateRole", parameters)
    assert found is not None
    assert found[0].keys == {"aws:requesttag/team": ("bats",), "aws:tagkeys": ("Team",)}
