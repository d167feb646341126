from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from xsession import (
    SOURCE,
    Account,
    Accounts,
    ConfigError,
    Role,
    RoleChain,
    UnknownAccountError,
)
from xsession.roles import Defaults

VEGETA = "arn:aws:iam::222222222222:role/BatmanReadsBucket"
HUB = "arn:aws:iam::333333333333:role/Hub"
NAMED = Accounts({"vegeta": VEGETA, "hub": HUB})


def test_accounts_are_given_in_any_form() -> None:
    """An ARN, a Role, a RoleChain or an Account, under a name; or Account objects alone."""
    role, chain = Role(VEGETA), RoleChain(HUB, VEGETA)
    given = {"arn": VEGETA, "role": role, "chain": chain, "account": Account("account", role)}
    accounts = Accounts(given)  # type: ignore[arg-type]  # mypy takes a dict's values for plain objects
    assert [account.chain for account in accounts.values()] == [
        RoleChain(role),
        RoleChain(role),
        chain,
        RoleChain(role),
    ]
    assert list(Accounts([Account("b", VEGETA), Account("a", HUB)])) == ["b", "a"]
    assert accounts["chain"].roles == chain.roles


def test_names_are_completed() -> None:
    """Where IPython is asked for keys: `accounts["<tab>`."""
    assert NAMED._ipython_key_completions_() == ["vegeta", "hub"]


def test_find_takes_names_and_ids() -> None:
    """Both mean the registered account."""
    assert NAMED.find("vegeta") is NAMED["vegeta"]
    assert NAMED.find("222222222222") is NAMED["vegeta"]


def test_one_account_or_several_are_found() -> None:
    """A string and a chain are one each, although both can be iterated over; None is all."""
    assert NAMED.find_all("vegeta") == [NAMED["vegeta"]]
    assert NAMED.find_all(["hub", "vegeta"]) == [NAMED["hub"], NAMED["vegeta"]]
    assert NAMED.find_all(None) == list(NAMED.values())
    (account,) = NAMED.find_all(RoleChain(HUB, VEGETA))
    assert account.roles == (Role(HUB), Role(VEGETA))
    wrong: Any = b"vegeta"
    with pytest.raises(ConfigError, match="names no account"):
        NAMED.find_all(wrong)


@pytest.mark.parametrize("ref", [Role(VEGETA), RoleChain(VEGETA)])
def test_find_takes_roles(ref: Role | RoleChain) -> None:
    """A role that is not registered is an account of its own, and takes no defaults."""
    account = NAMED.find(ref)
    assert (account.name, account.chain, account.registered) == (
        "222222222222-BatmanReadsBucket",
        RoleChain(VEGETA),
        False,
    )


def test_find_knows_the_source() -> None:
    """SOURCE is an account without a chain."""
    assert NAMED.find(SOURCE) == Account("source")
    assert repr(SOURCE) == "SOURCE"


def test_find_takes_accounts_and_tells_registered_ones() -> None:
    """An account that is equal to a registered one is registered; any other takes no defaults."""
    assert NAMED.find(Account("vegeta", VEGETA)).registered
    assert not NAMED.find(Account("vegeta", HUB)).registered
    assert not NAMED.find(Account("other", HUB, registered=True)).registered


@pytest.mark.parametrize("ref", [None, "", 5, [], VEGETA, b"vegeta", 222222222222])
def test_find_refuses_what_names_no_account(ref: Any) -> None:
    """None, "" and ARNs above all: there is no fall-back, and a string from outside is never a role."""
    with pytest.raises(ConfigError):
        NAMED.find(ref)


@pytest.mark.parametrize(
    ("accounts", "ref", "hint"),
    [
        (NAMED, "vegetta", "did you mean vegeta?"),
        (NAMED, "zzz", "use one of vegeta, hub"),
        (Accounts(), "vegeta", "register accounts first"),
        (Accounts({f"a{number}": VEGETA for number in range(12)}), "zzz", "and 2 more"),
        (Accounts({"a": VEGETA, "b": VEGETA}), "222222222222", "use one of a, b"),
    ],
)
def test_unknown_names_say_what_is_near(accounts: Accounts, ref: str, hint: str) -> None:
    """The close matches, else the names that exist."""
    with pytest.raises(UnknownAccountError) as caught:
        accounts.find(ref)
    assert hint in str(caught.value)


def test_a_mapping_of_accounts_says_what_is_near() -> None:
    """As `find` does; it is a KeyError, and so what mappings do with one works on."""
    accounts = Accounts({"vegeta": VEGETA})
    with pytest.raises(KeyError) as caught:
        accounts["vegetta"]
    assert type(caught.value) is UnknownAccountError
    assert "no account has the name 'vegetta'; did you mean vegeta?" in str(caught.value)
    assert accounts.get("vegetta") is None
    assert "vegetta" not in accounts


def test_where_matches_names_ids_and_tags() -> None:
    """With wildcards; an account without the tag does not match."""
    accounts = Accounts(
        [
            Account("team-a", VEGETA, tags={"env": "prod"}),
            Account("team-b", HUB, tags={"env": "dev"}),
            Account("other", HUB),
            Account("sso", source="p", tags={"env": "prod"}),
        ]
    )
    assert list(accounts.where(env="prod")) == ["team-a", "sso"]
    assert list(accounts.where(name="team-*", env="*")) == ["team-a", "team-b"]
    assert list(accounts.where(account_id="3*")) == ["team-b", "other"]


