from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.statements import principals, statements
from xsession.policies import Policy, Statement, allow, diff, difference, same_meaning, trust

BUCKET = "arn:aws:s3:::b"


@st.composite
def trusting(draw: st.DrawFn) -> Statement:
    """Any statement with principals."""
    names: Any = {draw(st.sampled_from(["principals", "not_principals"])): draw(principals)}
    return Statement(effect=draw(st.sampled_from(["Allow", "Deny"])), actions=["sts:AssumeRole"], **names)


def _where(operator: str) -> Policy:
    """Permissions under a condition."""
    return allow("*", conditions={operator: {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/x"}})


ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}
ARN_OPERATORS = [
    ("", "Equals", "Like"),
    ("", "NotEquals", "NotLike"),
    ("ForAnyValue:", "EqualsIfExists", "LikeIfExists"),
    ("ForAllValues:", "NotEqualsIfExists", "NotLikeIfExists"),
]
NOBODY = Statement(effect="Allow", principals={"AWS": []}, actions=["sts:AssumeRole"])
WITHOUT_VALUE = Statement(
    effect="Allow", actions=["*"], resources=["*"], conditions={"StringEquals": {"aws:PrincipalOrgID": []}}
)

policies = st.builds(Policy, st.lists(st.one_of(statements(), trusting()), min_size=1, max_size=4))


def split(statement: Statement) -> list[Statement]:
    """A statement as one for each of its actions and resources."""
    pieces = [replace(statement, actions=[action]) for action in statement.actions] or [statement]
    return [
        replace(piece, resources=[resource]) if resource else piece
        for piece in pieces
        for resource in piece.resources or [""]
    ]


def respelt(statement: Statement) -> Statement:
    """A statement in other words: capitals, accounts by their root."""
    names = {
        kind: [f"arn:aws:iam::{name}:root" if name.isdecimal() else name for name in chosen]
        for kind, chosen in statement.principals.items()
    }
    actions = [action.upper() for action in statement.actions]
    conditions = {
        operator: {key.upper(): values for key, values in keys.items()}
        for operator, keys in statement.conditions.items()
    }
    return replace(statement, actions=actions, principals=names, conditions=conditions, sid="Other")


@given(policies, st.randoms())
def test_how_a_policy_is_written_says_nothing(policy: Policy, random: Any) -> None:
    """Statements split, repeated, in other words and another order say the same."""
    pieces = [piece for statement in policy.statements for piece in split(statement)]
    pieces += [replace(piece, sid=None) for piece in map(respelt, pieces)]
    random.shuffle(pieces)
    other = Policy(pieces)
    assert same_meaning(policy, other)
    assert (difference(policy, other), diff(policy, other)) == ((), "")


@given(policies, policies)
def test_what_differs_is_named(first: Policy, second: Policy) -> None:
    """There are words and a diff if, and only if, two policies do not say the same, whichever comes first."""
    same = same_meaning(first, second)
    assert same == same_meaning(second, first)
    assert (not difference(first, second), not diff(first, second)) == (same, same)


@given(policies, statements())
def test_a_new_statement_is_added_and_removed(policy: Policy, statement: Statement) -> None:
    """Going one way it is added, going back it is removed, and nothing else is said."""
    longer = policy + Policy([statement])
    forth, back = difference(policy, longer), difference(longer, policy)
    assert all(line.startswith("added: ") for line in forth)
    assert [line.replace("removed: ", "added: ") for line in back] == list(forth)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (allow("s3:GetObject"), allow("s3:GetObject", "s3:PutObject")),
        (allow("s3:*"), allow("s3:*") + allow("s3:GetObject")),
        (allow("*", resources=BUCKET), allow("*", resources=f"{BUCKET}/*")),
        (allow("*", resources=BUCKET), allow("*", resources=BUCKET.upper().replace("ARN:AWS:S3", "arn:aws:s3"))),
        (trust("111111111111"), trust("222222222222")),
        (
            trust("arn:aws:sts::111111111111:assumed-role/Reader/Bruce"),
            trust("arn:aws:sts::111111111111:assumed-role/Reader/bruce"),
        ),
        (
            allow("*", resources="arn:aws:iam::222222222222:role/R"),
            allow("*", resources="arn:aws:iam::222222222222:role/r"),
        ),
        (_where("StringEquals"), _where("StringLike")),
        (_where("ArnEquals"), _where("ArnNotLike")),
        (Policy([WITHOUT_VALUE]), allow("*")),
        (trust("111111111111", external_id="ab"), trust("111111111111", external_id="AB")),
        (
            allow("*", conditions={"StringEquals": {"aws:a": "b"}}),
            allow("*", conditions={"StringLike": {"aws:a": "b"}}),
        ),
        (
            Policy([Statement(effect="Deny", not_actions=["s3:a"], resources=["*"])]),
            Policy([Statement(effect="Deny", actions=["s3:a"], resources=["*"])]),
        ),
        (
            Policy([Statement(effect="Deny", not_actions=["s3:a", "s3:b"], resources=["*"])]),
            Policy([Statement(effect="Deny", not_actions=[name], resources=["*"]) for name in ("s3:a", "s3:b")]),
        ),
        (
            allow("*", resources=f"{BUCKET}/${{aws:username}}"),
            Policy(allow("*", resources=f"{BUCKET}/${{aws:username}}").statements, version="2008-10-17"),
        ),
    ],
)
def test_these_do_not_say_the_same(first: Policy, second: Policy) -> None:
    """What AWS tells apart is told apart."""
    assert not same_meaning(first, second)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (trust("111111111111").to_dict(), trust("111111111111").to_json()),
        (allow("*"), Policy(allow("*").statements, version="2008-10-17")),
        (allow("*"), {"Version": "2012-10-17", "Statement": {**ALL, "Action": "*:*"}}),
        (allow("*"), {"Version": "2012-10-17", "Statement": {**ALL, "Condition": {"StringEquals": {}}}}),
        (allow("*", resources="arn:aws:sqs"), allow("*", resources="arn:aws:sqs:*:*:*")),
        *((_where(f"{prefix}Arn{one}"), _where(f"{prefix}Arn{other}")) for prefix, one, other in ARN_OPERATORS),
        (trust("arn:aws:iam::111111111111:role/team/Reader"), trust("arn:aws:iam::111111111111:role/team/reader")),
        (
            trust("arn:aws:sts::111111111111:assumed-role/Reader/Bruce"),
            trust("arn:aws:sts::111111111111:assumed-role/READER/Bruce"),
        ),
        (
            allow("*", conditions={"StringEquals": {"aws:ResourceTag/Owner": "x"}}),
            allow("*", conditions={"StringEquals": {"aws:resourcetag/owner": "x"}}),
        ),
        (trust("111111111111"), [*trust("111111111111").statements, NOBODY]),
        (
            allow("*", conditions={"Bool": {"aws:SecureTransport": "True"}}),
            allow("*", conditions={"Bool": {"aws:SecureTransport": True}}),
        ),
    ],
)
def test_these_say_the_same(first: Any, second: Any) -> None:
    """In whatever form, and whatever AWS does not look at."""
    other = Policy(second) if isinstance(second, list) else second
    assert same_meaning(first, other)
    assert difference(first, other) == ()


