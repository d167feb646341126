from __future__ import annotations

import os
import traceback
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import ConfigParseError
from hypothesis import given
from hypothesis import strategies as st

from xsession import ConfigError
from xsession.accounts._aws_config import AwsFiles, Section, Sections, read_sections


def write(folder: Path, config: str, credentials: str = "") -> AwsFiles:
    """The two files."""
    files = AwsFiles(folder / "config", folder / "credentials")
    files.config.write_text(config)
    files.credentials.write_text(credentials)
    return files


def test_settings_of_the_credentials_file_add_to_the_profile(tmp_path: Path) -> None:
    """A profile that only that file has is one too, and stands there."""
    files = write(tmp_path, "[profile both]\nregion = eu-west-1\n", "[both]\nregion = x\na = b\n[alone]\nc = d\n")
    assert read_sections(files).profiles == {
        "both": Section({"region": "x", "a": "b"}, f"{files.config}:1: profile both", frozenset({"region", "a"})),
        "alone": Section({"c": "d"}, f"{files.credentials}:4: profile alone", frozenset({"c"})),
    }


def test_logins_have_names_of_their_own(tmp_path: Path) -> None:
    """A profile may have the same."""
    files = write(tmp_path, "[sso-session a]\nsso_region = x\n[profile a]\nregion = y\n")
    sections = read_sections(files)
    profiles, logins = sections.profiles, sections.logins
    assert (profiles["a"].settings, logins) == ({"region": "y"}, {"a": {"sso_region": "x"}})


def test_other_sections_are_read_too(tmp_path: Path) -> None:
    """By their whole header: plugins of the AWS CLI, for one."""
    sections = read_sections(write(tmp_path, "[plugins]\nendpoint = x\n[profile a]\nregion = y\n[services b]\n"))
    assert sections.others == {"plugins": {"endpoint": "x"}}


def test_files_are_those_that_botocore_reads() -> None:
    """From its variables, else from the home folder."""
    files = AwsFiles.of(None, {"AWS_CONFIG_FILE": "c", "AWS_SHARED_CREDENTIALS_FILE": "~/k"})
    assert (files.config, files.credentials) == (Path("c"), Path("~/k").expanduser())
    files = AwsFiles.of(None, {})
    assert (files.config, files.credentials) == (
        Path("~/.aws/config").expanduser(),
        Path("~/.aws/credentials").expanduser(),
    )


def test_without_a_home_there_are_no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in some containers, whose user has none."""
    monkeypatch.setattr(os.path, "expanduser", lambda path: path)
    assert read_sections(AwsFiles.of(None, {})) == Sections({}, {}, {})


@pytest.mark.parametrize("broken", ["aws_secret_access_key verysecret", "[a]\naws_secret_access_key verysecret"])
def test_a_file_that_is_not_of_the_format_is_refused_without_its_text(tmp_path: Path, broken: str) -> None:
    """The line's number says enough: the line itself may hold a secret."""
    files = write(tmp_path, "", broken)
    with pytest.raises(ConfigError, match=r"credentials:[12] is not of the form") as caught:
        read_sections(files)
    assert "verysecret" not in "".join(traceback.format_exception(caught.value))


def test_a_file_that_can_not_be_read_is_refused(tmp_path: Path) -> None:
    """A folder, or not UTF-8; and one that was named and is not there."""
    (tmp_path / "binary").write_bytes(b"\xff")
    for name, problem in (("binary", "not text in UTF-8"), (".", "can't be read: Is a dir"), ("gone", "No such file")):
        files = AwsFiles(tmp_path / name, tmp_path / "gone", named=True)
        with pytest.raises(ConfigError, match=problem):
            read_sections(files)
    assert read_sections(AwsFiles(tmp_path / "gone", tmp_path)) == Sections({}, {}, {})


LINES = st.lists(
    st.sampled_from(
        [
            "[default]",
            "[profile a]",
            "[profile 'b c']",
            "[profile default]",
            "[profilea]",
            "[a]",
            "[sso-session a]",
            "[DEFAULT]",
            "[profile a",
            "region = eu-west-1",
            "Role_Arn: x",
            "role_arn = x # y",
            "s3 =",
            "  max = 5",
            "  more",
            "# comment",
            "; comment",
            "",
            "aws_access_key_id=",
            "no_value",
        ]
    ),
    max_size=12,
)


@given(LINES, LINES)
def test_files_are_understood_as_botocore_does(
    tmp_path_factory: pytest.TempPathFactory, config: list[str], credentials: list[str]
) -> None:
    """The same profiles with the same settings, or the same refusal."""
    files = write(tmp_path_factory.getbasetemp(), "\n".join(config), "\n".join(credentials))
    session = botocore.session.Session()
    session.set_config_variable("config_file", str(files.config))
    session.set_config_variable("credentials_file", str(files.credentials))
    try:
        theirs = session.full_config["profiles"]
    except ConfigParseError as error:
        if isinstance(error.kwargs.get("error"), ValueError):
            return  # an indented block that it reads and we do not need
        with pytest.raises(ConfigError):
            read_sections(files)
        return
    ours = {name: section.settings for name, section in read_sections(files).profiles.items()}
    assert ours.keys() == theirs.keys()
    for name, settings in theirs.items():
        flat = {key: value for key, value in settings.items() if isinstance(value, str)}
        assert {key: ours[name][key] for key in flat} == flat
        assert ours[name].keys() == settings.keys()
