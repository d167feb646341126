from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import BATMAN, HUB, VEGETA
from xsession.policies import Policy, Statement
from xsession.policies._conditions import RequestKeys
from xsession.policies._trust_verdict import (
    CallingPrincipal,
    Condition,
    TrustDecision,
    TrustVerdict,
    is_unique_id,
    judge_trust,
)
from xsession.testing._iam._trust import Principal, TrustLevel, trust_in

USER = CallingPrincipal(f"arn:aws:iam::{BATMAN}:user/bruce", "AIDABRUCEBRUCEBRUCE1")
ROLE = f"arn:aws:iam::{HUB}:role/teams/Hub"
SESSION = CallingPrincipal(f"arn:aws:sts::{HUB}:assumed-role/Hub/bruce", "AROAHUBHUBHUBHUBHUB1:bruce", role=ROLE)
ASSUME = "sts:AssumeRole"

CALLERS = {
    USER: Principal(BATMAN, USER.arn),
    SESSION: Principal(HUB, SESSION.arn, ROLE),
}
PRINCIPALS = st.sampled_from(["*", BATMAN, HUB, f"arn:aws:iam::{HUB}:root", USER.arn, SESSION.arn, ROLE, VEGETA])
CONDITIONS: Any = st.dictionaries(
    st.sampled_from(["StringEquals", "StringNotEquals", "StringLikeIfExists", "Null"]),
    st.dictionaries(
        st.sampled_from(["sts:ExternalId", "sts:RoleSessionName", "aws:RequestTag/team"]),
        st.lists(st.sampled_from(["true", "false", "bruce", "robin", "b*"]), min_size=1, max_size=2),
        min_size=1,
        max_size=2,
    ),
    max_size=2,
)


def statement(effect: Any, names: list[str], action: str, conditions: Any, negated: bool = False) -> Statement:
    """A statement of a trust policy."""
    principals: Any = {"not_principals" if negated else "principals": {"AWS": names}}
    return Statement(effect=effect, actions=[action], conditions=conditions, **principals)


STATEMENTS = st.builds(
    statement,
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.lists(PRINCIPALS, min_size=1, max_size=2),
    st.sampled_from([ASSUME, "sts:*", "sts:TagSession", "*"]),
    CONDITIONS,
    st.booleans(),
)
POLICIES = st.builds(Policy, st.lists(STATEMENTS, min_size=1, max_size=3))
KEYS = st.fixed_dictionaries(
    {
        name: st.lists(st.sampled_from(["bruce", "robin"]), max_size=1)
        for name in ("sts:externalid", "sts:rolesessionname", "aws:requesttag/team")
    }
)
TRUTH = {
    TrustDecision.ALLOWED: {TrustLevel.ACCOUNT, TrustLevel.ROLE, TrustLevel.PRINCIPAL},
    TrustDecision.DENIED: {TrustLevel.DENIED},
    TrustDecision.NOTHING: {TrustLevel.NOTHING},
}


@given(POLICIES, st.sampled_from(list(CALLERS)), KEYS)
def test_verdicts_are_those_of_the_local_aws(
    policy: Policy, caller: CallingPrincipal, keys: dict[str, list[str]]
) -> None:
    """Two evaluators, written apart, agree where everything is known."""
    truth = trust_in(policy, CALLERS[caller], ASSUME, {key: values for key, values in keys.items() if values})
    assert truth in TRUTH[judge_trust(policy, caller, ASSUME, RequestKeys(keys)).says]


@given(POLICIES, st.sampled_from(list(CALLERS)), KEYS, st.data())
def test_what_is_not_known_is_never_guessed(
    policy: Policy, caller: CallingPrincipal, keys: dict[str, list[str]], data: st.DataObject
) -> None:
    """With less known, a verdict is the same, or it is said that it can't be told."""
    left = data.draw(st.sets(st.sampled_from(sorted(keys))))
    whole = judge_trust(policy, caller, ASSUME, RequestKeys(keys)).says
    known = RequestKeys({key: keys[key] for key in left}, all_tags="aws:requesttag/team" in left)
    part = judge_trust(policy, caller, ASSUME, known)
    # A deny that can't be judged hides behind a policy that allows nothing anyway.
    assert part.says in (whole, TrustDecision.UNKNOWN) or (whole, part.says) == (
        TrustDecision.DENIED,
        TrustDecision.NOTHING,
    )
    assert bool(part.unjudged) or part.says is not TrustDecision.UNKNOWN


