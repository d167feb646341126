from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.policies import Policy, Statement
from xsession.testing._iam._conditions import holds
from xsession.testing._iam._not_judged import UnknownConditionError

CONTEXT = {
    "sts:externalid": ["Agreed"],
    "aws:tagkeys": ["team", "cost"],
    "aws:username": ["bruce"],
    "aws:principalarn": ["arn:aws:iam::111111111111:role/bats/Hub"],
    "aws:sourceip": ["10.1.2.3"],
    "aws:currenttime": ["2026-11-24T12:00:00Z"],
    "aws:epochtime": ["1795521600"],
    "aws:tokenissuetime": ["2026-11-24T11:59:59Z"],
    "aws:multifactorauthage": ["300"],
    "aws:multifactorauthpresent": ["true"],
}


def met(condition: dict[str, Any], version: str = "2012-10-17") -> bool:
    """Whether a condition is met by the request above."""
    statement = Statement(effect="Allow", actions=["sts:*"], resources=["*"], conditions=condition)
    return holds(Policy([statement], version=version), statement, CONTEXT)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"sts:ExternalId": "Agreed"}}, True),
        ({"StringEquals": {"sts:ExternalId": "agreed"}}, False),
        ({"StringEquals": {"sts:ExternalId": "Agr*"}}, False),
        ({"StringEquals": {"sts:ExternalId": ["other", "Agreed"]}}, True),
        ({"StringEqualsIgnoreCase": {"sts:ExternalId": "agreed"}}, True),
        ({"StringNotEquals": {"sts:ExternalId": "Agreed"}}, False),
        ({"StringNotEquals": {"sts:ExternalId": ["Agreed", "other"]}}, False),
        ({"StringNotEqualsIgnoreCase": {"sts:ExternalId": "AGREED"}}, False),
        ({"StringLike": {"sts:ExternalId": "Agr*"}}, True),
        ({"StringLike": {"sts:ExternalId": "agr*"}}, False),
        ({"StringNotLike": {"sts:ExternalId": "x*"}}, True),
        ({"StringEquals": {"sts:ExternalId": "Agreed"}, "Bool": {"aws:MultiFactorAuthPresent": "false"}}, False),
        ({"Bool": {"aws:MultiFactorAuthPresent": "True"}}, True),
    ],
)
def test_strings_are_compared(condition: dict[str, Any], *, expected: bool) -> None:
    """One of the values is enough; all operators must hold."""
    assert met(condition) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"sts:RoleSessionName": "x"}}, False),
        ({"StringNotEquals": {"sts:RoleSessionName": "x"}}, True),
        ({"StringEqualsIfExists": {"sts:RoleSessionName": "x"}}, True),
        ({"StringEqualsIfExists": {"sts:ExternalId": "x"}}, False),
        ({"NumericLessThan": {"aws:PrincipalTag/level": "9000"}}, False),
        ({"Null": {"sts:RoleSessionName": "true"}}, True),
        ({"Null": {"sts:RoleSessionName": False}}, False),
        ({"Null": {"sts:ExternalId": "true"}}, False),
        ({"ForAllValues:StringEquals": {"aws:RequestTag/team": ["x"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:RequestTag/team": ["x"]}}, False),
        ({"ForAnyValue:StringNotEquals": {"aws:RequestTag/team": ["x"]}}, False),
        ({"ForAnyValue:StringEqualsIfExists": {"aws:RequestTag/team": ["x"]}}, True),
    ],
)
def test_a_key_that_the_request_lacks_meets_only_what_denies_or_allows_for_it(
    condition: dict[str, Any], *, expected: bool
) -> None:
    """As AWS documents it for each."""
    assert met(condition) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team", "cost", "more"]}}, True),
        ({"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}}, False),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["team"]}}, True),
        ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["other"]}}, False),
        ({"ForAllValues:StringLike": {"aws:TagKeys": ["*"]}}, True),
        ({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["team"]}}, False),
        ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["team"]}}, True),
    ],
)
def test_keys_of_many_values_ask_for_all_or_for_any(condition: dict[str, Any], *, expected: bool) -> None:
    """Negated ones as well."""
    assert met(condition) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/bats/*"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}, False),
        ({"ArnLike": {"aws:PrincipalArn": "arn:*:*:*:*:*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "*"}}, True),
        ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/bats/*"}}, False),
        ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/${aws:username}/*"}}, False),
        ({"ArnLike": {"aws:UserName": "arn:aws:iam::*:role/x"}}, False),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
        ({"IpAddress": {"aws:SourceIp": ["192.168.0.0/16", "10.1.2.3"]}}, True),
        ({"IpAddress": {"aws:SourceIp": "2001:db8::/32"}}, False),
        ({"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, False),
        ({"IpAddress": {"aws:UserName": "10.0.0.0/8"}}, False),
    ],
)
def test_arns_and_addresses_are_compared_part_by_part(condition: dict[str, Any], *, expected: bool) -> None:
    """A wildcard within an ARN stays in its part."""
    assert met(condition) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-11-24T11:59:59Z"}}, True),
        ({"DateGreaterThan": {"aws:CurrentTime": "2026-11-24T12:00:00Z"}}, False),
        ({"DateGreaterThanEquals": {"aws:CurrentTime": "2026-11-24T12:00:00Z"}}, True),
        ({"DateLessThan": {"aws:TokenIssueTime": "2026-11-24T12:00:00Z"}}, True),
        ({"DateLessThan": {"aws:TokenIssueTime": "2026-11-24T12:59:59+01:00"}}, False),
        ({"DateLessThanEquals": {"aws:EpochTime": "2026-11-24T12:00:00Z"}}, True),
        ({"DateEquals": {"aws:CurrentTime": "1795521600"}}, True),
        ({"DateNotEquals": {"aws:CurrentTime": "1795521600"}}, False),
        ({"DateLessThan": {"aws:CurrentTime": "2026-11-25"}}, True),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "301"}}, True),
        ({"NumericLessThanEquals": {"aws:MultiFactorAuthAge": 300}}, True),
        ({"NumericGreaterThan": {"aws:EpochTime": "1795521600"}}, False),
        ({"NumericEquals": {"aws:MultiFactorAuthAge": "300.0"}}, True),
        ({"NumericNotEquals": {"aws:MultiFactorAuthAge": "300"}}, False),
        ({"NumericLessThan": {"aws:UserName": "5"}}, False),
    ],
)
def test_dates_and_numbers_have_an_order(condition: dict[str, Any], *, expected: bool) -> None:
    """A date is ISO 8601 or seconds since 1970; a value that is none meets nothing."""
    assert met(condition) is expected


@given(st.integers(0, 4_000_000_000))
def test_each_moment_is_before_at_or_after_another(limit: int) -> None:
    """Exactly one of them."""
    names = ("DateLessThan", "DateEquals", "DateGreaterThan")
    assert sum(met({name: {"aws:CurrentTime": str(limit)}}) for name in names) == 1
    assert met({"DateLessThanEquals": {"aws:CurrentTime": str(limit)}}) != met(
        {"DateGreaterThan": {"aws:CurrentTime": str(limit)}}
    )


@given(st.lists(st.sampled_from(["team", "cost", "other"]), min_size=1))
def test_an_operator_and_its_opposite_disagree_on_keys_of_one_value(values: list[str]) -> None:
    """And "any" is the opposite of "all" with the opposite operator."""
    for name in ("StringEquals", "StringLike"):
        opposite = name.replace("String", "StringNot")
        assert met({name: {"sts:ExternalId": values}}) != met({opposite: {"sts:ExternalId": values}})
        some = met({f"ForAnyValue:{name}": {"aws:TagKeys": values}})
        assert some != met({f"ForAllValues:{opposite}": {"aws:TagKeys": values}})


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({}, True),
        ({"StringEquals": {}}, True),
        ({"Moonlike": {}}, True),
        ({"StringEquals": {"aws:UserName": []}}, False),
        ({"StringEquals": {"aws:RequestTag/absent": []}}, False),
        ({"StringEqualsIfExists": {"aws:RequestTag/absent": []}}, True),
        ({"StringEqualsIfExists": {"aws:UserName": []}}, False),
        ({"ForAllValues:StringEquals": {"aws:UserName": []}}, False),
        ({"ForAllValues:StringEquals": {"aws:RequestTag/absent": []}}, True),
        ({"ForAnyValue:StringEquals": {"aws:RequestTag/absent": []}}, False),
    ],
)
def test_what_is_left_empty(condition: dict[str, Any], *, expected: bool) -> None:
    """A block says nothing; a key without values is met by none.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html
    """
    assert met(condition) is expected


def test_values_may_have_variables() -> None:
    """In policies of 2012; in those of 2008 they are plain text."""
    condition = {"StringLike": {"aws:PrincipalArn": "*"}, "StringEquals": {"aws:UserName": "${aws:username}"}}
    assert met(condition)
    assert not met(condition, version="2008-10-17")
    assert met({"StringEqualsIgnoreCase": {"aws:UserName": "${aws:username}"}})
    assert not met({"StringEqualsIgnoreCase": {"aws:UserName": "${aws:SourceIdentity}"}})


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:Moon": "full"}},
        {"StringEqualsIfExists": {"aws:Moon": "full"}},
        {"Null": {"aws:Moon": "true"}},
        {"BinaryEquals": {"aws:UserName": "YQ=="}},
        {"IpAddress": {"aws:SourceIp": "x"}},
        {"IpAddress": {"aws:RequestTag/absent": "x"}},
        {"DateLessThan": {"aws:CurrentTime": "yesterday"}},
        {"NumericLessThan": {"aws:EpochTime": "many"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*"}},
        {"StringEquals": {"aws:UserName": "${aws:Moon}"}},
        {"StringEquals": {"sts:ExternalId": "no", "aws:VpcSourceIp": "127.0.0.1"}},
        {"StringEquals": {"aws:UserName": ["bruce", "${aws:Moon}"]}},
        {"StringNotEquals": {"aws:UserName": []}},
        {"Null": {"aws:UserName": []}},
    ],
)
def test_what_is_not_known_is_not_judged(condition: dict[str, Any]) -> None:
    """Even behind a condition that is false, or a value that is met."""
    with pytest.raises(UnknownConditionError):
        met(condition)
