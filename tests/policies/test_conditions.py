from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.policies import Policy, Statement
from xsession.policies._conditions import RequestKeys, is_met
from xsession.testing._iam._conditions import holds
from xsession.testing._iam._not_judged import UnknownConditionError

NAME = "sts:RoleSessionName"
KEY = NAME.lower()

TEXTS = st.sampled_from(["a", "A", "ab", "b*", "*", "?", "a?", "", "true", "false", "5", "7", "2026-01-01T00:00:00Z"])
PATTERNS = TEXTS | st.sampled_from(
    [
        "${aws:username}",
        "${aws:username}*",
        "${*}",
        "${aws:userid, 'a'}",
        "arn:aws:iam::1:a/*",
        "arn:aws:iam::*:a/b",
        "x:y",
    ]
)
OPERATORS = st.sampled_from(
    [
        "StringEquals",
        "StringNotEquals",
        "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
        "StringLike",
        "StringNotLike",
        "ArnLike",
        "ArnNotLike",
        "ArnEquals",
        "Bool",
        "NumericEquals",
        "NumericLessThan",
        "NumericNotEquals",
        "DateGreaterThan",
        "DateNotEquals",
        "Null",
    ]
)
NAMES = st.builds(
    lambda qualifier, name, suffix: f"{qualifier}{name}{'' if name == 'Null' else suffix}",
    st.sampled_from(["", "ForAllValues:", "ForAnyValue:"]),
    OPERATORS,
    st.sampled_from(["", "IfExists"]),
)
VALUES = st.lists(TEXTS | st.just("arn:aws:iam::1:a/b"), max_size=3)


def keys_of(values: list[str], user: list[str]) -> dict[str, tuple[str, ...]]:
    """All keys that the patterns ask for, those that the request lacks without values."""
    return {KEY: tuple(values), "aws:username": tuple(user), "aws:userid": ()}


def truth(name: str, wanted: list[str], keys: dict[str, tuple[str, ...]], version: str) -> bool | None:
    """What the local AWS says, which is written apart from ours; None: it does not judge it."""
    statement = Statement(effect="Allow", actions=["s3:*"], resources=["*"], conditions={name: {NAME: wanted}})
    try:
        return holds(
            Policy([statement], version=version), statement, {key: values for key, values in keys.items() if values}
        )
    except UnknownConditionError:
        return None


@given(NAMES, st.lists(PATTERNS, max_size=3), VALUES, st.lists(TEXTS, max_size=1), st.booleans())
def test_verdicts_are_those_of_the_local_aws(
    name: str, wanted: list[str], values: list[str], user: list[str], variables: bool
) -> None:
    """Wherever both of them judge a condition."""
    keys = keys_of(values, user)
    verdict = is_met(name, NAME, wanted, RequestKeys(keys), variables=variables)
    said = truth(name, wanted, keys, "2012-10-17" if variables else "2008-10-17")
    assert verdict is None or said is None or verdict is said


@given(NAMES, st.lists(PATTERNS, max_size=3), VALUES, st.lists(TEXTS, max_size=1), st.data())
def test_what_is_not_known_is_never_guessed(
    name: str, wanted: list[str], values: list[str], user: list[str], data: st.DataObject
) -> None:
    """With less known, a verdict stays as it was, or becomes none."""
    keys = keys_of(values, user)
    left = data.draw(st.sets(st.sampled_from(sorted(keys))))
    whole = is_met(name, NAME, wanted, RequestKeys(keys))
    part = is_met(name, NAME, wanted, RequestKeys({key: keys[key] for key in left}))
    assert part is None or part is whole


@pytest.mark.parametrize(
    ("name", "values", "verdict"),
    [
        ("StringEquals", ["a"], False),
        ("StringEquals", [], False),
        ("StringEqualsIfExists", [], True),
        ("ForAllValues:StringEquals", [], True),
        ("ForAnyValue:StringLike", ["a"], False),
        ("StringNotEquals", ["a"], None),
        ("ForAllValues:ArnNotLikeIfExists", ["a"], None),
        ("Null", [], None),
    ],
)
def test_a_key_without_values_is_met_by_none(name: str, values: list[str], verdict: bool | None) -> None:
    """AWS says so of what looks for sameness or order, and nothing of the rest."""
    assert is_met(name, NAME, [], RequestKeys({KEY: values})) is verdict


