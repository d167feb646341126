from __future__ import annotations

from dataclasses import replace
from typing import Any

import boto3
import pytest

from tests.support.worlds import BATMAN, VEGETA, World
from xsession import AssumeRoleError, InvalidPolicyError, ProvisionError, RoleSpec
from xsession.policies import allow, s3_read, trust
from xsession.provision._changes import Patience
from xsession.testing import FakeClock, Fault, LocalAWS


class HastyClock(FakeClock):
    """A clock on which waiting takes no time, and which remembers each wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, _event: object, timeout: float) -> bool:
        """Lets the time pass."""
        self.waits.append(timeout)
        self.advance(timeout)
        return False


@pytest.fixture
def clock() -> HastyClock:
    """What the tests wait by."""
    return HastyClock()


def spec(**changes: Any) -> RoleSpec:
    """Vegeta's role for Batman."""
    return RoleSpec("BatmanReadsBucket", **{"trust": trust(BATMAN), "permissions": s3_read("levels"), **changes})


def unknown(operation: str, times: int | None) -> Fault:
    """IAM does not know yet what it has just made."""
    message = "The role with name BatmanReadsBucket cannot be found."
    return Fault(service="iam", operation=operation, status=404, code="NoSuchEntity", message=message, times=times)


def refused(times: int | None, code: str = "AccessDenied") -> Fault:
    """STS does not know yet that it may."""
    return Fault(operation="AssumeRole", status=403, code=code, message="not yet", times=times)


def test_patience_ends_and_grows_longer(clock: HastyClock) -> None:
    """The pauses double up to four seconds, and the last one ends with the time."""
    patience = Patience(clock, 10.0)
    while patience.pause():
        pass
    assert clock.waits == [0.5, 1.0, 2.0, 4.0, 2.5]


def test_a_role_that_iam_does_not_know_by_now_is_tried_again(
    local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock
) -> None:
    """IAM takes some seconds to spread what it made."""
    local_aws.fail(unknown("PutRolePolicy", 2))
    spec().apply(admin, clock=clock)
    assert clock.waits == [0.5, 1.0]
    assert not spec().compare(admin)


def test_what_does_not_spread_in_time_is_an_error(local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock) -> None:
    """And applying again completes it."""
    local_aws.fail(unknown("PutRolePolicy", None))
    with pytest.raises(ProvisionError, match="PutRolePolicy of role 'BatmanReadsBucket': NoSuchEntity"):
        spec().apply(admin, timeout=5, clock=clock)
    assert sum(clock.waits) == 5
    local_aws.recover()
    assert spec().apply(admin, clock=clock).differences == ("there are no permissions",)
    assert not spec().compare(admin)


def test_an_older_role_that_is_gone_is_not_waited_for(
    local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock
) -> None:
    """Only one made a moment ago may be unknown for a while."""
    spec(permissions=None).apply(admin)
    local_aws.fail(unknown("PutRolePolicy", None))
    with pytest.raises(ProvisionError, match="NoSuchEntity"):
        spec().apply(admin, clock=clock)
    assert clock.waits == []


def test_a_managed_policy_that_does_not_exist_is_not_waited_for(admin: boto3.Session, clock: HastyClock) -> None:
    """It is a mistake, not a matter of time."""
    wrong = spec(managed_policy_arns=[f"arn:aws:iam::{VEGETA}:policy/NotThere"])
    with pytest.raises(ProvisionError, match=r"AttachRolePolicy .* does not exist or is not attachable"):
        wrong.apply(admin, clock=clock)
    assert clock.waits == []


def test_another_change_is_waited_for(local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock) -> None:
    """IAM refuses two changes at a time."""
    spec(permissions=None).apply(admin)
    local_aws.fail(Fault(service="iam", operation="PutRolePolicy", status=409, code="ConcurrentModification"))
    spec().apply(admin, clock=clock)
    assert clock.waits == [0.5]


def test_it_waits_until_iam_shows_the_role(local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock) -> None:
    """The next reader sees it."""
    spec(permissions=None).apply(admin)
    local_aws.fail(unknown("GetRolePolicy", 2))
    spec().apply(admin, clock=clock)
    assert clock.waits == [0.5, 1.0]


def test_a_role_that_iam_never_shows_is_an_error(local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock) -> None:
    """It says what is missing still, and that it may be tried again."""
    spec(permissions=None).apply(admin)
    local_aws.fail(unknown("GetRolePolicy", None))
    with pytest.raises(ProvisionError, match="after 5 s IAM still shows: there is no role") as caught:
        spec().apply(admin, timeout=5, clock=clock)
    assert caught.value.retryable


def test_it_waits_until_the_caller_can_assume_it(
    local_aws: LocalAWS, batman: boto3.Session, admin: boto3.Session, clock: HastyClock
) -> None:
    """A refusal in the first seconds is no answer yet, nor is a failure that may go away."""
    local_aws.fail(refused(2))
    local_aws.fail(refused(1, code="SomethingUnheardOf"))
    spec().apply(admin, assume_from=batman, clock=clock)
    assert clock.waits == [0.5, 1.0, 2.0]


