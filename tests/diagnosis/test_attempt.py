from __future__ import annotations

from typing import Any

from tests.support.attempts import HUB_ROLE, SESSION, USER, attempt
from tests.support.worlds import BATMAN
from xsession.diagnosis._attempt import Attempt
from xsession.policies._trust_verdict import CallingPrincipal


def keys(of: Attempt) -> dict[str, Any]:
    """Its condition keys, but for those that every request has."""
    always = {"aws:viaawsservice", "aws:requestedregion", "aws:currenttime", "aws:epochtime", "sts:rolesessionname"}
    return {key: values for key, values in of.keys().values.items() if key not in always}


def test_every_request_has_a_time_a_region_and_a_name() -> None:
    """The time is in whole seconds, as AWS's is."""
    found = attempt().keys()
    assert found.get("aws:CurrentTime") == ("1970-01-01T00:00:00Z",)
    assert found.get("aws:EpochTime") == ("0",)
    assert found.get("aws:RequestedRegion") == ("eu-west-1",)
    assert found.get("sts:RoleSessionName") == ("bruce",)


def test_a_users_long_term_key_has_neither_mfa_nor_tags() -> None:
    """What the request lacks is known to be lacking."""
    assert keys(attempt(long_term_key=True)) == {
        "sts:externalid": (),
        "sts:sourceidentity": (),
        "aws:sourceidentity": (),
        "sts:transitivetagkeys": (),
        "aws:tagkeys": (),
        "aws:principalaccount": (BATMAN,),
        "aws:principalarn": (USER.arn,),
        "aws:principaltype": ("User",),
        "aws:username": ("bruce",),
        "aws:userid": ("AIDABRUCE",),
        "aws:multifactorauthpresent": (),
        "aws:multifactorauthage": (),
    }


def test_what_is_sent_is_there() -> None:
    """Tags with those that are inherited."""
    role = {"external_id": "agreed", "source_identity": "bruce", "tags": {"Team": "heroes"}, "mfa_serial": "123456789"}
    found = attempt(role=role, inherited_tags={"cost": "1"})
    assert found.actions == ("sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity")
    assert {key: found.keys().get(key) for key in ("sts:ExternalId", "aws:RequestTag/team", "aws:RequestTag/cost")} == {
        "sts:ExternalId": ("agreed",),
        "aws:RequestTag/team": ("heroes",),
        "aws:RequestTag/cost": ("1",),
    }
    assert set(found.keys().get("aws:TagKeys") or ()) == {"Team", "cost"}
    assert found.keys().get("aws:MultiFactorAuthPresent") == ("true",)
    assert found.keys().get("sts:SourceIdentity") == ("bruce",)


def test_a_session_of_the_source_may_carry_what_is_not_seen() -> None:
    """Tags and a source identity; its role's path, and whether a user's session passed MFA."""
    source = CallingPrincipal(SESSION.arn)
    found = attempt(source, tags_known=False, source_identity_known=False).keys()
    for key in ("aws:TagKeys", "aws:RequestTag/team", "sts:SourceIdentity", "aws:SourceIdentity", "aws:PrincipalArn"):
        assert found.get(key) is None
    assert found.get("aws:userid") is None
    assert found.get("aws:MultiFactorAuthPresent") == ("false",)
    assert attempt(USER).keys().get("aws:MultiFactorAuthPresent") is None


def test_the_hop_before_is_known_well() -> None:
    """Its role with its path, and the source identity that it holds."""
    found = attempt(SESSION, hop=2, source_identity="bruce")
    assert found.identity == "bruce"
    assert found.keys().get("aws:PrincipalArn") == (HUB_ROLE,)
    assert found.keys().get("aws:PrincipalType") == ("AssumedRole",)
    assert found.keys().get("sts:SourceIdentity") == ("bruce",)
    assert found.keys().get("aws:username") == ()


def test_a_root_user_and_a_federated_user_have_kinds_of_their_own() -> None:
    """Of the second, none that is known here."""
    root = attempt(CallingPrincipal(f"arn:aws:iam::{BATMAN}:root")).keys()
    assert root.get("aws:PrincipalType") == ("Account",)
    federated = attempt(CallingPrincipal(f"arn:aws:sts::{BATMAN}:federated-user/bruce")).keys()
    assert federated.get("aws:PrincipalType") is None
