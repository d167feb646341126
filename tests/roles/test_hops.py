from __future__ import annotations

from typing import Any

import pytest

from xsession.errors import InvalidRoleError
from xsession.roles import Defaults, HopResolver, Role, RoleChain, Runner

HUB = "arn:aws:iam::333333333333:role/Hub"
VEGETA = "arn:aws:iam::222222222222:role/R"
RUNNER = Runner(user="bruce", program="cave", host="bat")


def resolver(**defaults: Any) -> HopResolver:
    """One of a session with these defaults."""
    return HopResolver(Defaults(**defaults), RUNNER)


def names(hops: HopResolver, chain: RoleChain, of_file: Defaults | None = None) -> list[str | None]:
    """The session names of a registered account's hops."""
    resolved = hops.hops(chain, hops.defaults(of_file, registered=True), "vegeta")
    return [hop.role.role_session_name for hop in resolved]


def test_a_session_name_says_who_we_are() -> None:
    """Where neither the role nor a default has one."""
    assert names(resolver(), RoleChain(HUB, VEGETA)) == ["bruce-cave"] * 2


def test_a_template_is_filled_in_for_the_account() -> None:
    """One of the role's own, or of a default; a name without placeholders stays as it is."""
    hops = resolver(role_session_name="{user}-at-{account}")
    chain = RoleChain(Role(HUB, role_session_name="{host}"), Role(VEGETA, role_session_name="fixed"))
    assert names(hops, chain) == ["bat", "fixed"]
    assert names(hops, RoleChain(VEGETA)) == ["bruce-at-vegeta"]


def test_defaults_in_code_come_before_those_of_a_file() -> None:
    """And those of a file before none; they are merged once."""
    of_file = Defaults(role_session_name="of-file", source_identity="of-file")
    hops = resolver(role_session_name="in-code")
    merged = hops.defaults(of_file, registered=True)
    assert (merged.role_session_name, merged.source_identity) == ("in-code", "of-file")
    assert hops.defaults(of_file, registered=True) is merged
    assert names(resolver(), RoleChain(VEGETA), of_file) == ["of-file"]


def test_an_account_that_is_not_registered_takes_nothing_but_the_session_name() -> None:
    """And who asks for MFA codes, which is no option of a role."""
    hops = HopResolver(Defaults(source_identity="bruce", mfa_command=["code"], mfa_duration_seconds=900), RUNNER)
    taken = hops.defaults(None, registered=False)
    assert taken == Defaults(role_session_name="bruce-cave", mfa_command=["code"], mfa_duration_seconds=900)


def test_an_account_without_a_chain_has_no_hops() -> None:
    """Its credentials are the source's own."""
    hops = resolver()
    assert hops.hops(None, hops.defaults(None, registered=True), "own") == ()


def test_a_default_region_of_sts_is_for_roles_of_its_partition() -> None:
    """A role of another one is asked for where its own STS is."""
    hops = resolver(sts_region_name="eu-west-1")
    china = RoleChain("arn:aws-cn:iam::222222222222:role/R")
    regions = [
        hop.role.sts_region_name
        for chain in (RoleChain(VEGETA), china)
        for hop in hops.hops(chain, hops.defaults(None, registered=True), "vegeta")
    ]
    assert regions == ["eu-west-1", None]


def test_a_default_tag_that_is_passed_on_is_not_set_again() -> None:
    """The chain alone was good."""
    hops = resolver(tags={"team": "bats"}, transitive_tag_keys=["team"])
    defaults = hops.defaults(None, registered=True)
    other = RoleChain(HUB, Role(VEGETA, tags={"other": "x"}))
    assert hops.hops(other, defaults, "vegeta")[0].role.tags == {"team": "bats"}
    again = RoleChain(HUB, Role(VEGETA, tags={"Team": "bats"}))
    with pytest.raises(InvalidRoleError, match="'Team' is inherited from hop 1"):
        hops.hops(again, defaults, "vegeta")
