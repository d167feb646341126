from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError, ParamValidationError

from xsession.testing import LocalAWS

VEGETA = "222222222222"


@pytest.fixture
def vegeta_roles(local_aws: LocalAWS) -> list[str]:
    """Two roles of Vegeta's, one after the other."""
    vegeta = local_aws.account(VEGETA)
    return [vegeta.role("First", trusts=VEGETA), vegeta.role("Second", trusts=VEGETA, max_session_duration=7_200)]


def test_a_role_is_there_for_iam_as_well(local_aws: LocalAWS, vegeta_roles: list[str]) -> None:
    """Though it was made without a request: with its trust, its permissions and its maximum."""
    iam: Any = local_aws.account(VEGETA).root.client("iam")
    second = iam.get_role(RoleName="Second")["Role"]
    assert {role["Arn"] for role in iam.list_roles()["Roles"]} == set(vegeta_roles)
    assert (second["MaxSessionDuration"], second["Path"]) == (7_200, "/")
    assert second["AssumeRolePolicyDocument"]["Statement"]
    assert iam.get_role_policy(RoleName="Second", PolicyName="permissions")["PolicyDocument"]["Statement"]


@pytest.mark.usefixtures("vegeta_roles")
@pytest.mark.parametrize(
    ("name", "kind", "problem"),
    [
        ("First", ClientError, "EntityAlreadyExists"),
        ("", ParamValidationError, "RoleName"),
    ],
)
def test_what_iam_refuses_is_boto3s_error(local_aws: LocalAWS, name: str, kind: type[Exception], problem: str) -> None:
    """As for a role that a program makes."""
    with pytest.raises(kind, match=problem):
        local_aws.account(VEGETA).role(name, trusts=VEGETA)


def test_a_users_name_differs_by_more_than_case(local_aws: LocalAWS) -> None:
    """In its own case, the user who is there gets a further key."""
    batman = local_aws.account("111111111111")
    first, second = batman.user("bruce"), batman.user("bruce")
    assert first.user_id == second.user_id
    assert first.access_key_id != second.access_key_id
    with pytest.raises(ClientError, match="EntityAlreadyExists"):
        batman.user("Bruce")