def test_a_caller_who_is_never_let_in_is_an_error(
    batman: boto3.Session, admin: boto3.Session, clock: HastyClock
) -> None:
    """With AWS's code and request id, and both places where the reason may be."""
    with pytest.raises(ProvisionError, match="can't be assumed from there after 30 s") as caught:
        spec(trust=trust("333333333333")).apply(admin, assume_from=batman, clock=clock)
    error = caught.value
    assert (error.code, error.role_arn) == ("AccessDenied", f"arn:aws:iam::{VEGETA}:role/BatmanReadsBucket")
    assert error.request_id
    assert "RoleSpec.caller_policy" in str(error)
    assert sum(clock.waits) == 30


def test_a_denial_in_the_other_spelling_is_waited_for_too(
    local_aws: LocalAWS, batman: boto3.Session, admin: boto3.Session, clock: HastyClock
) -> None:
    """AWS has two."""
    local_aws.fail(refused(1, code="AccessDeniedException"))
    spec().apply(admin, assume_from=batman, clock=clock)
    assert clock.waits == [0.5]


def test_what_waiting_does_not_fix_is_reported_at_once(
    local_aws: LocalAWS, batman: boto3.Session, admin: boto3.Session, clock: HastyClock
) -> None:
    """STS's own error, as from any session."""
    local_aws.fail(refused(None, code="RegionDisabledException"))
    with pytest.raises(AssumeRoleError, match="RegionDisabledException"):
        spec().apply(admin, assume_from=batman, clock=clock)
    assert clock.waits == []


@pytest.mark.parametrize(
    "options",
    [
        {"external_id": ["agreed-on", "other"]},
        {"role_session_name": "batman-*"},
        {"source_identity": "bruce?*"},
        {"external_id": "agreed-on", "conditions": {"StringLike": {"sts:rolesessionname": "b?t"}}},
    ],
)
def test_the_caller_sends_what_the_trust_policy_asks_for(
    batman: boto3.Session, admin: boto3.Session, clock: HastyClock, options: Any
) -> None:
    """What is asked for is known: it is in the spec."""
    spec(trust=trust(BATMAN, **options)).apply(admin, assume_from=batman, clock=clock)
    assert clock.waits == []


def test_each_statement_is_tried(batman: boto3.Session, admin: boto3.Session, clock: HastyClock) -> None:
    """What one principal is asked for, another may not send."""
    other = trust("333333333333", source_identity="bruce", external_id="agreed-on")
    spec(trust=other + trust(BATMAN)).apply(admin, assume_from=batman, clock=clock)
    assert clock.waits == []


def test_long_term_keys_are_not_tried_where_mfa_is_asked_for(
    local_aws: LocalAWS, batman: boto3.Session, admin: boto3.Session
) -> None:
    """They never have it, and nothing is changed."""
    with pytest.raises(InvalidPolicyError, match=r"MFA \(aws:MultiFactorAuthPresent\)"):
        spec(trust=trust(BATMAN, mfa_required=True)).apply(admin, assume_from=batman)
    assert local_aws.calls == []


def test_a_session_with_mfa_is_tried(
    local_aws: LocalAWS, batman: boto3.Session, admin: boto3.Session, clock: HastyClock
) -> None:
    """It may have what the trust policy asks for."""
    serial = f"arn:aws:iam::{BATMAN}:mfa/bruce"
    local_aws.expect_mfa_code(serial, "123456")
    keys = batman.client("sts").get_session_token(SerialNumber=serial, TokenCode="123456")["Credentials"]
    session: Any = local_aws.session()
    session._session.set_credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    assert spec(trust=trust(BATMAN, mfa_required=True)).apply(admin, assume_from=session, clock=clock).role_arn
    assert clock.waits == []


