from __future__ import annotations

from typing import Any

import pytest

from xsession._base._frozen_map import FrozenMap
from xsession.activity._attribution import (
    KnownGrant,
    OwnLog,
    Trusts,
    error_code,
    grant_id,
    is_forced,
)
from xsession.audit import AuditRecord
from xsession.policies import Policy, Statement, trust

BATMAN = "111111111111"
ROLE = "arn:aws:iam::222222222222:role/ops/Operator"


# Grants


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("g-4f2a-jane", "4f2a"),
        ("g-4f2a-a-b@c", "4f2a"),
        ("g-4f2a", None),
        ("bruce", None),
        ("xg-1-j", None),
        (None, None),
    ],
)
def test_the_name_of_a_session_tells_its_grant(name: str | None, found: str | None) -> None:
    """g-<id>-<to>."""
    assert grant_id(name) == found


def record(**fields: Any) -> AuditRecord:
    """A record of our own log."""
    return AuditRecord(1, "Granted", None, FrozenMap(fields))


def test_our_own_log_knows_whose_grant_a_key_belongs_to() -> None:
    """Whatever the session's name claims; where the key is not in it, by the name."""
    log = OwnLog(
        [
            record(grant_id="1a"),
            record(grant_id="1a", to="jane@contractor.example", role_session_name="g-1a-jane", access_key_id="ASIA1"),
            record(grant_id="1a", access_key_id="ASIA2"),
            record(grant_id="2b", to="joe"),
            record(access_key_id="ASIA3"),
            record(grant_id=["3c"], to={"x": 1}, access_key_id=7),
        ]
    )
    jane = KnownGrant("1a", "jane@contractor.example", "g-1a-jane")
    assert log.grant_of("ASIA1", "g-2b-joe") == jane
    assert log.grant_of("ASIA2", None) == jane
    assert log.grant_of("ASIA9", "g-2b-joe") == KnownGrant("2b", "joe")
    assert log.grant_of("ASIA3", "g-9z-who") == KnownGrant("9z")
    assert log.grant_of(None, "bruce") is None
    assert log.grant("1a") == jane
    assert log.grant("9z") == KnownGrant("9z")


@pytest.mark.parametrize("rest", [[], ["Granted"], ["GrantFailed"], ["Granted", "GrantFailed", "Revoked"]])
def test_our_own_log_knows_a_grant_from_its_request_on(rest: list[str]) -> None:
    """Whatever became of it: a key that was thrown away is Jane's too."""
    named = {"grant_id": "1a", "to": "jane", "role_session_name": "g-1a-jane"}
    fields: dict[str, dict[str, Any]] = {
        "Granted": {**named, "access_key_id": "ASIA1"},
        "GrantFailed": {"grant_id": "1a", "access_key_id": "ASIA1", "code": None, "message": "no"},
        "Revoked": {"grant_id": "1a"},
    }
    records = [AuditRecord(1, event, None, FrozenMap(fields[event])) for event in rest]
    log = OwnLog([AuditRecord(1, "GrantRequested", None, FrozenMap(named)), *records])
    key_id = "ASIA1" if rest else None
    assert log.grant_of(key_id, "g-1a-jane") == log.grant("1a") == KnownGrant("1a", "jane", "g-1a-jane")


# Enforced


def allowing(*conditions: Any, actions: tuple[str, ...] = ("sts:AssumeRole", "sts:SetSourceIdentity")) -> Policy:
    """A trust policy with an Allow for each of the conditions."""
    return Policy(
        [
            Statement(effect="Allow", principals={"AWS": [BATMAN]}, actions=actions, conditions=condition)
            for condition in conditions
        ]
    )


OWN_NAME = {"StringEquals": {"sts:SourceIdentity": "${aws:username}"}}
BRUCE = {"StringLike": {"STS:sourceidentity": "bruce"}}


@pytest.mark.parametrize(
    ("policy", "forced"),
    [
        (allowing(OWN_NAME), True),
        (allowing({"StringEquals": {"sts:SourceIdentity": "${aws:userName}"}}), True),
        (allowing(BRUCE), True),
        (allowing(BRUCE, BRUCE), True),
        (trust(BATMAN, source_identity="bruce"), True),
        (allowing(BRUCE, {"StringEquals": {"sts:SourceIdentity": "joker"}}), False),
        (allowing({"StringEquals": {"sts:SourceIdentity": ["bruce", "joker"]}}), False),
        (allowing({"StringLike": {"sts:SourceIdentity": "b*"}}), False),
        (allowing({"StringLike": {"sts:SourceIdentity": "*"}}), False),
        (allowing({"StringEquals": {"sts:SourceIdentity": "${aws:RequestTag/who}"}}), False),
        (allowing({"StringEqualsIfExists": {"sts:SourceIdentity": "bruce"}}), False),
        (allowing({"StringNotEquals": {"sts:SourceIdentity": "joker"}}), False),
        (allowing({"StringEquals": {"sts:RoleSessionName": "bruce"}}), False),
        (allowing({}), False),
        (allowing(OWN_NAME, {}), False),
        (allowing(OWN_NAME) + allowing({}, actions=("sts:Set*",)), False),
        (allowing(OWN_NAME) + allowing({}, actions=("*",)), False),
        (allowing(OWN_NAME) + allowing({}, actions=("STS:SETSOURCEIDENTITY",)), False),
        (allowing(OWN_NAME) + allowing({}, actions=("sts:AssumeRole",)), True),
        (allowing({}, actions=("sts:AssumeRole",)), False),
    ],
)
def test_a_source_identity_is_forced_where_no_statement_leaves_a_choice(policy: Policy, forced: bool) -> None:
    """Else it is merely claimed."""
    assert is_forced(policy, "source identity") is forced


