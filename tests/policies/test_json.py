from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from xsession import InvalidPolicyError, InvalidRoleError, Role, policies
from xsession.policies import Policy, as_policy
from xsession.policies._json import MAX_DOCUMENT_CHARACTERS

ROLE = "arn:aws:iam::222222222222:role/R"
READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def document(**changes: Any) -> Any:
    """A policy with one statement, and that changed."""
    return {"Version": "2012-10-17", "Statement": {**READ, **changes}}


def compared(value: Any) -> Any:
    """A policy whose condition has this value."""
    return document(Condition={"NumericLessThan": {"aws:MultiFactorAuthAge": value}})


def nested(depth: int, leaf: object, wrap: Callable[[Any], Any]) -> Any:
    """A value within as many others."""
    for _ in range(depth):
        leaf = wrap(leaf)
    return leaf


def endless() -> Any:
    """A mapping and a list that hold each other."""
    inner: list[Any] = []
    outer = {"Statement": inner}
    inner.append(outer)
    return outer


NUMBER = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"aws:x":%s}}}}'
BAD: dict[str, Any] = {
    "brackets": "[" * 100_000,
    "braces": '{"Statement":' * 10_000,
    "too long": " " * MAX_DOCUMENT_CHARACTERS + "{}",
    "too long a string": document(Resource="arn:aws:s3:::" + "x" * MAX_DOCUMENT_CHARACTERS),
    "too many statements": {"Statement": [READ] * MAX_DOCUMENT_CHARACTERS},
    "too many values": compared([1] * MAX_DOCUMENT_CHARACTERS),
    "a long number": NUMBER % ("1" * 5_000),
    "a long fraction": NUMBER % ("0." + "1" * 5_000),
    "a large number": NUMBER % "1e999",
    "NaN": NUMBER % "NaN",
    "infinity": NUMBER % "-Infinity",
    "a long number in Python": compared(10**5_000),
    "NaN in Python": compared(math.nan),
    "infinity in Python": compared(-math.inf),
    "half a character": document(Resource="arn:aws:s3:::\ud800"),
    "half a character in JSON": r'{"Statement":{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::\udfff"}}',
    "half a character as a value": compared("\ud800"),
    "half a character as a key": document(Condition={"StringEquals": {"aws:\ud800": "x"}}),
    "half a character as an unknown key": {"\ud800": 1},
    "bytes": b"{}",
    "bytes as a value": compared(b"1"),
    "bytes as an action": document(Action=b"s3:GetObject"),
    "a mapping as an action": document(Action={"s3:GetObject": 1}),
    "keys that are no strings": {5: 1},
    "a key of 5,000 digits": {10**5_000: 1},
    "no string as an operator": document(Condition={10**5_000: {"aws:x": 1}}),
    "no string as a condition key": document(Condition={"StringEquals": {10**5_000: 1}}),
    "no string as a principal": document(Principal={(): "*"}),
    "a Sid that is none": document(Sid=0),
    "an Id that is no string": {**document(), "Id": []},
    "a cycle": endless(),
    "a deep value": compared(nested(100_000, 1, lambda value: [value])),
    "a deep mapping": document(Condition=nested(5_000, {}, lambda value: {"a": value})),
    # Its repr would have 2 ** 200 characters.
    "a shared value": compared(nested(200, 1, lambda value: [value, value])),
    "a shared statement": {"Statement": nested(200, {}, lambda value: [value, value])},
    "a shared Sid": document(Sid=nested(200, 1, lambda value: (value, value))),
    "a shared version": {**document(), "Version": nested(40, frozenset(), lambda value: frozenset([value, (value,)]))},
    "a key that is there twice": '{"Statement":[],"Statement":[]}',
    "no policy": 5,
}


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_what_iam_would_refuse_is_an_invalid_policy(value: Any) -> None:
    """Whatever is wrong with it; a role says the same."""
    with pytest.raises(InvalidPolicyError) as caught:
        as_policy(value)
    assert len(str(caught.value)) < 1_000
    with pytest.raises(InvalidPolicyError):
        Role(ROLE, policy=value)


