from __future__ import annotations

import os
from pathlib import Path

import pytest

from xsession.accounts._entry import Entry
from xsession.accounts._place import FileTrust
from xsession.accounts._tables import ACCOUNT_KEYS, DEFAULT_KEYS
from xsession.accounts._toml import KEYS_TO_TRUST, keys_to_trust, read_document, read_toml
from xsession.accounts._toml_file import parsed
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


def entries_of(tmp_path: Path, text: str) -> dict[str, Entry]:
    """The accounts of a file, by name."""
    path = tmp_path / "xsession.toml"
    path.write_text(text)
    return {entry.name: entry for entry in read_toml(path)}


def test_a_role_name_for_all_accounts(tmp_path: Path) -> None:
    """With it, an account needs its id alone, in a chain as well; what an account says itself comes first."""
    entries = entries_of(
        tmp_path,
        """
        [defaults]
        role_name = "path/Auditor"
        partition = "aws-cn"
        [accounts.a]
        account_id = "222222222222"
        [accounts.other]
        account_id = "222222222222"
        role_name = "Other"
        partition = "aws"
        [accounts.deep]
        chain = [{ account_id = "333333333333", role_name = "Hub" }, { account_id = "222222222222" }]
        [accounts.sso]
        source = "profile"
        account_id = "222222222222"
        """,
    )
    chains = {name: entry.options["chain"] for name, entry in entries.items()}
    auditor = "arn:aws-cn:iam::222222222222:role/path/Auditor"
    assert chains == {
        "a": RoleChain(auditor),
        "other": RoleChain("arn:aws:iam::222222222222:role/Other"),
        "deep": RoleChain("arn:aws-cn:iam::333333333333:role/Hub", auditor),
        "sso": None,
    }


def test_accounts_reached_through_a_named_hub(tmp_path: Path) -> None:
    """Its roles, with all their options, come before those of each account; so does its source."""
    entries = entries_of(
        tmp_path,
        f"""
        [defaults]
        role_name = "Auditor"
        [hubs.main]
        role_arn = "{HUB}"
        external_id = "word"
        source = "login"
        [hubs.inner]
        via = "main"
        chain = ["arn:aws:iam::444444444444:role/Inner"]
        [accounts.a]
        via = "main"
        account_id = "222222222222"
        [accounts.b]
        via = "inner"
        role_arn = "{VEGETA}"
        [accounts.c]
        role_arn = "{VEGETA}"
        """,
    )
    hub = Role(HUB, external_id="word")
    inner = "arn:aws:iam::444444444444:role/Inner"
    assert {name: (entry.options["source"], entry.options["chain"]) for name, entry in entries.items()} == {
        "a": ("login", RoleChain(hub, "arn:aws:iam::222222222222:role/Auditor")),
        "b": ("login", RoleChain(hub, inner, VEGETA)),
        "c": (None, RoleChain(VEGETA)),
    }


def test_an_account_may_say_whose_credentials_reach_its_hub(tmp_path: Path) -> None:
    """Where the hub does not."""
    text = f'[hubs.h]\nrole_arn = "{HUB}"\n[accounts.a]\nvia = "h"\nrole_arn = "{VEGETA}"\nsource = "p"'
    assert entries_of(tmp_path, text)["a"].options["source"] == "p"


def test_files_are_included(tmp_path: Path) -> None:
    """From the folder of the file that says so, in order, each once; defaults are laid over the includer's."""
    (tmp_path / "teams").mkdir()
    (tmp_path / "teams" / "b.toml").write_text('include = "a.toml"\n[accounts.b]\naccount_id = "222222222222"')
    (tmp_path / "teams" / "a.toml").write_text(
        f'[defaults]\nduration_seconds = 900\n[accounts.a]\nvia = "main"\nrole_arn = "{VEGETA}"'
    )
    entries = entries_of(
        tmp_path,
        f"""
        include = ["teams/*.toml", "no-*.toml", "teams/b.toml", "{tmp_path}/teams/[ab].toml"]
        [defaults]
        role_name = "Auditor"
        role_session_name = "batman"
        duration_seconds = 1800
        [hubs.main]
        role_arn = "{HUB}"
        [accounts.own]
        role_arn = "{VEGETA}"
        """,
    )
    assert list(entries) == ["own", "a", "b"]
    assert entries["b"].origin == f"{tmp_path / 'teams' / 'b.toml'}:2: accounts.b"
    assert {name: entry.options["defaults"].duration_seconds for name, entry in entries.items()} == {
        "own": 1_800,
        "a": 900,
        "b": 1_800,
    }
    assert entries["a"].options["defaults"].role_session_name == "batman"
    assert entries["a"].options["chain"] == RoleChain(HUB, VEGETA)