def test_two_collections_join() -> None:
    """Of two accounts with one name, the right one's is taken."""
    joined = NAMED | Accounts({"hub": VEGETA, "new": HUB})
    assert {name: account.account_id for name, account in joined.items()} == {
        "vegeta": "222222222222",
        "hub": "222222222222",
        "new": "333333333333",
    }
    assert repr(joined) == "Accounts(vegeta, hub, new)"
    with pytest.raises(TypeError):
        NAMED | {"a": VEGETA}  # type: ignore[operator]  # the point of the test


def test_accounts_can_be_pickled() -> None:
    """They are configuration, and travel to other processes."""
    assert pickle.loads(pickle.dumps(NAMED)) == NAMED


FILE = """
[defaults]
role_session_name = "batman"
region_name = "eu-west-1"

[accounts.vegeta]
account_id = "222222222222"
role_name = "BatmanReadsBucket"
tags = { env = "prod" }

[accounts.sso]
source = "profile"
"""


def write(tmp_path: Path, text: str) -> Path:
    """An xsession.toml."""
    path = tmp_path / "xsession.toml"
    path.write_text(text)
    return path


def test_a_file_becomes_accounts(tmp_path: Path) -> None:
    """With its defaults, and with the place that each one comes from."""
    path = write(tmp_path, FILE)
    accounts = Accounts.from_toml(path)
    assert accounts["vegeta"].chain == RoleChain(VEGETA)
    assert accounts["vegeta"].defaults == Defaults(role_session_name="batman", region_name="eu-west-1")
    assert accounts["vegeta"].tags == {"env": "prod"}
    assert accounts["vegeta"].origin == f"{path}:6: accounts.vegeta"
    assert (accounts["sso"].source, accounts["sso"].chain) == ("profile", None)


@pytest.mark.parametrize("line", ['region_name = "Europe"', 'account_id = "5"\nsource = "p"'])
def test_an_account_of_a_file_that_is_not_valid_names_its_place(tmp_path: Path, line: str) -> None:
    """The message begins with the account, the file and the key."""
    role = "" if "account_id" in line else f'role_arn = "{VEGETA}"\n'
    path = write(tmp_path, f"[accounts.a]\n{role}{line}\n")
    with pytest.raises(ConfigError) as caught:
        Accounts.from_toml(path)
    assert str(caught.value).startswith(f"account 'a': {path}:1: accounts.a: {line.split(maxsplit=1)[0]} ")
    assert caught.value.place == f"{path}:1: accounts.a"


def test_a_hint_and_the_place_stand_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What to do is not lost when the place is added."""

    def refuse(*_args: object, **_options: object) -> Account:
        msg = "no"
        raise ConfigError(msg, hint="do this")

    monkeypatch.setattr("xsession.accounts._files.Account", refuse)
    with pytest.raises(ConfigError, match=r":6: accounts\.vegeta: no; do this$"):
        Accounts.from_toml(write(tmp_path, FILE))


# Sets


BROKEN = Accounts({"good": VEGETA}, unusable={"bad": ConfigError("no", hint="fix it")})


def test_a_wrong_account_raises_when_it_is_asked_for() -> None:
    """Every time again, and nothing else is hidden."""
    assert list(BROKEN.items()) == [("good", BROKEN["good"])]
    assert "bad" not in BROKEN
    for ask in (BROKEN.find, BROKEN.__getitem__, BROKEN.get):
        with pytest.raises(ConfigError, match="account 'bad': no; fix it"):
            ask("bad")
    assert pickle.loads(pickle.dumps(BROKEN)).unusable.keys() == {"bad"}


def test_intersection_and_difference_go_by_names() -> None:
    """In the order of the left one, whose accounts they are."""
    some = Accounts({"new": HUB, "hub": VEGETA})
    assert list(NAMED & some) == ["hub"]
    assert (NAMED & some)["hub"] == NAMED["hub"]
    assert list(NAMED - some) == ["vegeta"]
    assert list(NAMED | some) == ["vegeta", "hub", "new"]
    for operation in (Accounts.__and__, Accounts.__sub__, Accounts.__or__):
        assert operation(NAMED, {"a": VEGETA}) is NotImplemented  # type: ignore[arg-type]  # the point of the test


def test_wrong_accounts_take_part_in_sets() -> None:
    """A name that one side has wrongly is a name of that side: no other account slips in under it."""
    bad = Accounts({"bad": VEGETA, "other": VEGETA})
    assert list(BROKEN | bad) == ["good", "bad", "other"]
    assert dict((BROKEN | bad).unusable) == {}
    assert list(bad | BROKEN) == ["other", "good"]
    assert set((bad | BROKEN).unusable) == {"bad"}
    assert list(bad & BROKEN) == ["bad"]
    assert set((BROKEN & bad).unusable) == {"bad"}
    assert list(bad - BROKEN) == ["other"]
    assert set((BROKEN - NAMED).unusable) == {"bad"}


def test_where_keeps_wrong_accounts_that_only_their_name_decides_on() -> None:
    """Their tags are not known."""
    assert set(BROKEN.where(name="b*").unusable) == {"bad"}
    assert set(BROKEN.where(name="g*").unusable) == set()
    assert set(BROKEN.where(env="prod").unusable) == set()
    assert set(BROKEN.where(account_id="2*").unusable) == set()


def test_an_account_knows_where_it_comes_from() -> None:
    """Code, or its file."""
    assert NAMED["vegeta"].origin == "code"
    assert Accounts([Account("a", VEGETA, origin="x.toml:1: accounts.a")])["a"].origin == "x.toml:1: accounts.a"
