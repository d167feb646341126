from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.accounts import Account, valid_names
from xsession.errors import ConfigError


def test_what_a_name_can_not_have_becomes_a_hyphen() -> None:
    """The answer says which became what, valid names among them."""
    assert valid_names(["Team Prod (EU)", "vegeta", "_hidden"]) == {
        "Team Prod (EU)": "Team-Prod-EU-",
        "vegeta": "vegeta",
        "_hidden": "hidden",
    }


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a b", "a/b"], "'a b' and 'a/b' would both be the account 'a-b'; give one of them another name"),
        (["a", "a"], "'a' and 'a' would both be the account 'a'"),
        (["日本"], "account name '日本' is not valid: 1 to 128 of the characters that names have must be left of it"),
        ([""], "account name '' is not valid"),
        (["a" * 129], "account name 'aaa"),
        ([5], "account name 5 is not valid: a string"),
        ("ab", "names 'ab' is not valid: an iterable of strings"),
        (None, "names None is not valid: an iterable of strings"),
    ],
)
def test_names_that_can_not_be_told_apart_are_refused(names: Any, message: str) -> None:
    """Whoever asked for one of them would get the other's account."""
    with pytest.raises(ConfigError, match="^" + re.escape(message)):
        valid_names(names)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=5))
def test_what_it_makes_are_names_of_accounts(names: list[str]) -> None:
    """Of each name another one; and valid names stay as they are."""
    try:
        became = valid_names(names)
    except ConfigError:
        return
    assert list(became) == names
    for name in became.values():
        Account(name)
    assert list(valid_names(became.values()).values()) == list(became.values())