def hubs(count: int, order: int) -> str:
    """Hubs that lead to each other, the first or the last one first, and an account behind the last."""
    tables = [f'[hubs.h{number}]\nvia = "h{number - 1}"\nrole_arn = "{HUB}"\n' for number in range(1, count)]
    ends = [f'[hubs.h0]\nrole_arn = "{HUB}"\n', f'[accounts.a]\nvia = "h{count - 1}"\nrole_arn = "{VEGETA}"\n']
    return "".join([ends[0], *tables, ends[1]][::order])


@pytest.mark.parametrize("order", [1, -1])
def test_a_chain_has_an_end(tmp_path: Path, order: int) -> None:
    """Else the hubs of a small file, which may be anybody's, would take minutes, or too deep a recursion."""
    assert len(chain_of(tmp_path, hubs(31, order))) == 32
    for count in (32, 33, 3_000):
        with pytest.raises(ConfigError, match="more than 32 roles"):
            chain_of(tmp_path, hubs(count, order))
    chain = f"chain = {[HUB] * 10_000}"
    with pytest.raises(ConfigError, match=r"accounts\.a: a chain of more than 32 roles"):
        chain_of(tmp_path, f"[accounts.a]\n{chain}")


def test_wildcards_stand_for_other_files_in_whatever_folder(tmp_path: Path) -> None:
    """Not for the file itself; and what the folder is called is no wildcard."""
    folder = tmp_path / "[ab]*"
    folder.mkdir()
    (folder / "more.toml").write_text(f'[accounts.more]\nrole_arn = "{VEGETA}"')
    assert list(entries_of(folder, 'include = "*.toml"')) == ["more"]


def test_names_are_there_once_over_all_included_files(tmp_path: Path) -> None:
    """Accounts and hubs; the message names both places."""
    other = tmp_path / "other.toml"
    for table in ("accounts", "hubs"):
        other.write_text(f'[{table}.a]\nrole_arn = "{VEGETA}"')
        with pytest.raises(ConfigError) as caught:
            entries_of(tmp_path, f'include = "other.toml"\n[{table}.a]\nrole_arn = "{VEGETA}"')
        assert f"{other}:1: {table}.a: {tmp_path / 'xsession.toml'}:2: {table}.a has the same" in str(caught.value)


def test_files_that_include_each_other_are_refused(tmp_path: Path) -> None:
    """With the way around; a file that includes itself too."""
    (tmp_path / "a.toml").write_text('include = "b.toml"')
    (tmp_path / "b.toml").write_text('include = "a.toml"')
    with pytest.raises(
        ConfigError, match=r"b\.toml:1: include: files include each other: a\.toml -> b\.toml -> a\.toml"
    ):
        entries_of(tmp_path, 'include = "a.toml"')
    with pytest.raises(ConfigError, match=r"xsession\.toml -> xsession\.toml"):
        entries_of(tmp_path, 'include = "xsession.toml"')


def test_files_are_included_eight_deep_at_most(tmp_path: Path) -> None:
    """Whatever goes deeper was not meant."""
    for number in range(9):
        (tmp_path / f"{number}.toml").write_text(f'include = "{number + 1}.toml"')
    with pytest.raises(ConfigError, match="more than 8 deep"):
        entries_of(tmp_path, 'include = "0.toml"')
    (tmp_path / "6.toml").write_text("")
    assert entries_of(tmp_path, 'include = "0.toml"') == {}


def test_an_included_file_that_is_not_there_is_missed_where_it_is_included(tmp_path: Path) -> None:
    """Both files are named."""
    with pytest.raises(ConfigError, match=r"xsession\.toml:1: include: .*gone\.toml can't be read: No such file"):
        entries_of(tmp_path, 'include = ["gone.toml"]')


