from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from xsession import RoleSpec
from xsession._base._frozen_map import FrozenMap
from xsession._iam import RoleState
from xsession.policies import Policy, allow, s3_read, trust
from xsession.provision._comparison import compare

SPEC = RoleSpec("Reader", trust=trust("111111111111"), permissions=s3_read("levels"))


def state(**changes: Any) -> RoleState:
    """What IAM has, as the spec wants it unless told otherwise."""
    values: dict[str, Any] = {
        "arn": "arn:aws:iam::222222222222:role/Reader",
        "path": "/",
        "trust": trust("111111111111"),
        "permissions": s3_read("levels"),
        "max_session_duration": 3600,
        "description": "",
        "tags": FrozenMap(),
        "permissions_boundary": None,
        "managed_policy_arns": (),
        "other_policies": (),
    }
    return RoleState(**{**values, **changes})


def test_a_role_as_it_should_be_compares_as_false() -> None:
    """With nothing to say and an empty diff."""
    found = compare(SPEC, state())
    assert not found
    assert (found.differences, found.notes, found.diff()) == ((), (), "")
    assert str(found) == "role Reader: no difference(s)"


def test_policies_are_compared_by_meaning() -> None:
    """Text in another order, and statements with other names, are as good."""
    shuffled = Policy(tuple(reversed(s3_read("levels").statements)))
    old = Policy.from_dict(
        {"Statement": {"Effect": "Allow", "Principal": {"AWS": "111111111111"}, "Action": "sts:assumerole"}}
    )
    assert not compare(SPEC, state(permissions=shuffled, trust=old))


@pytest.mark.parametrize("condition", [{}, {"StringEquals": {}}, {"x": {}, "StringLike": {}}])
def test_empty_conditions_say_nothing(condition: dict[str, Any]) -> None:
    """IAM stores them, and takes no notice of them."""
    document = trust("111111111111").to_dict()
    document["Statement"][0]["Condition"] = condition
    assert not compare(SPEC, state(trust=Policy.from_dict(document)))


def test_a_condition_without_a_value_is_another_one() -> None:
    """Nobody meets it: it is not what the spec says."""
    document = trust("111111111111").to_dict()
    document["Statement"][0]["Condition"] = {"StringEquals": {"sts:ExternalId": []}}
    found = compare(SPEC, state(trust=Policy.from_dict(document)))
    assert [text.partition(":")[2].partition(":")[0] for text in found.differences] == [" removed", " added"]
    assert "StringEquals sts:ExternalId (no value)" in found.differences[0]


def test_keys_of_tags_ignore_case() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html."""
    spec = RoleSpec("Reader", trust=trust("111111111111"), permissions=s3_read("levels"), tags={"owner": "vegeta"})
    there = state(tags=FrozenMap({"Owner": "vegeta", "Team": "a"}))
    assert (compare(spec, there).differences, compare(spec, there).notes) == ((), ("tag 'Team' is left alone",))
    other = compare(spec, state(tags=FrozenMap({"OWNER": "batman"})))
    assert (other.differences, other.notes) == (("tag 'owner' is 'batman', not 'vegeta'",), ())
    lines = [line for line in other.diff().splitlines()[2:] if line[0] in "+-"]
    assert lines == ['-    "owner": "batman"', '+    "owner": "vegeta"']


def test_an_incomplete_arn_is_the_completed_one() -> None:
    """As IAM completes it."""
    spec = RoleSpec("Reader", trust=trust("111111111111"), permissions=allow("sqs:*", resources="arn:aws:sqs"))
    assert not compare(spec, state(permissions=allow("sqs:*", resources="arn:aws:sqs:*:*:*")))


def test_a_missing_role_is_all_new() -> None:
    """The diff is the whole role."""
    found = compare(SPEC, None)
    assert found
    assert found.role_arn is None
    assert {line[0] for line in found.diff().splitlines()[2:]} == {"@", "+"}


def test_the_diff_is_about_what_the_spec_says() -> None:
    """What says the same in other words, and what belongs to others, is not in it."""
    reordered = Policy(tuple(reversed(s3_read("levels").statements)))
    there = state(
        permissions=reordered,
        description="theirs",
        tags=FrozenMap({"cost": "7"}),
        managed_policy_arns=("arn:aws:iam::aws:policy/ReadOnlyAccess",),
        max_session_duration=7200,
    )
    lines = compare(SPEC, there).diff().splitlines()
    assert [line for line in lines if line[0] in "+-"] == [
        "--- before",
        "+++ after",
        '-  "MaxSessionDuration": 7200,',
        '+  "MaxSessionDuration": 3600,',
    ]


def test_as_text_it_is_a_list() -> None:
    """Differences first, then notes."""
    found = compare(SPEC, state(permissions=allow("s3:*"), other_policies=("theirs",)))
    lines = str(found).splitlines()
    assert lines[0] == "role Reader: 3 difference(s)"
    assert lines[1] == "  permissions: removed: Allow s3:* on *"
    assert lines[-1] == "  note: inline policy 'theirs' is left alone, and adds to what the role may do"


def test_nothing_that_is_shown_has_an_external_id() -> None:
    """That it changes is seen; `after` is what is to be sent, and has it."""
    spec = RoleSpec("Reader", trust=trust("111111111111", external_id="kakarot-9000"), permissions=s3_read("levels"))
    there = state(trust=trust("111111111111", external_id="kakarot-8000"))
    found = compare(spec, there)
    for shown in (repr(spec), repr(there), repr(found), str(found), found.diff(), repr(compare(spec, None))):
        assert "kakarot" not in shown
    assert "kakarot" not in compare(spec, None).diff()
    assert "kakarot-9000" in found.after
    changed = [line.strip("+- ") for line in found.diff().splitlines()[2:] if line[0] in "+-"]
    assert changed == ['"sts:ExternalId": "(external id 1)"', '"sts:ExternalId": "(external id 2)"']


def test_a_trust_policy_in_no_known_form_shows_no_external_id() -> None:
    """It is text, in which one may be."""
    there = state(trust='{"Novelty":{"sts:ExternalId":"kakarot-8000"}}')
    found = compare(SPEC, there)
    assert "Novelty" in found.diff()
    assert "kakarot" not in found.diff() + repr(there)


def test_keys_of_tags_are_compared_without_their_case() -> None:
    """As IAM tells them apart: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html."""
    spec = replace(SPEC, tags={"owner": "vegeta"})
    same = compare(spec, state(tags=FrozenMap({"Owner": "vegeta"})))
    assert not same
    assert (same.notes, same.diff()) == ((), "")
    other = compare(spec, state(tags=FrozenMap({"Owner": "batman", "cost": "7"})))
    assert other.differences == ("tag 'owner' is 'batman', not 'vegeta'",)
    assert other.notes == ("tag 'cost' is left alone",)
