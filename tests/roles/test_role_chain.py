from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.errors import ConfigError, InvalidRoleError
from xsession.roles import Role, RoleChain
from xsession.roles._role_chain import as_chain

ARN = "arn:aws:iam::222222222222:role/BatmanReadsBucket"


def test_a_chain_is_its_roles_in_order() -> None:
    """Roles and ARNs may be mixed; the last one is the account's."""
    chain = RoleChain("arn:aws:iam::333333333333:role/Hub", Role(ARN, duration_seconds=3_600))
    assert [hop.name for hop in chain] == ["Hub", "BatmanReadsBucket"]
    assert (len(chain), chain.last, chain.account_id) == (2, chain.roles[1], "222222222222")
    assert repr(chain).startswith("RoleChain(Role(")
    assert as_chain(chain) is chain
    assert as_chain(ARN) == as_chain(Role(ARN))


@pytest.mark.parametrize(
    ("later", "problem"),
    [
        (Role("arn:aws-cn:iam::222222222222:role/R"), "can't leave its partition"),
        (Role(ARN, duration_seconds=7_200), "duration_seconds 7200 is over the 3600"),
        (Role(ARN, mfa_serial="arn:aws:iam::111111111111:mfa/b"), "mfa_serial is for the first hop"),
        (Role(ARN, web_identity_token_file="token"), "web identity is for the first hop"),
        (Role(ARN, web_identity_token=lambda: "token"), "web identity is for the first hop"),
    ],
)
def test_what_a_later_hop_can_not_do_is_refused(later: Role, problem: str) -> None:
    """Role chaining has limits of its own."""
    with pytest.raises(InvalidRoleError, match=problem) as caught:
        RoleChain("arn:aws:iam::333333333333:role/Hub", later)
    assert caught.value.hop == 2
    assert isinstance(caught.value, ConfigError)


PASSING_ON = Role("arn:aws:iam::333333333333:role/Hub", tags={"Team": "red", "own": "x"}, transitive_tag_keys=["Team"])


@pytest.mark.parametrize("tags", [{"Team": "blue"}, {"team": "red"}, {"a": "b", "TEAM": "red"}])
@pytest.mark.parametrize("between", [0, 2])
def test_a_tag_that_is_inherited_is_not_set_again(tags: dict[str, str], between: int) -> None:
    """In whatever case, to whatever value, and however many hops later: STS refuses it."""
    with pytest.raises(InvalidRoleError, match="is inherited from hop 1, where it is transitive") as caught:
        RoleChain(PASSING_ON, *[ARN] * between, Role(ARN, tags=tags))
    assert caught.value.hop == between + 2
    assert caught.value.hint == "leave it out of tags= of this role, or out of transitive_tag_keys= of hop 1"


def test_a_tag_that_ends_with_its_hop_may_be_set_again() -> None:
    """It is not inherited."""
    assert len(RoleChain(PASSING_ON, Role(ARN, tags={"own": "y"}))) == 2


LATER: list[tuple[Callable[[], Role], str]] = [
    (lambda: Role(ARN, duration_seconds=3_601), "3600"),
    (lambda: Role(ARN, mfa_serial="GAHT12345678"), "first hop"),
    (lambda: Role(ARN, web_identity_token_file="token"), "first hop"),
    (lambda: Role(ARN.replace("aws", "aws-cn", 1)), "partition"),
]


@pytest.mark.parametrize(("later", "problem"), LATER)
@given(st.integers(1, 4))
def test_what_a_later_hop_can_not_do_is_refused_at_any_place(later: Any, problem: str, place: int) -> None:
    """With the place."""
    with pytest.raises(InvalidRoleError, match=problem) as caught:
        RoleChain(*[ARN] * place, later(), ARN)
    assert caught.value.hop == place + 1
