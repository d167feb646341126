from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.support.worlds import BATMAN, VEGETA, World
from xsession import (
    CrossAccountSession,
    InvalidPolicyError,
    InvalidRoleError,
    ProvisionError,
    RoleSpec,
)
from xsession.policies import allow, ec2_start_stop, s3_read, same_meaning, trust
from xsession.testing import LocalAWS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "set-up.md"
MANAGED = f"arn:aws:iam::{VEGETA}:policy/Extra"


def spec(name: str = "BatmanReadsBucket", **changes: Any) -> RoleSpec:
    """Vegeta's role for Batman."""
    return RoleSpec(name, **{"trust": trust(BATMAN), "permissions": s3_read("levels"), **changes})


@pytest.fixture
def iam(admin: boto3.Session) -> Any:
    """IAM of Vegeta's account."""
    return admin.client("iam")


def writes(local_aws: LocalAWS) -> list[str]:
    """What was changed in IAM so far."""
    return [
        call.operation
        for call in local_aws.calls
        if call.service == "iam" and not call.operation.startswith(("Get", "List"))
    ]


def test_a_role_is_created_and_assumed(admin: boto3.Session, batman: boto3.Session) -> None:
    """Batman can use it as soon as `apply` is back; the comparison says what was missing, and the ARN."""
    made = spec().apply(admin, assume_from=batman)
    assert made.differences == ("there is no role BatmanReadsBucket",)
    assert made.role_arn == spec().role_arn(VEGETA)
    assert made.role_arn is not None
    with CrossAccountSession({"vegeta": made.role_arn}, session=batman) as xs:
        assert xs.whoami("vegeta").account_id == VEGETA
    assert not spec().compare(admin)


def test_a_second_time_changes_nothing(local_aws: LocalAWS, admin: boto3.Session) -> None:
    """What is as it should be is only read."""
    full = spec(tags={"team": "bats"}, description="for Batman", max_session_duration=timedelta(hours=2))
    full.apply(admin)
    local_aws.clear_calls()
    assert not full.apply(admin)
    assert writes(local_aws) == []


@pytest.mark.parametrize(
    ("changes", "operation", "words"),
    [
        ({"trust": trust("333333333333")}, "UpdateAssumeRolePolicy", "trust: added: Allow sts:AssumeRole to"),
        ({"permissions": s3_read("other")}, "PutRolePolicy", "permissions: removed: Allow s3:GetObject on"),
        ({"permissions": None}, "DeleteRolePolicy", "there are permissions, and should be none"),
        ({"max_session_duration": 7200}, "UpdateRole", "max session duration is 3600 s, not 7200 s"),
        ({"description": "new"}, "UpdateRole", "description is 'old', not 'new'"),
        ({"tags": {"team": "bats"}}, "TagRole", "tag 'team' is None, not 'bats'"),
        ({"permissions_boundary": MANAGED}, "PutRolePermissionsBoundary", "permissions boundary is None, not arn"),
        ({"managed_policy_arns": [MANAGED]}, "AttachRolePolicy", f"policy {MANAGED} is not attached"),
    ],
)
def test_only_what_differs_is_changed(
    local_aws: LocalAWS, admin: boto3.Session, changes: Any, operation: str, words: str
) -> None:
    """One call for one difference, and what the words and the diff say is what happens."""
    admin.client("iam").create_policy(PolicyName="Extra", PolicyDocument=allow("s3:*").to_json())
    spec(description="old").apply(admin)
    changed = spec(**{"description": "old", **changes})
    found = changed.compare(admin)
    assert found
    assert any(words in text for text in found.differences)
    assert found.diff()
    local_aws.clear_calls()
    changed.apply(admin)
    assert writes(local_aws) == [operation]
    assert not changed.compare(admin)


def test_policies_that_are_attached_stay_so(local_aws: LocalAWS, admin: boto3.Session) -> None:
    """Only the missing one is attached."""
    arns = [
        admin.client("iam").create_policy(PolicyName=name, PolicyDocument=allow("s3:*").to_json())["Policy"]["Arn"]
        for name in ("One", "Two")
    ]
    spec(managed_policy_arns=arns[:1]).apply(admin)
    local_aws.clear_calls()
    spec(managed_policy_arns=arns).apply(admin)
    assert writes(local_aws) == ["AttachRolePolicy"]


