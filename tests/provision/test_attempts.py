from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession import InvalidPolicyError, RoleSpec
from xsession.policies import Policy, Statement, trust
from xsession.provision._attempts import RoleAttempt, attempts

BATMAN = "111111111111"
ACTIONS = ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")


def under(*conditions: Any) -> RoleSpec:
    """A role that trusts Batman, by a statement for each of the conditions."""
    statements = [
        Statement(effect="Allow", principals={"AWS": [BATMAN]}, actions=ACTIONS, conditions=condition)
        for condition in conditions
    ]
    return RoleSpec("R", trust=Policy(statements))


def tried(spec: RoleSpec, *, may_have_mfa: bool = False) -> list[RoleAttempt]:
    """What would be tried."""
    return attempts(spec, may_have_mfa=lambda: may_have_mfa)


@pytest.mark.parametrize(
    ("condition", "missing"),
    [
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "MFA (aws:MultiFactorAuthPresent)"),
        ({"NumericLessThan": {"aws:multifactorauthage": "3600"}}, "MFA (aws:multifactorauthage)"),
        ({"Null": {"aws:MultiFactorAuthAge": "false"}}, "MFA (aws:MultiFactorAuthAge)"),
        ({"StringEquals": {"aws:RequestTag/team": "bats"}}, "session tags (aws:RequestTag/team)"),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": "team"}}, "session tags (aws:TagKeys)"),
        ({"ForAnyValue:StringLike": {"sts:TransitiveTagKeys": "*"}}, "session tags (sts:TransitiveTagKeys)"),
        ({"Null": {"aws:RequestTag/team": "False"}}, "session tags (aws:RequestTag/team)"),
        ({"ArnLike": {"aws:SourceArn": "arn:aws:s3:::b"}}, "sends (aws:SourceArn)"),
        ({"StringEquals": {"aws:SourceOrgID": "o-1"}}, "sends (aws:SourceOrgID)"),
        ({"StringEquals": {"token.actions.githubusercontent.com:sub": "repo:a/b"}}, "githubusercontent.com:sub"),
        (
            {"StringEquals": {"sts:RoleSessionName": "${aws:username}"}},
            "known here (sts:RoleSessionName ${aws:username})",
        ),
        ({"StringEquals": {"sts:ExternalId": "${aws:PrincipalTag/x}"}}, "sts:ExternalId ${aws:PrincipalTag/x}"),
        ({"Null": {"sts:SourceIdentity": "false"}}, "known here (sts:SourceIdentity)"),
    ],
)
def test_what_is_not_sent_is_said(condition: Any, missing: str) -> None:
    """With the key; whatever else the statement asks for."""
    spec = under({"StringNotEquals": {"aws:PrincipalArn": "x"}, **condition})
    with pytest.raises(InvalidPolicyError, match="asks for what can't be sent") as caught:
        tried(spec)
    assert missing in str(caught.value)
    (left,) = tried(under(condition, {}))
    assert left.role.role_session_name == "xsession-provision"


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        ({"StringLikeIfExists": {"sts:RoleSessionName": "ci-*"}}, "ci-xsession"),
        ({"StringEquals": {"sts:RoleSessionName": "ci-1"}, "StringLike": {"sts:RoleSessionName": "ci-*"}}, "ci-1"),
    ],
)
def test_a_session_has_the_name_that_is_asked_for(condition: Any, name: str) -> None:
    """It always has one, so that IfExists asks for it too; of two conditions the one that leaves no choice counts."""
    (attempt,) = tried(under({**condition, "StringEqualsIfExists": {"sts:ExternalId": "x", "sts:SourceIdentity": "y"}}))
    assert (attempt.role.role_session_name, attempt.role.external_id, attempt.role.source_identity) == (
        name,
        None,
        None,
    )


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}},
        {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
        {"Null": {"aws:RequestTag/team": "true"}},
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}},
        {"StringNotEquals": {"aws:RequestTag/team": "jokers"}},
        {"StringEqualsIfExists": {"aws:SourceAccount": BATMAN}},
        {"Bool": {"aws:ViaAWSService": "false"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-1", "aws:PrincipalTag/team": "bats"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}},
        {"StringEquals": {"sts:ExternalId": ["${aws:username}", "agreed-on"]}},
        {"StringNotLike": {"sts:RoleSessionName": "root"}},
    ],
)
def test_what_a_caller_may_meet_is_tried(condition: Any) -> None:
    """Also by sending nothing."""
    (attempt,) = tried(under(condition))
    assert attempt.surroundings == ()


def test_a_session_may_have_mfa() -> None:
    """What it was made with is not known here."""
    spec = RoleSpec("R", trust=trust(BATMAN, mfa_required=True))
    assert len(tried(spec, may_have_mfa=True)) == 1
    with pytest.raises(InvalidPolicyError, match="MFA"):
        tried(spec)


def test_whether_there_is_mfa_is_looked_up_where_it_matters() -> None:
    """It may take a request."""
    assert attempts(under({}), may_have_mfa=lambda: pytest.fail("looked up"))


def test_surroundings_are_named() -> None:
    """However the statement compares them."""
    (attempt,) = tried(
        under({"NotIpAddress": {"aws:SourceIp": "192.0.2.1/32"}, "StringEqualsIfExists": {"AWS:sourcevpce": "vpce-1"}})
    )
    assert attempt.surroundings == ("AWS:sourcevpce", "aws:SourceIp")


KEYS = ("aws:MultiFactorAuthPresent", "aws:RequestTag/a", "aws:SourceArn", "sts:ExternalId", "aws:PrincipalOrgID")
OPERATORS = ("StringEquals", "StringLike", "StringNotEquals", "StringEqualsIfExists", "ForAllValues:StringLike")


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(OPERATORS), st.dictionaries(st.sampled_from(KEYS), st.just("ab"), min_size=1), max_size=3
        ),
        min_size=1,
        max_size=3,
    )
)
def test_what_can_be_met_is_tried_and_nothing_else(conditions: list[Any]) -> None:
    """What is tried sends what is asked for; what asks for more is left out."""
    spec = under(*conditions)
    found = []
    with suppress(InvalidPolicyError):
        found = tried(spec)
    equal = [one.get("StringEquals", {}) | one.get("StringLike", {}) for one in conditions]
    possible = [one for one in equal if not one.keys() & set(KEYS[:3])]
    assert len(found) == len(possible)
    assert [attempt.role.external_id for attempt in found] == [one.get("sts:ExternalId") for one in possible]
