from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.statements import statements
from xsession.errors import InvalidPolicyError
from xsession.policies import Policy, Statement

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "111111111111"}}


def document(*entries: dict[str, Any], **top: Any) -> dict[str, Any]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": list(entries), **top}


@given(st.lists(statements(), min_size=1, max_size=4))
def test_json_and_back_is_the_same_policy(entries: list[Statement]) -> None:
    """Nothing is lost or changed on the way through IAM's JSON, whatever the policy."""
    policy = Policy(entries)
    assert Policy.from_json(policy.to_json()) == policy
    assert Policy.from_dict(policy.to_dict()) == policy
    assert hash(Policy.from_json(policy.to_json(indent=2))) == hash(policy)


@given(statements(), statements())
def test_policies_add_up(first: Statement, second: Statement) -> None:
    """`+` puts the statements of both into one policy."""
    assert (Policy([first]) + Policy([second])).statements == (first, second)


def test_order_and_repetition_say_nothing() -> None:
    """Two spellings of one statement are equal."""
    one = Policy.from_dict(document({**READ, "Action": ["s3:b", "s3:a", "s3:b"]}))
    other = Policy.from_dict(document({**READ, "Action": ["s3:a", "s3:b"]}))
    assert one == other


def test_the_size_is_that_of_the_compact_json() -> None:
    """AWS's limits count characters without white space."""
    policy = Policy.from_dict(document(READ))
    assert policy.size == len(json.dumps(document(READ), separators=(",", ":")))
    assert policy.to_json(indent=2).startswith("{\n  ")
    assert "s3:GetObject" in repr(policy)


@pytest.mark.parametrize(
    "entry",
    [
        {**TRUST, "Principal": "*"},
        {**TRUST, "Principal": {"Service": ["ec2.amazonaws.com"], "Federated": "accounts.google.com"}},
        {"Effect": "Deny", "NotPrincipal": {"AWS": ["arn:aws:iam::111111111111:role/x"]}, "Action": "sts:*"},
        {**TRUST, "Resource": "*"},
        {**READ, "Sid": "A1"},
        {**READ, "Sid": ""},
        {**READ, "Condition": {"NumericLessThan": {"s3:max-keys": 5}, "Bool": {"aws:SecureTransport": True}}},
    ],
)
def test_what_iam_takes_is_taken(entry: dict[str, Any]) -> None:
    """Each form of IAM's grammar is read, and written so that IAM means the same."""
    policy = Policy.from_dict(document(entry))
    assert Policy.from_dict(policy.to_dict()) == policy


@pytest.mark.parametrize(
    "change",
    [
        {"Resource": "arn:aws:sqs"},
        {"Resource": ["arn:aws:cloudfront:*", "arn:aws:iam::*", "arn:aws:organizations::*:", "arn:aws:fdsasf"]},
        {"Resource": ["arn:aws:s3:::b", None]},
        {"Resource": "arn:*:s3:::b"},
        {"Action": "*:*"},
        {"Action": "iam: asdf safdsf af "},
        {"Action": ["service-prefix:action-name", "s3.s:ListBucket"]},
        {"Condition": {}},
        {"Condition": {"StringEquals": {}}},
        {"Condition": {"x": {}, "y": {}}},
        {"Condition": {"DateGreaterThan": {"aws:CurrentTime": []}}},
        {"Condition": {"StringEqualsIfExists": {"a": "asf"}}},
        {"Condition": {"StringEquals": {"aws:ResourceTag/Cost Center": "7", "aws:RequestTag/a:b/\u00e9 \u00fc": "x"}}},
        {"Principal": {"Service": "ec2.c2s.ic.gov"}},
        {"Principal": {}},
        {"Principal": {"AWS": []}},
        {"NotPrincipal": {}},
    ],
)
def test_what_iam_stores_is_read(change: dict[str, Any]) -> None:
    """Whoever wrote it may not have meant it: that is for those who write policies, not for those who read them."""
    policy = Policy.from_dict(document({**READ, **change}))
    assert Policy.from_json(policy.to_json()) == policy