def test_the_words_name_only_what_changed() -> None:
    """An action more in a long statement is one action in words."""
    before = allow("s3:GetObject", "s3:ListBucket", resources=[BUCKET, f"{BUCKET}/*"])
    after = allow("s3:GetObject", "s3:ListBucket", "s3:PutObject", resources=[BUCKET, f"{BUCKET}/*"])
    assert difference(before, after) == (f"added: Allow s3:PutObject on {BUCKET}, {BUCKET}/*",)
    assert difference(after, before) == (f"removed: Allow s3:PutObject on {BUCKET}, {BUCKET}/*",)


def test_the_words_of_a_trust_policy() -> None:
    """Who, what, and under which conditions."""
    before = trust("111111111111", conditions={"StringLike": {"sts:RoleSessionName": ["a*", "b*"]}})
    after = trust("lambda.amazonaws.com")
    assert difference(before, after) == (
        "removed: Allow sts:AssumeRole to arn:aws:iam::111111111111:root if StringLike sts:RoleSessionName a* or b*",
        "added: Allow sts:AssumeRole to Service lambda.amazonaws.com",
    )


def test_a_condition_without_a_value_is_named() -> None:
    """It is none that holds always."""
    assert difference(Policy([WITHOUT_VALUE]), allow("*")) == (
        "removed: Allow * on * if StringEquals aws:PrincipalOrgID (no value)",
        "added: Allow * on *",
    )


def test_long_policies_are_compared() -> None:
    """Of so many actions on so many resources, all the combinations would take minutes, and all the memory."""
    actions = [f"a:{number:x}" for number in range(8_000)]
    resources = [f"arn:a:b:::{number:x}" for number in range(4_000)]
    one = Policy([Statement(effect="Allow", actions=actions, resources=resources)])
    halves = [replace(one.statements[0], actions=some) for some in (actions[:5_000], actions[3_000:])]
    assert same_meaning(one, Policy(halves))
    less = replace(one.statements[0], resources=resources[1:])
    assert difference(one, Policy([less])) == (f"removed: Allow {', '.join(sorted(actions))} on {resources[0]}",)


def test_the_words_of_a_denial_and_an_exclusion() -> None:
    """Whom a denial is for, and all but what."""
    named = Statement(effect="Deny", not_principals={"AWS": ["111111111111"]}, not_actions=["sts:TagSession"])
    assert difference(allow("*"), Policy([named, *allow("*").statements])) == (
        "added: Deny all but sts:TagSession for all but 111111111111",
    )


def test_an_external_id_is_not_in_the_words() -> None:
    """Nor in the diff: they end up in logs and errors. That it changed is said all the same."""
    before, after = trust("111111111111", external_id="agreed-on"), trust("111111111111", external_id="another")
    lines = difference(before, after)
    assert [line.partition(":")[0] for line in lines] == ["removed", "added"]
    assert all(line.endswith("if StringEquals sts:ExternalId (not shown)") for line in lines)
    shown = [line for line in diff(before, after).splitlines()[2:] if line[0] in "+-"]
    assert [line[0] + line.split(": ")[1] for line in shown] == ['-"(external id 1)"', '+"(external id 2)"']


def test_control_characters_are_not_in_the_words() -> None:
    """A terminal would obey them: here they are text, in the diff as well."""
    hostile = allow("*", conditions={"StringEquals": {"aws:a": "x\x1b[2J\x9b\ny"}})
    (line, _) = difference(hostile, allow("s3:*"))
    assert line == r"removed: Allow * on * if StringEquals aws:a x\x1b[2J\x9b\ny"
    assert not set(diff(hostile, allow("s3:*"))) & set("\x1b\x9b")


def test_the_diff_is_one_of_readable_json() -> None:
    """Line by line, without what is only in another order."""
    first, second = allow("s3:GetObject"), allow("ec2:RunInstances", resources="*")
    text = diff(first + second, second + allow("s3:PutObject"))
    assert [line for line in text.splitlines() if line[0] in "+-"] == [
        "--- before",
        "+++ after",
        '-      "Action": "s3:GetObject",',
        '+      "Action": "s3:PutObject",',
    ]
