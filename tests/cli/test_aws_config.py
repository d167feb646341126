from __future__ import annotations

import json
import sys
from pathlib import Path

import botocore.session
import pytest
from botocore.compat import compat_shell_split
from hypothesis import given
from hypothesis import strategies as st

from tests.support.command_line import run
from xsession.accounts import valid_names
from xsession.cli._aws_config import program
from xsession.cli._profile_blocks import quoted

ACCOUNT = '[accounts.{name}]\nrole_arn = "arn:aws:iam::222222222222:role/R"\n'


def accounts_file(path: Path, *names: str) -> Path:
    """A file with accounts of these names."""
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(ACCOUNT.format(name=json.dumps(name)) for name in names))
    return path


@pytest.fixture
def config(aws_folder: Path) -> Path:
    """AWS's config file, which is not there yet."""
    return aws_folder / "config"


def write(monkeypatch: pytest.MonkeyPatch, file: Path, *more: str) -> None:
    """Writes the profiles of a file's accounts."""
    assert run(monkeypatch, "--config", str(file), "aws-config", "--write", *more) == 0


def profiles(config: Path) -> dict[str, dict[str, str]]:
    """The profiles as botocore reads them."""
    session = botocore.session.Session(session_vars={"config_file": (None, "AWS_CONFIG_FILE", str(config), None)})
    return dict(session.full_config["profiles"])


