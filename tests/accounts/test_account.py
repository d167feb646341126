from __future__ import annotations

import boto3
import pytest

from xsession import Account, ConfigError, Role

VEGETA = "arn:aws:iam::222222222222:role/BatmanReadsBucket"


def test_the_account_id_comes_from_the_chain() -> None:
    """It need not be said twice; where there is no chain, it is what was said."""
    assert Account("vegeta", VEGETA).account_id == "222222222222"
    assert Account("sso", source="profile", account_id="444444444444").account_id == "444444444444"
    assert Account("sso", source="profile").account_id is None


def test_its_roles_are_those_of_its_chain() -> None:
    """None, where the source's credentials are its own."""
    assert Account("vegeta", VEGETA).roles == (Role(VEGETA),)
    assert Account("plain").roles == ()


def test_a_long_value_is_cut_in_messages() -> None:
    """Whatever was passed by mistake does not fill the screen."""
    with pytest.raises(ConfigError) as caught:
        Account("x" * 5_000)
    assert len(str(caught.value)) < 400


def test_a_session_may_be_an_accounts_source() -> None:
    """Its credentials start the chain; two accounts with different ones differ."""
    first, second = boto3.Session(region_name="eu-west-1"), boto3.Session(region_name="eu-west-1")
    assert Account("a", source=first) != Account("a", source=second)
    assert Account("a", source=first).has_own_session
    assert not any(Account("a", source=source).has_own_session for source in ("profile", None))


def test_where_it_was_defined_makes_no_difference() -> None:
    """Two accounts that differ in nothing else are one."""
    defined = Account("a", VEGETA, origin="x.toml:1: accounts.a")
    assert defined == Account("a", VEGETA)
    assert hash(defined) == hash(Account("a", VEGETA))
