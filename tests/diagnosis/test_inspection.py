from __future__ import annotations

from typing import Any

import pytest

from tests.support.attempts import attempt
from tests.support.worlds import BATMAN, VEGETA, World
from xsession.diagnosis._causes import Permission
from xsession.diagnosis._inspection import Inspection, _permission
from xsession.policies import Policy, trust
from xsession.policies._trust_verdict import CallingPrincipal

RESULT: dict[str, Any] = {"EvalActionName": "sts:AssumeRole", "EvalDecision": "implicitDeny"}


@pytest.mark.parametrize(
    ("detail", "reason"),
    [
        ({}, "identity-based"),
        ({"OrganizationsDecisionDetail": {"AllowedByOrganizations": False}}, "service control"),
        ({"PermissionsBoundaryDecisionDetail": {"AllowedByPermissionsBoundary": False}}, "permissions boundary"),
    ],
)
def test_a_simulation_says_which_policy_it_was(detail: dict[str, Any], reason: str) -> None:
    """As far as IAM tells."""
    assert _permission({**RESULT, **detail}) == Permission(action="sts:AssumeRole", allowed=False, reason=reason)


def test_a_trust_policy_that_is_none_of_ours_is_not_judged(world: World) -> None:
    """It may have what came into AWS's language after this version; the role is there all the same."""
    document = trust(BATMAN).to_json().replace(":root", ":group/heroes")
    world.vegeta.root.client("iam").update_assume_role_policy(RoleName="Reader", PolicyDocument=document)
    inspection = Inspection([world.vegeta.root], lambda _session: VEGETA)
    facts, notes = inspection.of(attempt())
    assert facts.role is not None
    assert (facts.role.arn, facts.role.trust) == (world.role, None)
    assert ["can't be judged" in note for note in notes] == [True]


@pytest.mark.parametrize(
    "condition", [{"StringEquals": {}}, {"StringEquals": {"sts:ExternalId": []}}, {"Bool": {"aws:RequestTag/A b": "1"}}]
)
def test_a_trust_policy_that_iam_stores_is_judged(world: World, condition: dict[str, Any]) -> None:
    """Though nobody would write it."""
    document = trust(BATMAN).to_dict()
    document["Statement"][0]["Condition"] = condition
    world.vegeta.set_trust("Reader", document)
    facts, notes = Inspection([world.vegeta.root], lambda _session: VEGETA).of(attempt())
    assert facts.role is not None
    assert (facts.role.trust, notes) == (Policy.from_dict(document), ())


def test_only_users_and_roles_are_simulated(world: World) -> None:
    """Such as the account's root user."""
    inspection = Inspection([world.batman.root], lambda _session: BATMAN)
    facts, notes = inspection.of(attempt(CallingPrincipal(f"arn:aws:iam::{BATMAN}:root")))
    assert (facts.permissions, notes) == (None, ())
