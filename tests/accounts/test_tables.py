from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from xsession import Account, Accounts, ConfigError, CrossAccountSession, Role, RoleChain

VEGETA = "arn:aws:iam::222222222222:role/Reader"
HUB = "arn:aws:iam::333333333333:role/Hub"

TABLES: list[tuple[dict[str, Any], Account]] = [
    ({"account_id": "222222222222", "role_name": "Reader"}, Account("a", VEGETA)),
    ({"role_arn": VEGETA, "external_id": "agreed-on"}, Account("a", Role(VEGETA, external_id="agreed-on"))),
    ({"chain": [HUB, {"role_arn": VEGETA, "duration_seconds": 900}]},
     Account("a", RoleChain(HUB, Role(VEGETA, duration_seconds=900)))),
    ({"source": "admin", "account_id": "222222222222"}, Account("a", source="admin", account_id="222222222222")),
    ({"role_arn": VEGETA, "region_name": "eu-west-1", "tags": {"env": "prod"}, "session_tags": {"team": "bats"}},
     Account("a", Role(VEGETA, tags={"team": "bats"}), region_name="eu-west-1", tags={"env": "prod"})),
]  # fmt: skip


def registered(account: Account) -> Account:
    """An account as `Accounts` keeps it."""
    return Accounts([account])[account.name]


@pytest.mark.parametrize(("table", "account"), TABLES)
def test_a_mapping_by_name_is_an_account(table: dict[str, Any], account: Account) -> None:
    """By the keys of a file."""
    assert Accounts({"a": table})["a"] == registered(account)


@pytest.mark.parametrize(("table", "account"), TABLES)
def test_a_mapping_of_a_list_has_its_name(table: dict[str, Any], account: Account) -> None:
    """As JSON and YAML have such rows; Account objects may be among them."""
    accounts = Accounts([{"name": "a", **table}, Account("other", HUB)])
    assert list(accounts) == ["a", "other"]
    assert accounts["a"] == registered(account)
    assert accounts["a"].origin == "code"


@pytest.mark.parametrize(("table", "account"), TABLES)
def test_a_file_says_the_same(tmp_path: Path, table: dict[str, Any], account: Account) -> None:
    """By name or in a list: the accounts differ in their defaults alone, which are the file's."""
    keys = "".join(f"{key} = {_toml(value)}\n" for key, value in table.items())
    path = tmp_path / "xsession.toml"
    for text in (f"[accounts.a]\n{keys}", f'[[accounts]]\nname = "a"\n{keys}'):
        path.write_text(text)
        found = Accounts.from_toml(path)["a"]
        assert (found.chain, found.source, found.account_id) == (account.chain, account.source, account.account_id)
        assert (found.region_name, found.tags) == (account.region_name, account.tags)


def test_an_arn_in_a_file_says_it_all(tmp_path: Path) -> None:
    """Of an account as of a hub."""
    path = tmp_path / "xsession.toml"
    path.write_text(
        f'[hubs]\nmain = "{HUB}"\n[accounts]\na = "{VEGETA}"\nb = {{ via = "main", role_arn = "{VEGETA}" }}'
    )
    accounts = Accounts.from_toml(path)
    assert accounts["a"].chain == RoleChain(VEGETA)
    assert accounts["b"].chain == RoleChain(HUB, VEGETA)


def test_rows_of_a_csv_file_are_accounts() -> None:
    """An empty cell is no value: the caller leaves it out, or it is an error."""
    file = io.StringIO(
        "name,account_id,role_name,external_id\nprod,022222222222,Reader,\ntest,333333333333,Reader,word\n"
    )
    rows = [{key: cell for key, cell in row.items() if cell} for row in csv.DictReader(file)]
    accounts = Accounts(rows)
    assert accounts["prod"].chain == RoleChain("arn:aws:iam::022222222222:role/Reader")
    assert accounts["test"].roles[0].external_id == "word"
    file.seek(0)
    with pytest.raises(ConfigError, match=r": accounts: \[0\]: external_id \(not shown\) is not valid"):
        Accounts(csv.DictReader(file))


def test_none_is_as_good_as_no_key() -> None:
    """As JSON's null, and as everywhere in Python."""
    assert Accounts({"a": {"role_arn": VEGETA, "external_id": None}})["a"] == registered(Account("a", VEGETA))


def test_the_sessions_defaults_count_for_mappings() -> None:
    """As for any registered account."""
    xs = CrossAccountSession({"a": {"role_arn": VEGETA}}, duration_seconds=900)
    assert xs._resolve(xs.accounts["a"]).hops[0].role.duration_seconds == 900


@pytest.mark.parametrize(
    ("accounts", "message"),
    [
        ({"a": {"role_arm": VEGETA}}, "accounts: a.role_arm: unknown key; did you mean role_arn?"),
        ({"a": {"role_arn": VEGETA, "via": "hub"}}, "accounts: a.via: unknown key"),
        ({"a": {}}, "accounts: a: nothing says how the account is reached; give role_arn, or account_id with"),
        ({"a": {"account_id": 222222222222, "role_name": "R"}}, "accounts: a: account_id, role_name and partition are"),
        ({"a": {"chain": [5]}}, "accounts: a.chain[0]: a table is needed here, not 5"),
        ({"a": {"chain": VEGETA}}, "accounts: a.chain: a list of roles is needed here"),
        ({"a": {5: 6}}, "accounts: a: 5 is no key: keys are strings"),
        ({5: {"role_arn": VEGETA}}, "account name 5 is not valid"),
        ({"a b": {"role_arn": VEGETA}}, "account name 'a b' is not valid"),
        ([{"name": "a b", "role_arn": VEGETA}], "xsession.accounts.valid_names makes valid ones"),
        ([{"role_arn": VEGETA}], "accounts: [0]: each account of a list has a name, a string; give it the key name"),
        ([{"name": 5, "role_arn": VEGETA}], "accounts: [0]: each account of a list has a name, a string"),
        ([{"name": "a", "role_arn": VEGETA}] * 2, "two accounts have the name 'a': code"),
        ([{"name": "a", "account_id": "222", "role_name": "R"}], "accounts: [0]: role_arn 'arn:aws:iam::222:role/R'"),
        (["a"], "'a' among the accounts is not an Account; pass Account objects, or mappings such as"),
        ({"a": {"source": object()}}, "accounts: a.source: the name of a profile is needed here"),
    ],
)
def test_a_mapping_that_is_wrong_is_refused(accounts: Any, message: str) -> None:
    """Where it stands, what is wrong, and what would be right."""
    with pytest.raises(ConfigError, match=re.escape(message)):
        Accounts(accounts)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[accounts]]\nname = "a"\nrole_arm = "x"', r":3: accounts\[0\].role_arm: unknown key; did you mean role_arn"),
        (f'[[accounts]]\nrole_arn = "{VEGETA}"', r":1: accounts\[0\]: each account of a list has a name, a string"),
        ('[accounts]\na = "arn"', r":2: accounts.a: role_arn 'arn' is not valid"),
        (
            f'[[accounts]]\nname = "a"\nrole_arn = "{VEGETA}"\n' * 2,
            r":4: accounts\[1\]: .*:1: accounts\[0\] has the same",
        ),
    ],
)
def test_a_list_in_a_file_is_refused_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    """Of the very item that is wrong."""
    path = tmp_path / "xsession.toml"
    path.write_text(text)
    tomllib.loads(text)
    with pytest.raises(ConfigError, match=message):
        Accounts.from_toml(path)


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)