def test_a_session_name_is_forced_by_a_condition_of_its_own() -> None:
    """For each way to assume the role."""
    condition = {"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}
    assert is_forced(allowing(condition), "session name")
    assert not is_forced(allowing(OWN_NAME), "session name")
    other_way = allowing({}, actions=("sts:AssumeRoleWithSAML",))
    assert not is_forced(allowing(condition) + other_way, "session name")


def by_service(*actions: str) -> Policy:
    """A trust policy of a role for functions."""
    service = {"Service": ["lambda.amazonaws.com"]}
    return Policy([Statement(effect="Allow", principals=service, actions=actions or ("sts:AssumeRole",))])


@pytest.mark.parametrize(
    ("policy", "forced"),
    [
        (by_service(), None),
        (by_service() + by_service("sts:*"), None),
        (by_service() + allowing({}), False),
        (by_service() + allowing({"StringEquals": {"sts:RoleSessionName": "jane"}}), None),
        (by_service("sts:TagSession") + allowing({"StringEquals": {"sts:RoleSessionName": "jane"}}), True),
    ],
)
def test_what_a_service_named_is_no_persons_claim(policy: Policy, forced: bool | None) -> None:
    """Nor does AWS vouch for it: whoever makes a function called jane gives its sessions that name."""
    assert is_forced(policy, "session name") is forced


def test_statements_that_do_not_allow_it_do_not_count() -> None:
    """A Deny neither forces nor frees; what NotAction allows is a choice."""
    denied = Statement(effect="Deny", principals={"AWS": ["*"]}, actions=["sts:*"])
    assert is_forced(allowing(OWN_NAME) + Policy([denied]), "source identity")
    others = Statement(effect="Allow", principals={"AWS": [BATMAN]}, not_actions=["sts:TagSession"])
    assert not is_forced(allowing(OWN_NAME) + Policy([others]), "source identity")


class Iam:
    """Answers GetRole with one role, or fails."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[str] = []

    def get_role(self, *, RoleName: str) -> Any:  # noqa: N803 # boto3's spelling
        """The role."""
        self.asked.append(RoleName)
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"Role": self.answer}


def test_a_trust_policy_is_read_once() -> None:
    """By the role's name."""
    iam = Iam({"Arn": ROLE, "AssumeRolePolicyDocument": allowing(OWN_NAME).to_dict()})
    trusts = Trusts(lambda: iam)
    assert trusts.of(ROLE) == trusts.of(ROLE) == allowing(OWN_NAME)
    assert iam.asked == ["Operator"]


def test_another_role_of_that_name_says_nothing() -> None:
    """The one that was used is not there any more."""
    iam = Iam({"Arn": "arn:aws:iam::222222222222:role/Operator", "AssumeRolePolicyDocument": allowing({}).to_dict()})
    assert Trusts(lambda: iam).of(ROLE) is None


class Refused(Exception):  # noqa: N818 # stands for botocore's ClientError
    """An answer of AWS."""

    response: Any = {"Error": {"Code": "AccessDenied"}}  # noqa: RUF012 # as botocore has it


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Refused(), "AccessDenied"),
        (OSError(), "OSError"),
        ({"Arn": ROLE, "AssumeRolePolicyDocument": {}}, "InvalidPolicyError"),
    ],
)
def test_a_trust_policy_that_can_not_be_read_is_told(answer: Any, why: str) -> None:
    """And costs no more than the verdict on it."""
    trusts = Trusts(lambda: Iam(answer))
    assert trusts.of(ROLE) is None
    assert trusts.failed == {ROLE: why}
    assert Trusts(None).of(ROLE) is None


@pytest.mark.parametrize("response", [None, {}, {"Error": {}}, {"Error": {"Code": 5}}, "AccessDenied"])
def test_only_aws_has_codes(response: Any) -> None:
    """Whatever an error carries."""
    error = Refused()
    error.response = response
    assert error_code(error) is None
    assert error_code(Refused()) == "AccessDenied"
