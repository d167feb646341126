from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.policies import Policy, Statement, allow, deny
from xsession.testing._iam._not_judged import UnknownRequestError
from xsession.testing._iam._permissions import Layer, NamedPolicy, allow_everything, decide

OBJECT = "arn:aws:s3:::levels/goku"
CONTEXT = {"aws:username": ["goku"], "aws:currenttime": ["2026-11-24T12:00:00Z"]}


def layer(name: str, *policies: Policy) -> Layer:
    """Inline policies that add up."""
    return Layer(name, [NamedPolicy("inline", "user", policy) for policy in policies])


def says(*policies: Policy, action: str = "s3:GetObject", resource: str | None = OBJECT) -> bool | None:
    """What policies that add up say of a request."""
    decision = decide([layer("identity-based policy", *policies)], action, resource, CONTEXT)
    return False if decision.explicit else decision.allowed or None


def decided(identity: list[Policy], session: list[Policy] | None = None) -> str:
    """What comes of a role's policies and its session's, in AWS's words."""
    layers = [layer("identity-based policy", *identity)]
    layers += [] if session is None else [layer("session policy", *session)]
    decision = decide(layers, "s3:GetObject", OBJECT, CONTEXT)
    return "allowed" if decision.allowed else decision.because("s3:GetObject")


def test_nothing_is_allowed_unless_a_statement_says_so() -> None:
    """And a denial wins over all that allow it."""
    assert says() is None
    assert says(allow("s3:PutObject")) is None
    assert says(allow("s3:Get*"), allow("ec2:*")) is True
    assert says(allow("*"), deny("s3:*"), allow("s3:GetObject")) is False


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ("*", True),
        (OBJECT, True),
        ("arn:aws:s3:::levels/*", True),
        ("arn:aws:s3:::levels/${aws:username}", True),
        ("arn:aws:s3:::levels/GOKU", None),
        ("arn:aws:s3:::levels", None),
        ("arn:aws:s3:::other/*", None),
        ("arn:aws:s3", True),
        ("arn:aws:s3:*", True),
        ("arn:aws:s3::*", True),
        ("arn:aws:s3:eu-west-1", None),
        ("arn:aws:sqs", None),
        ("arn:aws:s3:::levels/${aws:SourceIdentity}", None),
    ],
)
def test_resources_are_patterns(resources: str, *, expected: bool | None) -> None:
    """With variables; upper and lower case are not the same, and incomplete ARNs are completed."""
    statement = allow("s3:GetObject", resources=resources)
    assert says(statement) is expected
    opposite = Statement(effect="Allow", actions=["s3:GetObject"], not_resources=[resources])
    assert says(Policy([opposite])) is (None if expected else True)


def test_not_action_is_about_all_other_actions() -> None:
    """Of all services."""
    policy = Policy([Statement(effect="Allow", not_actions=["iam:*", "s3:Delete*"], resources=["*"])])
    assert says(policy) is True
    assert says(policy, action="s3:DeleteObject") is None
    assert says(policy, action="IAM:GetRole") is None


def test_a_condition_must_be_met() -> None:
    """Here a deadline."""
    late = {"DateGreaterThan": {"aws:CurrentTime": "2026-11-24T11:00:00Z"}}
    assert says(allow("*"), deny("*", conditions=late)) is False
    soon = {"DateGreaterThan": {"aws:CurrentTime": "2026-11-24T13:00:00Z"}}
    assert says(allow("*"), deny("*", conditions=soon)) is True


def test_session_policies_add_up_and_narrow_what_the_role_may() -> None:
    """One that holds only denials permits nothing."""
    s3, ec2 = allow("s3:*"), allow("ec2:*")
    assert decided([s3], [ec2, s3]) == "allowed"
    assert decided([s3], [ec2]) == "because no session policy allows the s3:GetObject action"
    assert decided([ec2], [s3]) == "because no identity-based policy allows the s3:GetObject action"
    assert decided([s3], [deny("ec2:*")]) == "because no session policy allows the s3:GetObject action"
    assert decided([s3], [s3, deny("s3:Get*")]) == "with an explicit deny in a session policy"
    assert decided([s3, deny("*")], [s3]) == "with an explicit deny in an identity-based policy"
    assert decided([ec2], [deny("*")]) == "with an explicit deny in a session policy"


