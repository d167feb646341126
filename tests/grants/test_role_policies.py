from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from xsession import RevocationError
from xsession._iam import RoleIam
from xsession.grants._role_policies import RolePolicies
from xsession.policies import allow

ARN = "arn:aws:iam::222222222222:role/team/Reader"
NAMED = {"RoleName": "Reader"}


@pytest.fixture
def iam() -> Iterator[Stubber]:
    """Answers in the order in which a test puts them; the local AWS lists all policies on one page."""
    client = boto3.client("iam", region_name="eu-west-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="s")
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def policies(iam: Stubber) -> RolePolicies:
    """Those of the role."""
    session: Any = SimpleNamespace(client=lambda _service: iam.client)
    return RolePolicies(RoleIam(session, "Reader"), ARN, "vegeta")


def test_names_come_page_by_page(iam: Stubber) -> None:
    """Until there are no more."""
    iam.add_response("list_role_policies", {"PolicyNames": ["a"], "IsTruncated": True, "Marker": "m"}, NAMED)
    iam.add_response("list_role_policies", {"PolicyNames": ["b"], "IsTruncated": False}, {**NAMED, "Marker": "m"})
    assert policies(iam).names() == ["a", "b"]


def test_a_document_is_text(iam: Stubber) -> None:
    """botocore makes an object of it."""
    answer: dict[str, Any] = {"RoleName": "Reader", "PolicyName": "a", "PolicyDocument": '{"Version": "2012-10-17"}'}
    iam.add_response("get_role_policy", answer, {**NAMED, "PolicyName": "a"})
    assert policies(iam).document("a") == '{"Version":"2012-10-17"}'


def test_a_policy_that_somebody_removed_meanwhile_is_no_error(iam: Stubber) -> None:
    """Neither to read nor to remove."""
    for operation in ("get_role_policy", "delete_role_policy"):
        iam.add_client_error(operation, "NoSuchEntity")
    assert policies(iam).document("a") is None
    policies(iam).delete("a")


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("AccessDenied", "the caller must be allowed iam:{} on the role"),
        ("UnmodifiableEntity", None),
    ],
)
def test_whatever_else_iam_says_is_an_error_with_the_action(iam: Stubber, code: str, hint: str | None) -> None:
    """For each call: which action, AWS's code and words, and for a refusal what to allow."""
    role = policies(iam)
    calls: dict[str, Any] = {
        "GetRole": role.facts,
        "ListRolePolicies": role.names,
        "GetRolePolicy": lambda: role.document("a"),
        "PutRolePolicy": lambda: role.put("a", allow("*")),
        "DeleteRolePolicy": lambda: role.delete("a"),
    }
    methods = {name: method for method, name in iam.client.meta.method_to_api_mapping.items()}
    for operation, call in calls.items():
        iam.add_client_error(methods[operation], code, "no")
        with pytest.raises(RevocationError, match=f"{operation} of role 'Reader': {code}: no") as caught:
            call()
        error = caught.value
        assert (error.code, error.account, error.role_arn) == (code, "vegeta", ARN)
        assert error.hint == (None if hint is None else hint.format(operation))


def test_an_answer_without_a_date_is_an_error(iam: Stubber) -> None:
    """When sessions are to end is counted from it."""
    created = datetime(2030, 1, 1, tzinfo=UTC)
    role = {"Path": "/team/", "RoleName": "Reader", "RoleId": "AROAREADEREXAMPLE", "Arn": ARN, "CreateDate": created}
    iam.add_response("get_role", {"Role": role}, NAMED)
    with pytest.raises(RevocationError, match="does not say when") as caught:
        policies(iam).facts()
    assert caught.value.retryable