CALLS: dict[str, Callable[[], object]] = {
    "JSON that is bytes": lambda: Policy.from_json(b"{}"),  # type: ignore[arg-type]  # bad input
    "statements that are none": lambda: Policy([5]),  # type: ignore[list-item]  # bad input
    "statements that are no list": lambda: Policy(5),  # type: ignore[arg-type]  # bad input
    "resources that are no list": lambda: policies.allow("s3:*", resources=5),  # type: ignore[arg-type]  # bad input
    "conditions that are no mapping": lambda: policies.deny("s3:*", conditions=[]),  # type: ignore[arg-type]  # bad input
    "conditions of a trust policy": lambda: policies.trust("1" * 12, conditions={"Bool": 5}),  # type: ignore[dict-item]  # bad input
    "tags that are no list": lambda: policies.trust("1" * 12, session_tags=5),  # type: ignore[arg-type]  # bad input
    "tags that are no strings": lambda: policies.trust("1" * 12, session_tags=["a", None]),  # type: ignore[list-item]  # bad input
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_calls_that_make_policies_refuse_it_too(call: Callable[[], object]) -> None:
    """Before anything else fails over it."""
    with pytest.raises(InvalidPolicyError):
        call()


def test_the_longest_document_is_read() -> None:
    """White space included."""
    text = Policy.from_dict(document()).to_json()
    assert as_policy(text.ljust(MAX_DOCUMENT_CHARACTERS)) == as_policy(text)


def test_longer_documents_than_iams_api_takes_are_read() -> None:
    """AWS has such policies: AWSSupportServiceRolePolicy has 152,297 characters, where the API takes 131,072."""
    assert len(as_policy(document(Resource=[f"arn:aws:s3:::{n:0200}" for n in range(800)])).to_json()) > 160_000


def test_the_longest_number_is_kept() -> None:
    """As it was written."""
    policy = as_policy(NUMBER % ("9" * 100))
    assert policy.statements[0].conditions["NumericEquals"]["aws:x"] == ("9" * 100,)


WORDS = "Version 2012-10-17 Id Statement Sid Effect Allow Action NotAction s3:* Resource * Principal AWS Condition Bool"
words = st.sampled_from([*WORDS.split(), "Null", "aws:x", "arn:aws:s3:::\ud800", ""])
leaves = words | st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
keys = words | st.text() | st.integers() | st.none() | st.binary()
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys, inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.frozensets(keys, max_size=3)
    ),
    max_leaves=20,
)
statements = st.fixed_dictionaries(
    {}, optional={name: st.just(value) | values for name, value in {**READ, "Sid": "a", "Condition": {}}.items()}
)
documents = values | st.fixed_dictionaries({"Statement": statements | st.lists(statements, max_size=3)})


def refusal(value: Any) -> InvalidPolicyError | None:
    """Why a value is no policy; None: it is one."""
    try:
        as_policy(value)
    except InvalidPolicyError as error:
        return error
    return None


@given(documents)
@example(endless())
def test_any_value_is_a_policy_or_refused(value: Any) -> None:
    """By the one error that callers know, and what is taken can be written, and read again."""
    refused = refusal(value)
    if refused is None:
        policy = as_policy(value)
        assert as_policy(policy.to_json()) == policy
        return
    assert len(str(refused)) < 2_000
    with pytest.raises((InvalidRoleError, InvalidPolicyError)):
        Role(ROLE, policy=value if value is not None else "")


@given(st.text() | documents.filter(lambda value: isinstance(value, dict)).map(str))
def test_any_text_is_a_policy_or_refused(text: str) -> None:
    """JSON or not."""
    refused = refusal(text)
    assert refused is None or len(str(refused)) < 2_000


def test_a_number_with_a_point_is_read() -> None:
    """As a value of a condition."""
    text = '{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"NumericEquals":{"aws:x":1.5}}}}'
    assert "1.5" in Policy.from_json(text).to_json()