def test_a_denial_names_its_policy_where_that_has_an_arn() -> None:
    """Since January 2026; what is merely not allowed is no single policy's doing."""
    arn = "arn:aws:iam::111111111111:policy/NoS3"
    managed, inline = (NamedPolicy("NoS3", "user-managed", deny("s3:*"), one) for one in (arn, None))
    for policies, end in (([managed], f": {arn}"), ([inline], ""), ([inline, managed], "")):
        decision = decide([Layer("permissions boundary", policies)], "s3:GetObject", OBJECT, CONTEXT)
        assert decision.because("s3:GetObject") == f"with an explicit deny in a permissions boundary{end}"
    none = NamedPolicy("OnlyEc2", "user-managed", allow("ec2:*"), arn)
    assert arn not in decide([Layer("session policy", [none])], "s3:GetObject", OBJECT, CONTEXT).because("s3:GetObject")


def test_whom_nothing_limits_may_everything() -> None:
    """As the root user of an account."""
    assert decide([], "s3:GetObject", OBJECT, CONTEXT).allowed


def test_a_resource_that_is_not_known_is_judged_only_where_none_is_asked_for() -> None:
    """Else any verdict might be the wrong one."""
    assert says(allow("s3:*"), resource=None) is True
    assert says(allow("ec2:*", resources=OBJECT), resource=None) is None
    with pytest.raises(UnknownRequestError, match="s3:GetObject"):
        says(allow("s3:*", resources=OBJECT), resource=None)


def test_what_may_everything_needs_no_judging() -> None:
    """A single denial, condition or narrower layer does."""
    everything, narrow = layer("identity-based policy", allow("*")), layer("session policy", allow("s3:*"))
    assert allow_everything([everything])
    assert allow_everything([])
    assert not allow_everything([everything, narrow])
    assert not allow_everything([layer("identity-based policy", allow("*"), deny("ec2:RunInstances"))])
    assert not allow_everything([layer("identity-based policy", allow("*", conditions={"Null": {"aws:userid": True}}))])


ACTIONS = st.sampled_from(["s3:GetObject", "s3:*", "s3:PutObject", "ec2:StopInstances", "*"])
RESOURCES = st.sampled_from(["*", OBJECT, "arn:aws:s3:::levels/*", "arn:aws:s3:::other/*"])
STATEMENTS = st.builds(
    lambda effect, action, resource: Statement(effect=effect, actions=[action], resources=[resource]),
    st.sampled_from(["Allow", "Deny"]),
    ACTIONS,
    RESOURCES,
)
POLICIES = st.lists(STATEMENTS, min_size=1, max_size=4).map(Policy)


@given(st.lists(POLICIES, max_size=3), st.randoms())
def test_the_order_of_policies_and_statements_says_nothing(policies: list[Policy], shuffled: random.Random) -> None:
    """Nor does how they are spread over documents."""
    statements = [statement for policy in policies for statement in policy.statements]
    shuffled.shuffle(statements)
    assert says(*policies) == says(*(Policy([statement]) for statement in statements))


@given(st.lists(POLICIES, max_size=3), st.lists(POLICIES, min_size=1, max_size=3))
def test_a_session_may_what_its_role_and_its_own_policies_may(role: list[Policy], session: list[Policy]) -> None:
    """Neither more nor less."""
    both = says(*role) is True and says(*session) is True
    assert (decided(role, session) == "allowed") is both


@given(st.lists(POLICIES, max_size=3), POLICIES)
def test_a_denial_more_never_allows_more(policies: list[Policy], further: Policy) -> None:
    """And a statement that allows never takes an explicit denial back."""
    denials = [statement for statement in further.statements if statement.effect == "Deny"]
    if denials and says(*policies) is not True:
        assert says(*policies, Policy(denials)) is not True
    if says(*policies) is False:
        assert says(*policies, further) is False