@given(POLICIES, st.sampled_from(list(CALLERS)), KEYS)
def test_meeting_what_fails_opens_the_closest_statement(
    policy: Policy, caller: CallingPrincipal, keys: dict[str, list[str]]
) -> None:
    """The conditions that are named are all that stand in the way of it."""
    verdict = judge_trust(policy, caller, ASSUME, RequestKeys(keys))
    if verdict.says is not TrustDecision.NOTHING or verdict.statement is None:
        return
    unmet = {(condition.operator, condition.key) for condition in verdict.unmet}
    left: Any = {
        operator: {key: values for key, values in wanted.items() if (operator, key) not in unmet}
        for operator, wanted in verdict.statement.conditions.items()
    }
    one = verdict.statement
    open_one = Statement(
        effect="Allow",
        actions=one.actions,
        principals=one.principals,
        not_principals=one.not_principals,
        conditions={operator: wanted for operator, wanted in left.items() if wanted},
    )
    assert judge_trust(Policy([open_one]), caller, ASSUME, RequestKeys(keys)).says is TrustDecision.ALLOWED


def test_the_statement_with_the_fewest_failures_is_the_closest() -> None:
    """The first of those that have as many."""
    far = statement(
        "Allow", [BATMAN], ASSUME, {"StringEquals": {"sts:ExternalId": "x1", "sts:RoleSessionName": "joker"}}
    )
    near = statement("Allow", [USER.arn], ASSUME, {"StringEquals": {"sts:RoleSessionName": "robin"}})
    keys = RequestKeys({"sts:externalid": [], "sts:rolesessionname": ["bruce"]})
    assert judge_trust(Policy([far, near]), USER, ASSUME, keys) == TrustVerdict(
        TrustDecision.NOTHING, near, (Condition("StringEquals", "sts:RoleSessionName", ("robin",)),)
    )


def test_a_deny_that_can_not_be_judged_is_said() -> None:
    """Where the rest allows it."""
    no = statement("Deny", ["*"], "*", {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})
    yes = statement("Allow", [BATMAN], ASSUME, {})
    verdict = judge_trust(Policy([yes, no]), USER, ASSUME, RequestKeys({}))
    assert (verdict.says, verdict.statement) == (TrustDecision.UNKNOWN, no)
    assert [str(condition) for condition in verdict.unjudged] == ["NotIpAddress aws:SourceIp 10.0.0.0/8"]


def test_external_ids_are_not_shown() -> None:
    """Whether there is one is."""
    assert str(Condition("StringEquals", "sts:ExternalId", ())) == "StringEquals sts:ExternalId ****"
    asked = statement(
        "Allow", [BATMAN], ASSUME, {"StringEquals": {"sts:ExternalId": "secret"}, "Null": {"sts:ExternalId": "false"}}
    )
    verdict = judge_trust(Policy([asked]), USER, ASSUME, RequestKeys({"sts:externalid": []}))
    assert [str(condition) for condition in verdict.unmet] == [
        "Null sts:ExternalId false",
        "StringEquals sts:ExternalId ****",
    ]


@pytest.mark.parametrize(
    ("caller", "principal"),
    [
        (USER, USER.arn),
        (SESSION, ROLE),
        (CallingPrincipal(SESSION.arn), f"arn:aws:iam::{HUB}:role/Hub"),
        (CallingPrincipal(f"arn:aws:iam::{BATMAN}:root"), f"arn:aws:iam::{BATMAN}:root"),
    ],
)
def test_a_principal_is_a_user_or_a_role(caller: CallingPrincipal, principal: str) -> None:
    """A session counts as its role."""
    assert caller.principal == principal
    assert caller.is_root == principal.endswith(":root")


def test_a_role_is_known_by_its_name_where_its_path_is_not() -> None:
    """A name is unique in an account; a unique id is as good."""
    session = CallingPrincipal(SESSION.arn, SESSION.user_id)
    assert session.is_called(ROLE)
    assert session.is_called("AROAHUBHUBHUBHUBHUB1")
    assert not session.is_called("AROAHUBHUBHUBHUBHUB2")
    assert not session.is_called(f"arn:aws:iam::{BATMAN}:role/Hub")
    assert not USER.is_called(ROLE)
    assert is_unique_id("AROAHUBHUBHUBHUBHUB1")
    assert not is_unique_id(BATMAN)