def test_settings_that_are_not_named_stay(admin: boto3.Session, iam: Any) -> None:
    """Other people's description survives a change of the duration; their tags and boundary too."""
    iam.create_policy(PolicyName="Extra", PolicyDocument=allow("s3:*").to_json())
    spec(description="theirs", tags={"cost": "7"}, permissions_boundary=MANAGED).apply(admin)
    made = spec(max_session_duration=7200).apply(admin)
    assert made.notes == (f"permissions boundary {MANAGED} is left alone", "tag 'cost' is left alone")
    role = iam.get_role(RoleName="BatmanReadsBucket")["Role"]
    assert (role["Description"], role["MaxSessionDuration"]) == ("theirs", 7200)
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == MANAGED


def test_policies_of_others_are_reported_and_left_alone(admin: boto3.Session, iam: Any) -> None:
    """They are notes, no differences; a revocation is named for what it is."""
    iam.create_policy(PolicyName="Extra", PolicyDocument=allow("s3:*").to_json())
    spec().apply(admin)
    iam.attach_role_policy(RoleName="BatmanReadsBucket", PolicyArn=MANAGED)
    for name in ("theirs", "XSessionRevoke-1"):
        iam.put_role_policy(RoleName="BatmanReadsBucket", PolicyName=name, PolicyDocument=allow("s3:*").to_json())
    found = spec(permissions=s3_read("other")).apply(admin)
    assert found.notes == (
        "inline policy 'theirs' is left alone, and adds to what the role may do",
        f"attached policy {MANAGED} is left alone, and adds to what the role may do",
        "inline policy 'XSessionRevoke-1' ends older sessions",
    )
    names = iam.list_role_policies(RoleName="BatmanReadsBucket")["PolicyNames"]
    assert sorted(names) == ["XSessionRevoke-1", "theirs", "xsession"]
    assert not spec(permissions=s3_read("other")).compare(admin)


def test_a_path_is_said_not_changed(local_aws: LocalAWS, admin: boto3.Session) -> None:
    """AWS can't move a role, and we don't make another one silently."""
    spec().apply(admin)
    moved = spec(path="/partners/")
    assert "can't be changed" in moved.compare(admin).differences[0]
    local_aws.clear_calls()
    for act in (moved.apply, moved.remove):
        with pytest.raises(ProvisionError, match="path is /, not /partners/"):
            act(admin)
    assert writes(local_aws) == []


def test_a_role_on_a_path_is_assumed_by_its_full_arn(batman: boto3.Session, admin: boto3.Session) -> None:
    """The path is part of the ARN."""
    made = spec(path="/partners/").apply(admin, assume_from=batman)
    assert made.role_arn == f"arn:aws:iam::{VEGETA}:role/partners/BatmanReadsBucket"


def test_a_role_is_removed(admin: boto3.Session, iam: Any) -> None:
    """With our policies, those attached for us and revocations; where there is none, nothing happens."""
    iam.create_policy(PolicyName="Extra", PolicyDocument=allow("s3:*").to_json())
    ours = spec(managed_policy_arns=[MANAGED])
    ours.apply(admin)
    iam.put_role_policy(
        RoleName="BatmanReadsBucket", PolicyName="XSessionRevoke-1", PolicyDocument=allow("s3:*").to_json()
    )
    assert ours.remove(admin)
    assert not ours.remove(admin)
    assert ours.compare(admin).role_arn is None


def test_what_others_use_is_removed_only_by_force(admin: boto3.Session, iam: Any) -> None:
    """The refusal names all of it, and nothing is changed."""
    iam.create_policy(PolicyName="Extra", PolicyDocument=allow("s3:*").to_json())
    spec().apply(admin)
    iam.attach_role_policy(RoleName="BatmanReadsBucket", PolicyArn=MANAGED)
    iam.put_role_policy(RoleName="BatmanReadsBucket", PolicyName="theirs", PolicyDocument=allow("s3:*").to_json())
    iam.create_instance_profile(InstanceProfileName="servers")
    iam.add_role_to_instance_profile(InstanceProfileName="servers", RoleName="BatmanReadsBucket")
    with pytest.raises(ProvisionError) as caught:
        spec().remove(admin)
    for thing in ("inline policy 'theirs'", f"attached policy {MANAGED}", "instance profile 'servers'", "force=True"):
        assert thing in str(caught.value)
    assert not spec().compare(admin)
    assert spec().remove(admin, force=True)
    assert spec().compare(admin).role_arn is None


def test_the_caller_s_policy_allows_what_the_trust_policy_takes() -> None:
    """Tags and a source identity only where the role takes them."""
    policy = spec(trust=trust(BATMAN, session_tags=["team"])).caller_policy(VEGETA)
    assert policy.to_dict()["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Resource": f"arn:aws:iam::{VEGETA}:role/BatmanReadsBucket",
        }
    ]
    identity = spec(trust=trust(BATMAN, source_identity="bruce"), path="/a/").caller_policy(VEGETA, partition="aws-cn")
    assert identity.statements[0].actions == ("sts:AssumeRole", "sts:SetSourceIdentity")
    assert identity.statements[0].resources == (f"arn:aws-cn:iam::{VEGETA}:role/a/BatmanReadsBucket",)


