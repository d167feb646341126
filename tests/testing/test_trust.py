from __future__ import annotations

from typing import Any

import pytest

from xsession.policies import Policy
from xsession.testing.trust import Principal, UnknownConditionError, verdict

USER = Principal("111111111111", "arn:aws:iam::111111111111:user/bruce")
ROLE = Principal(
    "111111111111", "arn:aws:sts::111111111111:assumed-role/Hub/name", "arn:aws:iam::111111111111:role/Hub"
)


def judged(principal: Principal = USER, context: dict[str, list[str]] | None = None, **statement: Any) -> bool | None:
    """What a policy of one statement says."""
    whole = {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:AssumeRole", **statement}
    whole = {name: value for name, value in whole.items() if value is not None}
    policy = Policy.from_dict({"Version": "2012-10-17", "Statement": [whole]})
    return verdict(policy, principal, "sts:AssumeRole", context or {})


@pytest.mark.parametrize(
    ("named", "user", "role"),
    [
        ("111111111111", True, True),
        ("arn:aws:iam::111111111111:root", True, True),
        ("arn:aws:iam::111111111111:user/bruce", True, None),
        ("arn:aws:iam::111111111111:role/Hub", None, True),
        ("arn:aws:sts::111111111111:assumed-role/Hub/name", None, True),
        ("222222222222", None, None),
        ("*", True, True),
    ],
)
def test_principals_are_named_by_account_user_role_or_session(named: str, user: bool | None, role: bool | None) -> None:
    """A session is its role's too."""
    assert judged(USER, Principal={"AWS": named}) is user
    assert judged(ROLE, Principal={"AWS": named}) is role


def test_not_principal_names_those_to_whom_it_does_not_apply() -> None:
    """Here: deny to all but one."""
    policy: dict[str, Any] = {"Effect": "Deny", "Principal": None, "NotPrincipal": {"AWS": ["111111111111"]}}
    assert judged(USER, **policy) is None
    assert judged(Principal("2" * 12, f"arn:aws:iam::{'2' * 12}:user/x"), **policy) is False


def test_a_denial_wins() -> None:
    """However many statements allow it."""
    statements = [
        {"Effect": effect, "Principal": {"AWS": "*"}, "Action": "sts:*"} for effect in ("Allow", "Deny", "Allow")
    ]
    policy = Policy.from_dict({"Version": "2012-10-17", "Statement": statements})
    assert verdict(policy, USER, "sts:AssumeRole", {}) is False


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("sts:AssumeRole", True),
        ("STS:assumerole", True),
        ("sts:*", True),
        ("sts:Assume?ole", True),
        ("sts:TagSession", None),
    ],
)
def test_actions_have_wildcards_and_no_case(action: str, expected: bool | None) -> None:
    """As in IAM."""
    assert judged(Action=action) is expected
    assert judged(Action=None, NotAction=[action]) is (None if expected else True)


PRESENT = {"sts:externalid": ["Agreed"], "aws:tagkeys": ["team", "cost"]}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"sts:ExternalId": "Agreed"}}, True),
        ({"StringEquals": {"sts:ExternalId": "agreed"}}, None),
        ({"StringEquals": {"sts:ExternalId": ["other", "Agreed"]}}, True),
        ({"StringEqualsIgnoreCase": {"sts:ExternalId": "agreed"}}, True),
        ({"StringNotEquals": {"sts:ExternalId": "Agreed"}}, None),
        ({"StringNotEqualsIgnoreCase": {"sts:ExternalId": "AGREED"}}, None),
        ({"StringLike": {"sts:ExternalId": "Agr*"}}, True),
        ({"StringLike": {"sts:ExternalId": "agr*"}}, None),
        ({"StringNotLike": {"sts:ExternalId": "x*"}}, True),
        ({"StringEquals": {"sts:RoleSessionName": "x"}}, None),
        ({"StringNotEquals": {"sts:RoleSessionName": "x"}}, True),
        ({"StringEqualsIfExists": {"sts:RoleSessionName": "x"}}, True),
        ({"Null": {"sts:RoleSessionName": "true"}}, True),
        ({"Null": {"sts:ExternalId": "true"}}, None),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost", "more"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, None),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, True),
        ({"ForAllValues:StringLike": {"aws:TagKeys": ["*"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:RequestTag/team": ["x"]}}, True),
        ({"StringEquals": {"sts:ExternalId": "Agreed"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}}, None),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}, None),
    ],
)
def test_conditions_are_judged_as_iam_does(condition: dict[str, Any], expected: bool | None) -> None:
    """Keys that the request lacks included."""
    assert judged(context=PRESENT, Condition=condition) is expected


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:Moon": "full"}},
        {"IpAddress": {"aws:CurrentTime": "x"}},
        {"StringEquals": {"sts:ExternalId": "no", "aws:SourceIp": "127.0.0.1"}},
    ],
)
def test_what_is_not_known_is_not_judged(condition: dict[str, Any]) -> None:
    """Even behind a condition that is false."""
    with pytest.raises(UnknownConditionError):
        judged(context=PRESENT, Condition=condition)
