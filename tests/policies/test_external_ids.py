from __future__ import annotations

import json
from typing import Any

import pytest

from xsession.errors import InvalidPolicyError
from xsession.policies import Policy, findings, trust
from xsession.policies._conditions import RequestKeys
from xsession.policies._external_ids import ExternalIds, may_be_in

SECRET = "kakarot-9000"
TRUST = trust("111111111111", external_id=SECRET)


@pytest.mark.parametrize("key", ["sts:ExternalId", "STS:externalid"])
@pytest.mark.parametrize("operator", ["StringEquals", "StringLikeIfExists", "ForAnyValue:StringEquals"])
def test_no_repr_shows_an_external_id(key: str, operator: str) -> None:
    """Whatever operator asks for it, and however its key is written; what else there is stays."""
    asked: dict[str, Any] = {operator: {key: [SECRET, "other"], "aws:PrincipalOrgID": "o-1"}}
    policy = trust("111111111111", conditions=asked)
    for shown in (repr(policy), repr(policy.statements[0]), repr([policy]), str(policy)):
        assert SECRET not in shown
        assert "(external id 1)" in shown
        assert "(external id 2)" in shown
        assert "o-1" in shown
    assert SECRET in policy.to_json()
    assert SECRET in policy.to_json(indent=2)


def test_whether_one_is_asked_for_is_no_secret() -> None:
    """Only its value is."""
    policy = trust("111111111111", conditions={"Null": {"sts:ExternalId": "false"}})
    assert '"Null":{"sts:ExternalId":"false"}' in repr(policy)


def test_what_holds_a_policy_shows_none_either() -> None:
    """Findings, and what a request sends."""
    document = json.dumps(TRUST.to_dict()).replace("arn:aws:iam::111111111111:root", "*")
    found = findings(document)
    assert found
    assert SECRET not in repr(found)
    assert SECRET not in repr(RequestKeys({"sts:externalid": [SECRET]}))


@pytest.mark.parametrize(
    "document",
    [
        {"Statement": json.dumps(TRUST.to_dict()["Statement"])},
        {"Statement": [TRUST.to_dict()["Statement"]]},
        {"Statement": {**TRUST.to_dict()["Statement"][0], "Condition": [{"StringEquals": {"sts:ExternalId": SECRET}}]}},
        {"Statement": {**TRUST.to_dict()["Statement"][0], "Condition": {"StringEquals": SECRET}}},
        {"Statement": {**TRUST.to_dict()["Statement"][0], "Condition": {"sts:ExternalId": SECRET}}},
        {
            "Statement": {
                **TRUST.to_dict()["Statement"][0],
                "Condition": {"StringEquals": {"sts:ExternalId": [{SECRET}]}},
            }
        },
    ],
)
def test_no_error_shows_one(document: dict[str, Any]) -> None:
    """Of a document that is written wrongly."""
    with pytest.raises(InvalidPolicyError) as caught:
        Policy.from_dict(document)
    assert SECRET not in f"{caught.value} {caught.value!r} {vars(caught.value)}"


def test_the_same_id_has_the_same_stand_in() -> None:
    """So that a comparison sees what changed; other values stay, and so does the document itself."""
    ids = ExternalIds()
    before = {"Condition": {"StringEquals": {"sts:ExternalId": [SECRET, "b"]}}, "Sid": None, "n": 7}
    assert ids.hidden(before) == {
        "Condition": {"StringEquals": {"sts:ExternalId": ["(external id 1)", "(external id 2)"]}},
        "Sid": None,
        "n": 7,
    }
    assert ids.hidden({"sts:externalid": "b"}) == {"sts:externalid": "(external id 2)"}
    assert before["Condition"] == {"StringEquals": {"sts:ExternalId": [SECRET, "b"]}}


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        (json.dumps({"sts:ExternalId": SECRET}), '{"sts:ExternalId": "(external id 1)"}'),
        (f'{{"sts:ExternalId": "{SECRET}"', "(not shown)"),
        ("[" * 100_000 + '"sts:ExternalId"', "(not shown)"),
        ("a note", "a note"),
    ],
    ids=["JSON", "broken", "deep", "text"],
)
def test_a_document_within_a_string_is_looked_into(text: str, hidden: str) -> None:
    """One that can't be read is left out as a whole."""
    assert ExternalIds().hidden([text]) == [hidden]


def test_what_is_too_deep_to_look_into_may_hold_one() -> None:
    """And so is not shown."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert may_be_in(deep)
    assert not may_be_in([SECRET])