def test_a_spec_is_a_value() -> None:
    """Equal and hashable, whatever form its policies came in; its repr shows no policy and so no external id."""
    one = spec(trust=trust(BATMAN, external_id="agreed-on"), managed_policy_arns=[MANAGED, MANAGED])
    other = spec(
        trust=trust(BATMAN, external_id="agreed-on").to_dict(),
        permissions=s3_read("levels").to_json(),
        managed_policy_arns=(MANAGED,),
        max_session_duration=timedelta(hours=1),
    )
    assert one == other
    assert len({one, other}) == 1
    assert "agreed-on" not in repr(one)
    assert same_meaning(other.trust, one.trust)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"name": "a b"}, "name 'a b' is not valid: 1 to 64"),
        ({"name": "x" * 65}, "name 'xxx"),
        ({"name": 5}, "name 5"),
        ({"path": "partners"}, "path 'partners'"),
        ({"path": "/a"}, "path '/a'"),
        ({"path": f"/{'a' * 511}/"}, "path '/aaa"),
        ({"description": "a\x00"}, "description"),
        ({"description": "a" * 1001}, "description"),
        ({"permissions_boundary": "x"}, "permissions_boundary 'x'"),
        ({"managed_policy_arns": MANAGED}, "a list of ARNs"),
        ({"managed_policy_arns": ["x"]}, "managed_policy_arns 'x'"),
        ({"max_session_duration": 900}, "max_session_duration 900 is not valid: 3600 to 43200"),
        ({"max_session_duration": timedelta(hours=13)}, "max_session_duration"),
        ({"max_session_duration": True}, "max_session_duration True"),
        ({"max_session_duration": "1h"}, "max_session_duration '1h'"),
        ({"tags": {"aws:x": "y"}}, "tags 'aws:x'"),
        ({"tags": [1]}, "tags"),
    ],
)
def test_what_iam_would_refuse_is_refused(changes: Any, problem: str) -> None:
    """The argument, the value and the rule are named, before any network."""
    with pytest.raises(InvalidRoleError, match=problem):
        spec(**{"name": "Batman", **changes}) if "name" not in changes else spec(**changes)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"trust": s3_read("levels")}, "names its principals"),
        ({"trust": trust(BATMAN, external_id="x" * 2048)}, "IAM takes 2048 at most"),
        ({"trust": "{"}, "not valid JSON"),
        ({"permissions": trust(BATMAN)}, "an inline policy has no Principal"),
        ({"permissions": allow("s3:*", resources=f"arn:aws:s3:::{'b' * 10_240}")}, "IAM takes 10240 at most"),
    ],
)
def test_a_policy_in_the_wrong_place_is_refused(changes: Any, problem: str) -> None:
    """And one that is too long, unless the account's quota was raised."""
    with pytest.raises(InvalidPolicyError, match=problem):
        spec(**changes)
    assert spec(trust=trust(BATMAN, external_id="x" * 8000), trust_policy_quota=8192).name


def test_an_account_session_is_taken(world: World) -> None:
    """The account that sets things up is named there."""
    session = world.session({"vegeta-admin": world.role})
    made = spec(permissions=ec2_start_stop("i-0abc")).apply(session["vegeta-admin"])
    assert made.role_arn == f"arn:aws:iam::{VEGETA}:role/BatmanReadsBucket"


def test_the_page_lists_every_action_that_is_needed(local_aws: LocalAWS, admin: boto3.Session, iam: Any) -> None:
    """A whole life of a role calls nothing that its administrator has not read about."""
    iam.create_policy(PolicyName="Extra", PolicyDocument=allow("s3:*").to_json())
    iam.create_instance_profile(InstanceProfileName="servers")
    local_aws.clear_calls()
    spec().apply(admin)
    full = spec(trust=trust("333333333333"), permissions=None, tags={"a": "b"}, description="x")
    full.apply(admin)
    spec(permissions_boundary=MANAGED, managed_policy_arns=[MANAGED]).apply(admin)
    called = {call.operation for call in local_aws.calls if call.service == "iam"}
    iam.add_role_to_instance_profile(InstanceProfileName="servers", RoleName="BatmanReadsBucket")
    local_aws.clear_calls()
    spec().remove(admin, force=True)
    called |= {call.operation for call in local_aws.calls if call.service == "iam"}
    text = PAGE.read_text(encoding="utf-8")
    assert len(called) == 16
    assert {name for name in called if f"`iam:{name}`" not in text} == set()