def test_a_caller_somewhere_else_is_told_at_once(
    batman: boto3.Session, admin: boto3.Session, clock: HastyClock
) -> None:
    """Waiting doesn't bring it there; the role is set up all the same."""
    there = trust(BATMAN, conditions={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    with pytest.raises(ProvisionError, match=r"is set up, .* where and when that is tried \(aws:SourceIp\)") as caught:
        spec(trust=there).apply(admin, assume_from=batman, clock=clock)
    assert (caught.value.code, sum(clock.waits)) == ("AccessDenied", 0)
    assert not spec(trust=there).compare(admin)


def test_a_caller_in_the_right_place_is_let_in(batman: boto3.Session, admin: boto3.Session, clock: HastyClock) -> None:
    """What depends on the place is tried."""
    here = trust(BATMAN, conditions={"IpAddress": {"aws:SourceIp": "127.0.0.1/32"}})
    assert spec(trust=here).apply(admin, assume_from=batman, clock=clock).role_arn
    assert clock.waits == []


def test_another_way_in_is_waited_for(
    local_aws: LocalAWS, batman: boto3.Session, admin: boto3.Session, clock: HastyClock
) -> None:
    """Where one statement depends on the place and another doesn't."""
    local_aws.fail(refused(2))
    there = trust("333333333333", conditions={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    spec(trust=there + trust(BATMAN)).apply(admin, assume_from=batman, clock=clock)
    assert clock.waits == [0.5]


def not_known(operation: str, times: int | None, principal: str = f'"AWS":"arn:aws:iam::{BATMAN}:role/New"') -> Fault:
    """IAM does not know a principal."""
    message, code = f"Invalid principal in policy: {principal}", "MalformedPolicyDocument"
    return Fault(service="iam", operation=operation, times=times, status=400, code=code, message=message)


@pytest.mark.parametrize("operation", ["CreateRole", "UpdateAssumeRolePolicy"])
def test_a_principal_that_was_just_made_is_waited_for(
    local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock, operation: str
) -> None:
    """IAM takes some seconds to know a user or role everywhere."""
    if operation != "CreateRole":
        spec(trust=trust("333333333333")).apply(admin)
    local_aws.fail(not_known(operation, 2))
    assert spec().apply(admin, clock=clock)
    assert clock.waits == [0.5, 1.0]
    assert not spec().compare(admin)


def test_a_principal_that_never_comes_is_an_error_in_time(
    local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock
) -> None:
    """It names the principal, and what to check."""
    local_aws.fail(not_known("CreateRole", None))
    with pytest.raises(ProvisionError, match=r"role/New.*check that every principal of the trust policy exists"):
        spec().apply(admin, timeout=5, clock=clock)
    assert sum(clock.waits) == 5


@pytest.mark.parametrize("message", ['"SERVICE":"ec3.amazonaws.com"', None])
def test_other_mistakes_in_a_trust_policy_are_not_waited_for(
    local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock, message: str | None
) -> None:
    """No service of AWS was made a moment ago."""
    fault = not_known("CreateRole", None, message or "")
    local_aws.fail(fault if message else replace(fault, message="Has prohibited field Resource"))
    with pytest.raises(ProvisionError, match="MalformedPolicyDocument"):
        spec().apply(admin, clock=clock)
    assert clock.waits == []


@pytest.mark.parametrize(
    ("policy", "problem"),
    [
        (
            trust(f"arn:aws:iam::{VEGETA}:oidc-provider/gitlab.com", subject="project_path:wayne/cave:*"),
            "trusts no principal that has AWS credentials",
        ),
        (
            trust(BATMAN, role_session_name="a b"),
            "asks for, role_session_name .a b. is not valid",
        ),
    ],
)
def test_what_can_not_be_tried_is_refused_before_the_network(
    local_aws: LocalAWS, batman: boto3.Session, admin: boto3.Session, policy: Any, problem: str
) -> None:
    """A web identity comes without AWS credentials, and no session has that name."""
    with pytest.raises(InvalidPolicyError, match=problem):
        spec(trust=policy).apply(admin, assume_from=batman)
    assert local_aws.calls == []


def test_the_caller_may_be_an_account_s_session(world: World, admin: boto3.Session, clock: HastyClock) -> None:
    """The trusted side may be a role itself."""
    hub = world.hub.role("Batcave", trusts=BATMAN)
    session = world.session({"hub": hub})
    made = spec(trust=trust(hub)).apply(admin, assume_from=session["hub"], clock=clock)
    assert made.role_arn
    assert clock.waits == []


def test_whom_the_role_trusts_comes_last(local_aws: LocalAWS, admin: boto3.Session) -> None:
    """A new caller never gets what the role could do before."""
    spec(permissions=allow("*")).apply(admin)
    local_aws.clear_calls()
    spec(trust=trust("333333333333"), tags={"a": "b"}, max_session_duration=7200).apply(admin)
    changed = [call.operation for call in local_aws.calls if not call.operation.startswith(("Get", "List"))]
    assert changed == ["UpdateRole", "TagRole", "PutRolePolicy", "UpdateAssumeRolePolicy"]


def test_a_removal_that_failed_is_completed(local_aws: LocalAWS, admin: boto3.Session, clock: HastyClock) -> None:
    """What is gone by then is no reason to stop; what IAM still sees is waited for."""
    spec().apply(admin)
    denied = Fault(service="iam", operation="DeleteRole", status=403, code="AccessDenied", message="no")
    local_aws.fail(denied)
    with pytest.raises(ProvisionError, match="must be allowed iam:DeleteRole on the role"):
        spec().remove(admin, clock=clock)
    local_aws.fail(Fault(service="iam", operation="DeleteRole", status=409, code="DeleteConflict"))
    assert spec().remove(admin, clock=clock)
    assert clock.waits == [0.5]


def test_a_policy_that_is_gone_already_is_no_error(local_aws: LocalAWS, admin: boto3.Session) -> None:
    """Another caller was quicker, or IAM lists it a moment longer."""
    spec().apply(admin)
    local_aws.fail(unknown("DeleteRolePolicy", 1))
    with pytest.raises(ProvisionError, match="DeleteRole of role 'BatmanReadsBucket': DeleteConflict"):
        spec().remove(admin, timeout=0)  # the policy is there, in truth, and so the role can't go
    assert spec().remove(admin)
