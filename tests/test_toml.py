from __future__ import annotations

from pathlib import Path

import pytest

from xsession._toml import read_toml
from xsession.errors import ConfigError
from xsession.policies import allow
from xsession.roles import Role, RoleChain

VEGETA = "arn:aws:iam::222222222222:role/R"
HUB = "arn:aws:iam::333333333333:role/Hub"


def chain_of(tmp_path: Path, text: str) -> RoleChain:
    """The chain of the only account of a file."""
    path = tmp_path / "xsession.toml"
    path.write_text(text)
    (entry,) = read_toml(path)
    chain: RoleChain = entry.options["chain"]
    return chain


def test_a_role_by_its_arn_with_options(tmp_path: Path) -> None:
    """Every option of a Role stands beside it; session_tags are the Role's tags."""
    chain = chain_of(
        tmp_path,
        f"""
        [accounts.vegeta]
        role_arn = "{VEGETA}"
        account_id = "222222222222"
        external_id = "word"
        duration_seconds = 900
        session_tags = {{ team = "heroes" }}
        transitive_tag_keys = ["team"]
        policy = '{allow("s3:*").to_json()}'
        """,
    )
    role = Role(
        VEGETA,
        external_id="word",
        duration_seconds=900,
        tags={"team": "heroes"},
        transitive_tag_keys=["team"],
        policy=allow("s3:*"),
    )
    assert chain == RoleChain(role)


def test_a_role_by_account_and_name(tmp_path: Path) -> None:
    """The partition may be said too."""
    text = '[accounts.a]\naccount_id = "222222222222"\nrole_name = "R"\n'
    assert chain_of(tmp_path, text) == RoleChain(VEGETA)
    assert chain_of(tmp_path, f'{text}partition = "aws-cn"').last.partition == "aws-cn"


def test_a_chain_of_roles(tmp_path: Path) -> None:
    """ARNs and tables, in the order in which they are assumed."""
    text = f'[accounts.a]\nchain = ["{HUB}", {{ role_arn = "{VEGETA}", external_id = "word" }}]'
    assert chain_of(tmp_path, text) == RoleChain(HUB, Role(VEGETA, external_id="word"))


def test_an_empty_file_has_no_accounts(tmp_path: Path) -> None:
    """Neither table must be there."""
    path = tmp_path / "xsession.toml"
    path.write_text("")
    assert read_toml(str(path)) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[accounts", "is not valid TOML: "),
        ("[acounts.a]", "acounts: unknown key; did you mean accounts?"),
        ("accounts = 5", "accounts: a table is needed here, not 5"),
        ("[accounts]\na = 5", "accounts.a: a table is needed here, not 5"),
        ("[defaults]\nduration = 900", ":2: defaults.duration: unknown key"),
        ('[defaults]\nexternal_id = "word"', ":2: defaults.external_id: unknown key"),
        ("[defaults]\nduration_seconds = 1", "defaults: duration_seconds 1"),
        ('[defaults]\ntags = { a = "b" }', ":2: defaults.tags: unknown key; keys here: duration_seconds"),
        (f'[accounts.a]\nrole_arm = "{VEGETA}"', ":2: accounts.a.role_arm: unknown key; did you mean role_arn?"),
        ("[accounts.a]\nzzz = 1", ":2: accounts.a.zzz: unknown key; keys here: account_id"),
        ("[accounts.a]", "nothing says how the account is reached"),
        ('[accounts.a]\naccount_id = "222222222222"', "nothing says how the account is reached"),
        ("[accounts.a]\nsource = 5", "accounts.a.source: the name of a profile"),
        (f'[accounts.a]\nchain = ["{HUB}"]\nexternal_id = "w"', "external_id can't stand beside chain"),
        ("[accounts.a]\nchain = []", "accounts.a.chain: a list of roles"),
        (f'[accounts.a]\nchain = "{HUB}"', "accounts.a.chain: a list of roles"),
        ("[accounts.a]\nchain = [5]", "accounts.a.chain[0]: a table is needed"),
        ("[accounts.a]\nchain = [{}]", "accounts.a.chain[0]: a role is needed"),
        ('[accounts.a]\nrole_name = "R"', "give role_arn, or account_id with role_name"),
        ('[accounts.a]\naccount_id = 222222222222\nrole_name = "R"', "put the digits into quotes"),
        (f'[accounts.a]\nrole_arn = "{VEGETA}"\nrole_name = "R"', "role_arn says it all"),
        (f'[accounts.a]\nrole_arn = "{VEGETA}"\nexternal_id = "x"', "accounts.a: external_id (not shown)"),
        (f'[accounts.a]\nchain = ["{HUB}", "arn:aws-cn:iam::222222222222:role/R"]', "can't leave its partition"),
        (f'[accounts.a]\nrole_arn = "{VEGETA}"\n[accounts.a]\nrole_arn = "{VEGETA}"', "is not valid TOML"),
    ],
)
def test_what_is_wrong_is_refused_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    """File and key path, the problem, and the likely fix."""
    path = tmp_path / "xsession.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_toml(path)
    assert problem in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_file_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, a folder, or not text: the message names the file and the reason."""
    with pytest.raises(ConfigError, match=r"missing\.toml can't be read: No such file"):
        read_toml(tmp_path / "missing.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        read_toml(binary)