def test_other_programs_get_a_profile_for_each_account(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which runs this program with the file that has the account, and with the options that were given."""
    file = accounts_file(tmp_path / "xsession.toml", "vegeta", "bulma")
    file.write_text(file.read_text() + 'region_name = "eu-west-1"\n')
    assert run(monkeypatch, "--config", str(file), "--profile", "corp", "aws-config", "--write") == 0
    found = profiles(config)
    assert found.keys() == {"vegeta", "bulma"}
    assert "region" not in found["vegeta"]
    assert found["bulma"]["region"] == "eu-west-1"
    words = compat_shell_split(found["bulma"]["credential_process"])
    assert words[-6:] == ["credential-process", "--config", str(file), "--profile", "corp", "bulma"]


def test_it_prints_what_it_would_write(
    config: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The block alone, so that it may be appended to any file; or JSON."""
    file = accounts_file(tmp_path / "xsession.toml", "vegeta")
    assert run(monkeypatch, "--config", str(file), "aws-config") == 0
    printed = capsys.readouterr().out
    assert not config.exists()
    write(monkeypatch, file)
    assert config.read_text() == printed
    capsys.readouterr()
    assert run(monkeypatch, "--config", str(file), "aws-config", "--json", "--file", str(tmp_path / "other")) == 0
    (document,) = json.loads(capsys.readouterr().out)
    assert document == {"profile": "vegeta", "region": None, **profiles(config)["vegeta"]}


def test_a_second_time_changes_nothing(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nor a third; and no backup is made where nothing changes."""
    file = accounts_file(tmp_path / "xsession.toml", "vegeta")
    write(monkeypatch, file)
    first = config.read_bytes()
    for _ in range(2):
        write(monkeypatch, file)
        assert config.read_bytes() == first
    assert capsys.readouterr().out.splitlines()[-1] == f"{config}: nothing to change"
    assert sorted(path.name for path in tmp_path.glob("config*")) == ["config"]


def test_an_account_that_is_named_twice_has_one_profile(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two would make a file that nobody can read; whatever is not named has none."""
    file = accounts_file(tmp_path / "xsession.toml", "vegeta", "bulma")
    assert run(monkeypatch, "--config", str(file), "aws-config", "vegeta", "222222222222", "--write") == 2
    assert run(monkeypatch, "--config", str(file), "aws-config", "vegeta", "vegeta", "--write") == 0
    assert profiles(config).keys() == {"vegeta"}


def test_two_files_have_a_block_each(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run changes its own."""
    one, two = (accounts_file(tmp_path / name / "xsession.toml", name) for name in ("one", "two"))
    write(monkeypatch, one)
    write(monkeypatch, two)
    assert profiles(config).keys() == {"one", "two"}
    accounts_file(one, "one", "more")
    write(monkeypatch, one)
    assert profiles(config).keys() == {"one", "two", "more"}


def test_an_account_that_is_gone_takes_its_profile_with_it(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """But not one of that name that a person wrote, which also keeps ours from being made."""
    config.write_text("[profile own]\nregion = eu-west-1\n")
    file = accounts_file(tmp_path / "xsession.toml", "vegeta", "bulma", "own", "default")
    write(monkeypatch, file)
    assert profiles(config)["own"] == {"region": "eu-west-1"}
    assert profiles(config).keys() == {"own", "vegeta", "bulma"}
    said = capsys.readouterr().err
    assert "own is left out: the file has a profile of that name, in line 1" in said
    assert "default is left out" in said
    accounts_file(file, "vegeta")
    write(monkeypatch, file)
    assert profiles(config).keys() == {"own", "vegeta"}
    (file).write_text("[accounts]\n")
    write(monkeypatch, file)
    assert config.read_text() == "[profile own]\nregion = eu-west-1\n"


def test_accounts_that_are_profiles_are_left_out(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that runs us for itself would never end."""
    config.write_text("[profile team]\nrole_arn = arn:aws:iam::222222222222:role/R\ncredential_source = Environment\n")
    accounts_file(tmp_path / "project" / "xsession.toml", "vegeta")
    monkeypatch.chdir(tmp_path / "project")
    assert run(monkeypatch, "aws-config", "--write") == 0
    assert profiles(config).keys() == {"team", "vegeta"}
    command = profiles(config)["vegeta"]["credential_process"]
    assert compat_shell_split(command)[-3:-1] == ["--config", str(tmp_path / "project" / "xsession.toml")]


def test_a_project_goes_on_working_with_its_profiles_written(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are no accounts of the user's whose names it takes; those of another project's file are."""
    for name in ("one", "two"):
        accounts_file(tmp_path / name / "xsession.toml", "vegeta")
    monkeypatch.chdir(tmp_path / "one")
    for _ in range(2):
        assert run(monkeypatch, "aws-config", "--write") == 0
    assert run(monkeypatch, "accounts") == 0
    assert profiles(config).keys() == {"vegeta"}
    capsys.readouterr()
    monkeypatch.chdir(tmp_path / "two")
    assert run(monkeypatch, "accounts") == 2
    assert "the user's own file has this name" in capsys.readouterr().err


def test_names_of_an_organization_make_profiles(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was no name becomes one by the one function for that, and then fits a profile, a file and a shell too."""
    (name,) = valid_names(["Company [production]"]).values()
    names = [name, "Data", "data", "DATA", *(f"account-{number}" for number in range(37))]
    write(monkeypatch, accounts_file(tmp_path / "xsession.toml", *names))
    assert profiles(config).keys() == set(names)
    assert len(profiles(config)) == 41


@pytest.mark.parametrize(
    ("words", "platform"),
    [
        (("C:\\Program Files\\Py\\xsession.exe", "credential-process", "--config", "C:\\a b\\x.toml", "a"), "win32"),
        (("/opt/o'brien venv/bin/xsession", "credential-process", "--config", "/a;b #c/x.toml", "a"), "linux"),
    ],
)
def test_paths_with_blanks_reach_the_program_whole(words: tuple[str, ...], platform: str) -> None:
    """As botocore splits the line."""
    assert tuple(compat_shell_split(quoted(words, platform), platform)) == words


WORDS = st.text(st.characters(min_codepoint=32, exclude_characters="\x7f", codec="utf-8"), min_size=1)


@given(st.lists(WORDS, min_size=1))
def test_any_path_reaches_the_program_whole(words: list[str]) -> None:
    """On both kinds of systems."""
    assert compat_shell_split(quoted(words, "linux"), "linux") == words
    assert compat_shell_split(quoted(words, "win32"), "win32") == words


def test_the_program_is_named_as_it_was_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its absolute path; or by Python, where it was no script."""
    script = tmp_path / "xsession"
    script.touch()
    monkeypatch.chdir(tmp_path)
    assert program("xsession", sys.executable) == (str(script),)
    assert program("/lib/xsession/__main__.py", "/usr/bin/python3") == ("/usr/bin/python3", "-m", "xsession")
    script.rename(tmp_path / "xsession.exe")
    assert program("xsession", sys.executable) == (str(script),)


def test_a_path_that_no_config_file_holds_is_refused(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line break in it could begin a profile."""
    file = accounts_file(tmp_path / "a\n[profile x]" / "xsession.toml", "vegeta")
    assert run(monkeypatch, "--config", str(file), "aws-config", "--write") == 2
    assert not config.exists()
    assert "control characters" in capsys.readouterr().err


def test_an_empty_name_of_a_file_is_not_the_default(
    folder: Path, aws_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A variable of a script that is not set must not reach the user's own file."""
    assert run(monkeypatch, "aws-config", "--write", "--file", "") == 2
    assert "is no regular file" in capsys.readouterr().err
    assert not (aws_folder / "config").exists()
    assert (folder / "xsession.toml").exists()
