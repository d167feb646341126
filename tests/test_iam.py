from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from tests.support.worlds import BATMAN, World
from xsession import ProvisionError, RoleSpec
from xsession._iam import RoleIam
from xsession.policies import allow, trust
from xsession.testing import Fault, LocalAWS

SPEC = RoleSpec("Reader2", trust=trust(BATMAN), permissions=allow("s3:*"))


def failing(local_aws: LocalAWS, code: str, message: str = "made to fail", operation: str = "CreateRole") -> None:
    """IAM refuses an operation."""
    local_aws.fail(Fault(service="iam", operation=operation, status=403, code=code, message=message, times=None))


@pytest.mark.parametrize(
    ("message", "action"),
    [
        (
            "User: arn:aws:iam::222222222222:user/a is not authorized to perform: iam:TagRole on resource: x",
            "iam:TagRole",
        ),
        ("no", "iam:CreateRole"),
        ("not authorized to perform: iam:TagRole with an explicit deny in a service control policy", "iam:TagRole"),
    ],
)
def test_a_denial_names_the_action_that_is_missing(
    local_aws: LocalAWS, admin: boto3.Session, message: str, action: str
) -> None:
    """The one that AWS names, else that of the call; with AWS's code and request id."""
    failing(local_aws, "AccessDenied", message)
    with pytest.raises(ProvisionError, match=f"the caller must be allowed {action} on the role") as caught:
        SPEC.apply(admin)
    assert caught.value.code == "AccessDenied"
    assert caught.value.request_id
    assert not caught.value.retryable
    assert ("and a policy denies it" in str(caught.value)) == ("explicit deny" in message)


@pytest.mark.parametrize(
    ("code", "hint", "retryable"),
    [
        ("EntityAlreadyExists", "apply again", True),
        ("LimitExceeded", "raise the IAM quota", False),
        ("MalformedPolicyDocument", "check that every principal of the trust policy exists", False),
        ("MalformedPolicyDocumentException", "check that every principal of the trust policy exists", False),
    ],
)
def test_other_refusals_say_what_to_do(
    local_aws: LocalAWS, admin: boto3.Session, code: str, hint: str, *, retryable: bool
) -> None:
    """And whether the same may work later."""
    failing(local_aws, code)
    with pytest.raises(ProvisionError, match=hint) as caught:
        SPEC.apply(admin)
    assert caught.value.retryable is retryable


def test_a_refusal_to_list_is_ours_too(local_aws: LocalAWS, admin: boto3.Session) -> None:
    """Reading is in several calls, each of which may be refused."""
    SPEC.apply(admin)
    failing(local_aws, "AccessDenied", operation="ListAttachedRolePolicies")
    with pytest.raises(ProvisionError, match="allowed iam:ListAttachedRolePolicies"):
        SPEC.compare(admin)


def test_a_session_without_credentials_is_said(local_aws: LocalAWS) -> None:
    """botocore's own errors are ours as well."""
    with pytest.raises(ProvisionError, match=r"GetRole of role 'Reader2': .*credentials"):
        SPEC.compare(local_aws.session())


def test_an_account_session_s_name_is_in_the_error(world: World) -> None:
    """With many accounts, the error must say in which one."""
    failing(world.aws, "AccessDenied")
    session = world.session({"vegeta-admin": world.role})
    with pytest.raises(ProvisionError, match="account 'vegeta-admin': CreateRole"):
        SPEC.apply(session["vegeta-admin"])


def test_a_policy_that_can_not_be_read_differs(admin: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is reported and replaced, not tripped over."""
    SPEC.apply(admin)
    iam: Any = RoleIam(admin, "Reader2")
    real = iam.call

    def call(method: str, **parameters: Any) -> Any:
        answer = real(method, **parameters)
        if method == "get_role":
            answer["Role"]["AssumeRolePolicyDocument"] = {"Statement": {"Effect": "Allow", "Novelty": "x"}}
        return answer

    monkeypatch.setattr(RoleIam, "call", lambda _self, method, **parameters: call(method, **parameters))
    found = SPEC.compare(admin)
    assert found.differences == ("trust: in a form that can't be read",)
    assert "Novelty" in found.diff()


def test_all_pages_are_read(admin: boto3.Session) -> None:
    """A role may have more policies than fit on one page; moto has one page only."""
    SPEC.apply(admin)
    client = admin.client("iam")
    role = client.get_role(RoleName="Reader2")
    role["Role"]["AssumeRolePolicyDocument"] = trust(BATMAN).to_json()
    pages = [
        {"PolicyNames": ["a"], "IsTruncated": True, "Marker": "m"},
        {"PolicyNames": ["b"], "IsTruncated": False},
    ]
    with Stubber(client) as stubber:
        stubber.add_response("get_role", role)
        stubber.add_response("list_role_policies", pages[0], {"RoleName": "Reader2"})
        stubber.add_response("list_role_policies", pages[1], {"RoleName": "Reader2", "Marker": "m"})
        stubber.add_response("list_attached_role_policies", {"AttachedPolicies": []})
        session: Any = SimpleNamespace(client=lambda _service_name: client)
        state = RoleIam(session, "Reader2").read()
    assert state is not None
    assert state.other_policies == ("a", "b")


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "ServiceUnavailable", "InternalFailure"])
def test_what_passes_by_itself_is_retryable(code: str) -> None:
    """Whichever of its names AWS uses."""
    client = boto3.client("iam", region_name="us-east-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="s")
    session: Any = SimpleNamespace(client=lambda _service: client)
    with Stubber(client) as stubber:
        stubber.add_client_error("get_role", code)
        with pytest.raises(ProvisionError) as caught:
            RoleIam(session, "Reader").call("get_role")
    assert caught.value.retryable
