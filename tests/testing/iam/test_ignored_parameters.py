"""What moto forgets of IAM's requests, found by botocore's model of IAM."""

from __future__ import annotations

import inspect
import json
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from moto.iam.responses import IamResponse

from tests.support.worlds import VEGETA, World
from xsession.policies import allow, trust
from xsession.testing._iam._ignored_parameters import _REFUSED, refuse_ignored
from xsession.testing._iam._not_judged import UnknownRequestError

MODEL = botocore.session.Session().get_service_model("iam")
# What the local AWS keeps itself.
KEPT = {("CreateUser", "PermissionsBoundary")}
# Nothing depends on them: all is in one page, an account has one alias, and a deletion is over at once.
HARMLESS = {"Marker", "MaxItems", "AccountAlias", "DeletionTaskId"}
POLICY = f"arn:aws:iam::{VEGETA}:policy/Limit"
GIVEN: dict[str, Any] = {
    "AWSServiceName": "elasticbeanstalk.amazonaws.com",
    "AccountAlias": "vegeta",
    "AssumeRolePolicyDocument": trust(VEGETA).to_dict(),
    "ClientIDList": ["sts.amazonaws.com"],
    "CustomSuffix": "suffix",
    "Description": "of the prince",
    "GroupName": "princes",
    "InstanceProfileName": "profile",
    "MaxSessionDuration": 7_200,
    "Name": "saml",
    "Password": "Over-9000",
    "PasswordResetRequired": True,
    "Path": "/saiyans/",
    "PermissionsBoundary": POLICY,
    "PolicyArn": POLICY,
    "PolicyDocument": allow("ec2:*").to_dict(),
    "PolicyName": "Policy",
    "RoleName": "Prince",
    "SAMLMetadataDocument": "x" * 1_000,
    "SetAsDefault": True,
    "Tags": [{"Key": "team", "Value": "z"}],
    "ThumbprintList": ["0" * 40],
    "Url": "https://ci.example.com",
    "UserName": "vegeta",
    "VirtualMFADeviceName": "device",
}
# What shows more of what was made.
READ_BY = {
    "CreateOpenIDConnectProvider": ("get_open_id_connect_provider", "OpenIDConnectProviderArn"),
    "CreatePolicy": ("get_policy", "PolicyArn"),
}


def parameters(operation: str) -> set[str]:
    """The parameters that AWS's model has."""
    shape = MODEL.operation_model(operation).input_shape
    return set() if shape is None else set(shape.members)


def dropped(operation: str) -> set[str]:
    """The parameters of an operation that moto's code for it does not name; none: moto does not have it."""
    method = getattr(IamResponse, xform_name(operation), None)
    source = "" if method is None else inspect.getsource(method)
    return {name for name in parameters(operation) if f'"{name}"' not in source} if source else set()


def test_what_moto_does_not_read_is_kept_or_refused() -> None:
    """Each parameter of each operation of IAM's: a verdict must not depend on what was forgotten."""
    of_all = {(operation, name) for operation in MODEL.operation_names for name in dropped(operation)}
    refused = {(operation, name) for operation, names in _REFUSED.items() for name in names}
    assert {one for one in of_all - refused - KEPT if one[1] not in HARMLESS} == set()


def test_what_moto_reads_by_now_is_not_refused() -> None:
    """But for what it reads, and forgets."""
    read = {(operation, name) for operation, names in _REFUSED.items() for name in names - dropped(operation)}
    known = {(operation, name) for operation, name in read if name in parameters(operation)}
    assert known == {("CreateLoginProfile", "PasswordResetRequired")}


@pytest.mark.parametrize(
    "operation",
    [name for name in MODEL.operation_names if name.startswith("Create") and hasattr(IamResponse, xform_name(name))],
)
def test_what_is_made_is_made_as_it_was_asked_for(world: World, operation: str) -> None:
    """Whatever of it is in the answer, or in that of the operation that reads it."""
    iam = world.vegeta.root.client("iam")
    iam.create_policy(PolicyName="Limit", PolicyDocument=allow("ec2:*").to_json())
    names = parameters(operation) - _REFUSED.get(operation, set())
    if operation in ("CreateAccessKey", "CreateLoginProfile"):
        iam.create_user(UserName=GIVEN["UserName"])
    given = {name: GIVEN[name] for name in names}
    sent = {name: as_text(value) if name.endswith("Document") else value for name, value in given.items()}
    answer = getattr(iam, xform_name(operation))(**sent)
    seen = flat(answer)
    if operation in READ_BY:
        read, parameter = READ_BY[operation]
        seen |= flat(getattr(iam, read)(**{parameter: seen.get(parameter, seen.get("Arn"))}))
    boundary = seen.pop("PermissionsBoundary", None)
    assert ("PermissionsBoundary" in names) == (boundary is not None)
    assert boundary is None or boundary["PermissionsBoundaryArn"] == POLICY
    shown = given.keys() & seen.keys() - {"Url"}  # IAM shows it without its scheme
    assert {name: seen[name] for name in shown} == {name: given[name] for name in shown}


def as_text(value: Any) -> str:
    """A document as it is sent."""
    return value if isinstance(value, str) else json.dumps(value)


def flat(answer: Any) -> dict[str, Any]:
    """The fields of an answer, and those of what it is about."""
    inner = next((value for value in answer.values() if isinstance(value, dict) and "HTTPStatusCode" not in value), {})
    return {**answer, **inner}


def test_a_request_for_what_would_be_forgotten_ends_the_test() -> None:
    """By the parameter's name, parts of it included."""
    refuse_ignored("CreateVirtualMFADevice", {"VirtualMFADeviceName": "x", "Path": "/"})
    with pytest.raises(UnknownRequestError, match="does not keep Tags of IAM's CreateVirtualMFADevice"):
        refuse_ignored("CreateVirtualMFADevice", {"VirtualMFADeviceName": "x", "Tags.member.1.Key": "a"})
