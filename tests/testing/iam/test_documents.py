from __future__ import annotations

from typing import Any

import pytest

from xsession import InvalidPolicyError, Role, RoleSpec
from xsession.policies import Policy
from xsession.testing._iam._documents import session_policy_refusal, trust_policy_refusal

BATMAN = "111111111111"
ASSUME = {"Effect": "Allow", "Action": "sts:AssumeRole"}


def policy(**statement: Any) -> Policy:
    """A policy of one statement."""
    return Policy.from_dict({"Version": "2012-10-17", "Statement": statement})


@pytest.mark.parametrize(
    ("principal", "refusal"),
    [
        ({"Principal": "*"}, None),
        ({"Principal": {"AWS": f"arn:aws:iam::{BATMAN}:role/app", "Service": "ec2.amazonaws.com"}}, None),
        ({"NotPrincipal": {"AWS": BATMAN}}, "Has prohibited field NotPrincipal."),
        (
            {"Principal": {"AWS": ["*", f"arn:aws:iam::{BATMAN}:role/a?p"]}},
            f'Invalid principal in policy: "AWS":"arn:aws:iam::{BATMAN}:role/a?p"',
        ),
    ],
)
def test_what_iam_refuses_as_trust(principal: dict[str, Any], refusal: str | None) -> None:
    """A `RoleSpec` refuses the same, before any request."""
    trusting = policy(**ASSUME, **principal)
    assert trust_policy_refusal(trusting) == refusal
    if refusal is None:
        RoleSpec("R", trust=trusting)
    else:
        with pytest.raises(InvalidPolicyError):
            RoleSpec("R", trust=trusting)


@pytest.mark.parametrize(
    ("about", "refusal"),
    [
        ({"Resource": "*"}, None),
        ({"NotResource": "arn:aws:sqs:*:*:*"}, None),
        ({"Resource": "arn:aws:sqs"}, "Resource arn:aws:sqs is an incomplete ARN."),
        ({"NotResource": "arn:aws:sqs"}, "Resource arn:aws:sqs is an incomplete ARN."),
        ({"Principal": "*"}, "Policy document should not specify a principal."),
    ],
)
def test_what_sts_refuses_as_a_session_policy(about: dict[str, Any], refusal: str | None) -> None:
    """A `Role` refuses the same, before any request."""
    narrowing = policy(Effect="Allow", Action="sqs:*", **about)
    assert session_policy_refusal(narrowing) == refusal
    role = f"arn:aws:iam::{BATMAN}:role/R"
    if refusal is None:
        Role(role, policy=narrowing)
    else:
        with pytest.raises(InvalidPolicyError):
            Role(role, policy=narrowing)