def test_a_file_that_was_found_includes_nothing(tmp_path: Path) -> None:
    """An author of files in a folder does not choose what else is read."""
    path = tmp_path / "xsession.toml"
    text = f'[accounts.a]\nrole_arn = "{VEGETA}"'
    document = parsed(path, f'include = ["/etc/*.toml"]\n{text}'.encode(), FileTrust.FOUND)
    with pytest.raises(ConfigError, match=r":1: include: include is not for a file that happens to lie in a folder"):
        read_document(path, document)
    assert len(read_document(path, parsed(path, text.encode(), FileTrust.FOUND))) == 1


def test_in_a_pyproject_all_is_under_a_table(tmp_path: Path) -> None:
    """[tool.xsession]; the other tables are not ours."""
    path = tmp_path / "pyproject.toml"
    path.write_text(f'[tool.other]\n[tool.xsession.accounts.a]\nrole_arn = "{VEGETA}"')
    (entry,) = read_toml(path)
    assert entry.origin == f"{path}:2: tool.xsession.accounts.a"


def test_a_file_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    """Missing, a folder, or not text: the message names the file and the reason."""
    with pytest.raises(ConfigError, match=r"missing\.toml can't be read: No such file"):
        read_toml(tmp_path / "missing.toml")
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        read_toml(binary)


def test_the_keys_that_need_trust_are_found_wherever_they_count(tmp_path: Path) -> None:
    """On accounts, hubs, the roles of chains and the defaults; an account or a tag of that name is none of them."""
    text = """
        [defaults]
        mfa_serial = "GAHT12345678"
        [hubs.h]
        source = "p"
        [accounts.source]
        web_identity_token_file = "t"
        tags = { source = "x" }
        chain = ["a", { mfa_serial = "GAHT12345678" }]
        [accounts.mfa_serial]
        role_arn = "x"
        [organization]
        account = "source"
    """
    document = parsed(tmp_path / "xsession.toml", text.encode(), FileTrust.FOUND)
    assert sorted(keys_to_trust(document.content)) == [
        ("accounts", "source", "chain", "[1]", "mfa_serial"),
        ("accounts", "source", "web_identity_token_file"),
        ("defaults", "mfa_serial"),
        ("hubs", "h", "source"),
        ("organization",),
    ]
    listed = parsed(
        tmp_path / "xsession.toml",
        b'[[accounts]]\nname = "a"\nsource = "p"\n[[accounts]]\nname = "b"\nchain = [{ mfa_serial = "m" }]',
        FileTrust.FOUND,
    )
    assert sorted(keys_to_trust(listed.content)) == [
        ("accounts", "[0]", "source"),
        ("accounts", "[1]", "chain", "[0]", "mfa_serial"),
    ]
    wrong = parsed(tmp_path / "xsession.toml", b'accounts = 5\ndefaults = "x"\n[hubs]\na = 5', FileTrust.FOUND)
    assert list(keys_to_trust(wrong.content)) == []


def test_every_role_option_that_names_what_is_the_users_needs_trust() -> None:
    """A new option that names a file, a program or a device does not slip through."""
    named = {key for key in ACCOUNT_KEYS | DEFAULT_KEYS if key.endswith(("_file", "serial", "source", "_process"))}
    assert named == KEYS_TO_TRUST


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8"])
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, encoding: str) -> None:
    """Editors of Windows write one."""
    path = tmp_path / "xsession.toml"
    path.write_bytes(f'[accounts.a]\nrole_arn = "{VEGETA}"'.encode(encoding))
    (entry,) = read_toml(path)
    assert entry.origin == f"{path}:1: accounts.a"


def test_a_file_that_is_named_may_be_a_pipe() -> None:
    """As shells make one for the output of a program."""
    read, write = os.pipe()
    os.write(write, f'[accounts.a]\nrole_arn = "{VEGETA}"'.encode())
    os.close(write)
    try:
        assert len(read_toml(f"/dev/fd/{read}")) == 1
    finally:
        os.close(read)
