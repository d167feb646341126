"""Requests for Vegeta's role whose refusal a test explains."""

from __future__ import annotations

from typing import Any

from tests.support.worlds import BATMAN, HUB, VEGETA
from xsession.diagnosis._attempt import Attempt
from xsession.policies._trust_verdict import CallingPrincipal
from xsession.roles import Role

USER = CallingPrincipal(f"arn:aws:iam::{BATMAN}:user/bruce", "AIDABRUCE")
HUB_ROLE = f"arn:aws:iam::{HUB}:role/Hub"
SESSION = CallingPrincipal(f"arn:aws:sts::{HUB}:assumed-role/Hub/bruce", "AROAHUB:bruce", role=HUB_ROLE)


def attempt(caller: CallingPrincipal = USER, **options: Any) -> Attempt:
    """A request for Vegeta's role."""
    role = Role(f"arn:aws:iam::{VEGETA}:role/Reader", role_session_name="bruce", **options.pop("role", {}))
    return Attempt(**{"hop": 1, "role": role, "caller": caller, "region_name": "eu-west-1", "time": 0.5, **options})