def test_one_statement_needs_no_list() -> None:
    """IAM takes a statement by itself too; without a Version it means the older language."""
    policy = Policy.from_dict({"Statement": READ})
    assert (len(policy.statements), policy.version) == (1, "2008-10-17")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "not valid JSON"),
        ("[]", "an object with Version and Statement, not list"),
        ('{"Statement": [], "Statement": []}', "the key 'Statement' twice"),
        ('{"Statment": []}', "unknown key 'Statment'; did you mean Statement?"),
        ('{"Zebra": 1}', "unknown key 'Zebra'; use one of Version, Id, Statement"),
        ('{"Statement": []}', "at least one statement"),
        ('{"Statement": "x"}', "Statement 'x' is not valid"),
        ('{"Statement": 5}', "Statement 5 is not valid"),
        ('{"Statement": ["x"]}', "statement 1 'x' is not valid: an object"),
        ('{"Statement": [{"Action": "s3:*"}]}', "statement 1 has no Effect"),
        ('{"Version": "2020-01-01", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}', "Version"),
    ],
)
def test_what_is_no_document_is_refused(text: str, problem: str) -> None:
    """The message says what is wrong, and with a close match where there is one."""
    with pytest.raises(InvalidPolicyError) as caught:
        Policy.from_json(text)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"Effect": "allow"}, "Effect 'allow'"),
        ({"Sid": "a b"}, "Sid 'a b'"),
        ({"Action": "GetObject"}, "actions 'GetObject' is not valid: * or <service>:<action>"),
        ({"Action": 5}, "actions 5 is not valid: a list"),
        ({"Action": [5]}, "actions 5 is not valid: * or"),
        ({"Action": []}, "either Action or NotAction"),
        ({"NotAction": "s3:*"}, "either Action or NotAction"),
        ({"Resource": "bucket"}, "resources 'bucket' is not valid: * or an ARN"),
        ({"Resource": []}, "either Resource or NotResource"),
        ({"NotResource": "*"}, "either Resource or NotResource"),
        ({"Principal": 5}, "principals 5 is not valid"),
        ({"Principal": {"Aws": "*"}}, "principals 'Aws' is not valid: a mapping of AWS, Service"),
        ({"Principal": {"AWS": "bruce"}}, "principals 'bruce' is not valid: an account id"),
        ({"Principal": {"AWS": "*"}, "NotPrincipal": {"AWS": "*"}}, "either Principal or NotPrincipal"),
        ({"Principal": {"AWS": "*"}, "NotResource": "*"}, "either Resource or NotResource"),
        ({"Condition": []}, "Condition [] is not valid"),
        ({"Condition": {"StringEqual": {"aws:a": "b"}}}, "'StringEqual' is not known; did you mean StringEquals?"),
        ({"Condition": {"Zzz": {"aws:a": "b"}}}, "'Zzz' is not known"),
        ({"Condition": {5: {"aws:a": "b"}}}, "condition operator 5 is not known"),
        ({"Condition": {"NullIfExists": {"aws:a": "true"}}}, "'NullIfExists' is not known"),
        ({"Condition": {"Bool": 5}}, "Condition Bool (not shown) is not valid: an object"),
        ({"Condition": {"": {}}}, "condition operator '' is not known"),
        ({"Resource": [None]}, "either Resource or NotResource"),
        ({"Resource": "arn:aws"}, "resources 'arn:aws' is not valid"),
        ({"Resource": "arn:aws::x"}, "resources 'arn:aws::x' is not valid"),
        ({"Action": "s3:Get:Object"}, "actions 's3:Get:Object' is not valid"),
        ({"Action": "a a:GetObject"}, "actions 'a a:GetObject' is not valid"),
        ({"Principal": {"Service": "lambda"}}, "principals 'lambda' is not valid: a service"),
        ({"Condition": {"Bool": {"aws:a": {}}}}, "condition key 'aws:a' (not shown) is not valid: strings"),
    ],
)
def test_what_iam_refuses_is_refused(change: dict[str, Any], problem: str) -> None:
    """The message names the statement, the place and the rule."""
    with pytest.raises(InvalidPolicyError) as caught:
        Policy.from_dict(document(READ, {**READ, **change}))
    assert "statement 2: " in str(caught.value)
    assert problem in str(caught.value)


def test_a_sid_is_unique() -> None:
    """Two statements with one identifier are refused, as IAM does."""
    with pytest.raises(InvalidPolicyError, match="Sid 'A' is not valid: each is unique in its policy"):
        Policy.from_dict(document({**READ, "Sid": "B"}, {**READ, "Sid": "A"}, {**READ, "Sid": "A"}))


def test_policies_of_two_languages_do_not_add_up() -> None:
    """A variable is text in the older one: together, one of both would mean something else."""
    old = Policy.from_dict({"Statement": READ})
    with pytest.raises(InvalidPolicyError, match="can't be one"):
        old + Policy.from_dict(document(READ))
    with pytest.raises(TypeError):
        old + 1  # type: ignore[operator]  # the point of the test


def test_a_statement_tells_whether_it_names_a_principal() -> None:
    """That is what tells trust policies from permissions."""
    assert Policy.from_dict(document(TRUST)).statements[0].has_principal
    assert not Policy.from_dict(document(READ)).statements[0].has_principal