@pytest.mark.parametrize(
    ("name", "wanted", "values"),
    [
        ("BinaryEquals", "YQ==", ["a"]),
        ("IpAddress", "10.0.0.0/8", ["10.1.1.1"]),
        ("NumericLessThan", "many", ["1"]),
        ("DateLessThan", "soon", ["1"]),
        ("ArnLike", "arn:aws:iam::${aws:username}:a/*", ["arn:aws:iam::1:a/b"]),
        ("StringEquals", "${aws:PrincipalTag/team}", ["a"]),
        ("StringEquals", "${}", ["a"]),
    ],
)
def test_what_can_not_be_judged_is_no_verdict(name: str, wanted: str, values: list[str]) -> None:
    """An operator, a value or a variable that is not known here."""
    assert is_met(name, NAME, [wanted], RequestKeys({KEY: values})) is None


def test_a_key_that_is_not_known_is_no_verdict() -> None:
    """Not even for Null; a tag that the request is known to lack is one."""
    assert is_met("StringEquals", "aws:PrincipalOrgID", ["o-1"], RequestKeys({})) is None
    assert is_met("Null", "aws:SourceIp", ["true"], RequestKeys({})) is None
    assert is_met("Null", "aws:RequestTag/Team", ["true"], RequestKeys({})) is True
    assert is_met("Null", "aws:RequestTag/Team", ["true"], RequestKeys({}, all_tags=False)) is None


@pytest.mark.parametrize(
    ("name", "wanted", "met"),
    [
        ("DateLessThan", "2026-01-01T00:00:00Z", True),
        ("DateGreaterThan", "1764633600", False),
        ("DateGreaterThan", "2025-11-01", True),
        ("NumericGreaterThanEquals", "7", False),
    ],
)
def test_dates_and_numbers_are_compared_as_such(name: str, wanted: str, met: bool) -> None:
    """ISO 8601, without a zone UTC, and seconds since 1970."""
    values: Any = ["2025-12-01T00:00:00Z"] if name.startswith("Date") else ["6.5"]
    assert is_met(name, NAME, [wanted], RequestKeys({KEY: values})) is met


def test_an_arn_pattern_of_one_star_means_all() -> None:
    """Even what is no ARN."""
    assert is_met("ArnLike", NAME, ["*"], RequestKeys({KEY: ["bruce"]})) is True


@pytest.mark.parametrize(
    ("wanted", "value", "met"),
    [
        ("${*}", "*", True),
        ("${*}", "bruce", False),
        ("${aws:username}", "bruce", True),
        ("${aws:username}s", "bruce", False),
        ("${aws:userid, 'nobody'}", "nobody", True),
        ("${aws:userid}", "nobody", False),
    ],
)
def test_policy_variables_stand_for_what_the_request_has(wanted: str, value: str, met: bool) -> None:
    """A sign that would be a wildcard, a key's value, or the policy's own value for a key that the request lacks."""
    keys = RequestKeys(keys_of([value], ["bruce"]))
    assert is_met("StringLike", NAME, [wanted], keys) is met


@pytest.mark.parametrize(
    ("wanted", "value", "met"),
    [
        ("arn:aws:iam::*:role/b*", "arn:aws:iam::1:role/bat", True),
        ("arn:aws:iam::*", "arn:aws:iam::1:role/bat", None),
        ("arn:*:role/bat", "arn:aws:iam::1:role/bat", None),
        ("arn:aws:iam::1:role/bat", "bruce", False),
    ],
)
def test_an_arn_is_compared_part_by_part(wanted: str, value: str, met: bool | None) -> None:
    """A wildcard stays within its part; a pattern with fewer parts is none that can be judged."""
    assert is_met("ArnLike", NAME, [wanted], RequestKeys({KEY: [value]})) is met


@pytest.mark.parametrize(
    ("name", "met"),
    [
        ("StringEquals", False),
        ("StringEqualsIfExists", True),
        ("ForAllValues:StringEquals", True),
        ("StringNotEquals", True),
    ],
)
def test_a_key_that_the_request_lacks(name: str, met: bool) -> None:
    """Equals nothing; is no obstacle where the operator says so, asks of all values, or is negated."""
    assert is_met(name, NAME, ["bruce"], RequestKeys({KEY: []})) is met


def test_a_hostile_pattern_is_judged_too() -> None:
    """No matter who wrote the trust policy, the diagnosis comes to an end."""
    keys = RequestKeys({"sts:rolesessionname": ("a" * 60 + "b",)})
    assert is_met("StringLike", "sts:RoleSessionName", ["*a" * 1_000], keys) is False
    assert is_met("StringLike", "sts:RoleSessionName", ["*a" * 50 + "*"], keys) is True
