from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.accounts.test_selection import ORGANIZATION
from xsession.accounts import Accounts, KeptOrganizations
from xsession.accounts._files import of_file
from xsession.accounts._toml import read_content
from xsession.accounts._toml_file import load
from xsession.errors import ConfigError

ABOVE = """
[defaults]
role_name = "Auditor"
region_name = "eu-west-1"
[hubs.main]
role_arn = "arn:aws:iam::333333333333:role/Hub"
source = "sso"
[accounts.management]
account_id = "111111111111"
"""


def table(path: Path, text: str, above: str = ABOVE) -> object:
    """What a file says of its organization."""
    path.write_text(f"{above}\n{text}")
    return read_content(path, load(path)).organization


def test_a_table_says_it_all(tmp_path: Path) -> None:
    """How accounts are reached, and which are meant."""
    text = """
    [organization]
    account = "management"
    role_name = "Reader"
    via = "main"
    region_name = "eu-central-1"
    under = ["Workloads"]
    tags = { env = "prod" }
    names = ["shop*"]
    exclude = ["Suspended"]
    states = ["ACTIVE", "SUSPENDED"]
    allow_empty = true
    """
    found = table(tmp_path / "a.toml", text)
    assert found.account == "management"  # type: ignore[attr-defined]
    assert found.access.role_name == "Reader"  # type: ignore[attr-defined]
    assert found.access.source == "sso"  # type: ignore[attr-defined]
    assert [role.name for role in found.access.hops] == ["Hub"]  # type: ignore[attr-defined]
    assert found.access.options["region_name"] == "eu-central-1"  # type: ignore[attr-defined]
    assert found.selection.under == ("Workloads",)  # type: ignore[attr-defined]
    assert found.allow_empty  # type: ignore[attr-defined]


def test_the_defaults_name_the_role(tmp_path: Path) -> None:
    """And whatever else an account takes."""
    found = table(tmp_path / "a.toml", '[organization]\naccount = "management"')
    assert found.access.role_name == "Auditor"  # type: ignore[attr-defined]
    assert found.access.options["defaults"].region_name == "eu-west-1"  # type: ignore[attr-defined]
    assert not found.allow_empty  # type: ignore[attr-defined]
    assert table(tmp_path / "a.toml", "") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('organization = "o-1"\n[hubs]', "organization: a table is needed here"),
        ("[organization]", "account: None is not the name of an account of this file; name the management account"),
        ('[organization]\naccount = "main"', "account: 'main' is not the name of an account"),
        (
            '[organization]\naccounts = "management"',
            r"a.toml:\d+: organization.accounts: unknown key; did you mean account",
        ),
        ('[organization]\naccount = "management"\nrole_name = 5', "role_name: the name of the role in each account"),
        ('[organization]\naccount = "management"\nrole_name = "no role"', "organization: role_arn .* is not valid"),
        ('[organization]\naccount = "management"\nvia = "hub"', "via: 'hub' is not the name of a hub; hubs here: main"),
        ('[organization]\naccount = "management"\nregion_name = "x"', "organization: region_name 'x' is not valid"),
        ('[organization]\naccount = "management"\nallow_empty = 1', "allow_empty: true or false is needed here"),
        ('[organization]\naccount = "management"\nunder = "Prod"', "organization: under 'Prod' is not valid: a list"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    """Before the network."""
    above = ABOVE if text.startswith("[") else ""
    with pytest.raises(ConfigError, match=message):
        table(tmp_path / "a.toml", text, above)


def test_a_file_has_one_organization(tmp_path: Path) -> None:
    """With those that it includes."""
    (tmp_path / "b.toml").write_text('[organization]\naccount = "management"')
    with pytest.raises(
        ConfigError, match=r"b.toml:1: organization: .*a.toml:\d+: organization is an organization already"
    ):
        table(tmp_path / "a.toml", '[organization]\naccount = "management"', f'include = "b.toml"\n{ABOVE}')


def test_who_asks_has_an_id(tmp_path: Path) -> None:
    """Under which the list is kept."""
    path = tmp_path / "a.toml"
    path.write_text('[accounts.me]\nsource = "sso"\n[organization]\naccount = "me"\nrole_name = "Reader"')
    with pytest.raises(ConfigError, match=r"organization.account: the account 'me' has no account_id.*; give it one"):
        Accounts.from_toml(path)


def kept(path: Path, text: str, *, has_tags: bool = True) -> Accounts:
    """The accounts of a file where its organization was listed."""
    path.write_text(f"{ABOVE}\n[organization]\naccount = 'management'\n{text}")
    organization = replace(ORGANIZATION, has_tags=has_tags)
    read = of_file(path, lambda: KeptOrganizations(None, {"111111111111": organization}), 0.0)
    return Accounts(read.accounts, considered=read.considered, asks=read.asks)


def test_what_was_listed_comes_beside_the_accounts_of_the_file(tmp_path: Path) -> None:
    """With the tags, if they are selected by; and without a list, that is said."""
    path = tmp_path / "a.toml"
    assert list(kept(path, "exclude = ['Workloads']")) == ["management", "net", "old"]
    assert list(kept(path, "tags = { env = 'prod' }")) == ["management", "shop"]
    without = kept(path, "tags = { env = 'prod' }", has_tags=False)
    assert list(without) == ["management"]
    assert "beside those of the organization that management lists, which AWS was not asked for yet" in str(without)
    assert "beside" not in str(kept(path, ""))


def test_a_list_that_does_not_fit_is_as_good_as_none(tmp_path: Path) -> None:
    """It may be older than the file; where nobody can ask, it is an error."""
    path = tmp_path / "a.toml"
    (ask,) = kept(path, "under = ['Fresh']").asks
    assert not ask.is_kept
    assert "no OU 'Fresh'" in str(ask.problem)
    KeptOrganizations.named_by(os.environ).keep("111111111111", ORGANIZATION)
    with pytest.raises(ConfigError, match="no OU 'Fresh'"):
        Accounts.from_toml(path)
    kept(path, "under = ['Workloads']")
    for read in (Accounts.from_toml, Accounts.from_config):
        assert list(read(path)) == ["management", "shop", "shop-eu", "tools"]
