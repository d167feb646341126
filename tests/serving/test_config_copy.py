from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore.configloader
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.accounts import AwsFiles, read_sections
from xsession.serving._config_copy import config_copy

KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = very-secret\naws_session_token = very-secret\n"


@pytest.fixture
def copied(tmp_path: Path) -> Any:
    """Makes a copy of two files, as botocore reads it."""

    def copy(config: str, credentials: str = "", profile: str | None = None) -> Any:
        files = AwsFiles(tmp_path / "config", tmp_path / "credentials")
        files.config.write_text(config)
        files.credentials.write_text(credentials)
        written = config_copy(read_sections(files), profile)
        assert "very-secret" not in written
        assert "AKIA" not in written
        (tmp_path / "copy").write_text(written)
        return botocore.configloader.load_config(str(tmp_path / "copy"))

    return copy


def test_settings_stay(copied: Any) -> None:
    """Those in settings too."""
    nested = "s3 =\n  addressing_style = path\n  use_accelerate_endpoint = true\n"
    config = copied(
        f"[default]\nregion = eu-west-1\nca_bundle = /ca.pem\n{nested}[services local]\nsts =\n  endpoint_url = x\n"
    )
    assert config["profiles"]["default"] == {
        "region": "eu-west-1",
        "ca_bundle": "/ca.pem",
        "s3": {"addressing_style": "path", "use_accelerate_endpoint": "true"},
    }
    assert config["services"] == {"local": {"sts": {"endpoint_url": "x"}}}


@pytest.mark.parametrize(
    "setting",
    [
        KEYS,
        "role_arn = arn:aws:iam::333333333333:role/R\nsource_profile = batman\n",
        "role_arn = arn:aws:iam::333333333333:role/R\ncredential_source = Environment\n",
        "role_arn = arn:aws:iam::333333333333:role/R\nweb_identity_token_file = /token\n",
        "credential_process = print-keys\n",
        "sso_session = corp\nsso_account_id = 333333333333\nsso_role_name = R\n",
        "sso_start_url = https://corp\nsso_region = x\nsso_account_id = 333333333333\nsso_role_name = R\n",
        "login_session = arn:aws:iam::333333333333:user/bruce\n",
    ],
)
def test_the_default_profile_has_no_credentials(copied: Any, setting: str) -> None:
    """SDKs would take them before they ask the endpoint; also where the credentials file has them."""
    for files in ((f"[default]\nregion = x\n{setting}",), ("[default]\nregion = x\n", f"[default]\n{setting}")):
        assert copied(*files)["profiles"]["default"] == {"region": "x"}


def test_the_default_profiles_settings_are_those_of_the_environments_profile(copied: Any) -> None:
    """A child would have had them: an endpoint, a CA bundle, retries."""
    config = f"[default]\nregion = x\n[profile batman]\nca_bundle = /ca.pem\n{KEYS}"
    assert copied(config, profile="batman")["profiles"] == {"default": {"ca_bundle": "/ca.pem"}}
    assert copied(config, profile="gone")["profiles"] == {"default": {}}


def test_a_profile_that_leads_elsewhere_stays(copied: Any) -> None:
    """A child that names it gets that identity."""
    elsewhere = {
        "sso": {"sso_session": "corp", "sso_account_id": "333333333333", "sso_role_name": "R"},
        "process": {"credential_process": "print-keys"},
        "machine": {"role_arn": "arn:aws:iam::333333333333:role/R", "credential_source": "Ec2InstanceMetadata"},
        "hub": {"role_arn": "arn:aws:iam::333333333333:role/R", "source_profile": "sso", "external_id": "e"},
        "pod": {"role_arn": "arn:aws:iam::333333333333:role/R", "web_identity_token_file": "/token"},
        "login": {"login_session": "arn:aws:iam::333333333333:user/bruce"},
        "with blanks": {"credential_process": "print-keys"},
    }
    text = "".join(
        f'[profile "{name}"]\n' + "".join(f"{key} = {value}\n" for key, value in settings.items())
        for name, settings in elsewhere.items()
    )
    config = copied(f"{text}[sso-session corp]\nsso_region = x\nsso_start_url = https://corp\n")
    assert config["profiles"] == {"default": {}, **elsewhere}
    assert config["sso_sessions"] == {"corp": {"sso_region": "x", "sso_start_url": "https://corp"}}


@pytest.mark.parametrize(
    "settings",
    [
        "region = x\n",
        KEYS,
        "sso_session = corp\n",
        "source_profile = default\n",
        "role_arn = arn:aws:iam::333333333333:role/R\n",
        "role_arn = arn:aws:iam::333333333333:role/R\ncredential_source = EcsContainer\n",
        "role_arn = arn:aws:iam::333333333333:role/R\ncredential_source = Environment\n",
    ],
)
def test_a_profile_that_would_lead_to_the_endpoint_is_gone(copied: Any, settings: str) -> None:
    """SDKs that find nothing in it go on to the endpoint, and a child that names it would act in the wrong account."""
    assert copied(f"[profile other]\n{settings}")["profiles"] == {"default": {}}


def test_a_profile_that_has_both_leads_elsewhere_without_its_keys(copied: Any) -> None:
    """Wherever either stands."""
    config = copied("[profile other]\ncredential_process = print-keys\n", f"[other]\n{KEYS}")
    assert config["profiles"]["other"] == {"credential_process": "print-keys"}


def test_what_other_programs_write_beside_keys_is_left_out(copied: Any) -> None:
    """Whatever has the name of a secret, in settings too; but not the name of a file that holds one."""
    settings = "x_security_token = very-secret\nMy_Password = very-secret\ncredential_process = p\n"
    settings += "services =\n  secret = very-secret\n  a = b\n"
    assert copied(f"[profile other]\n{settings}")["profiles"]["other"] == {
        "credential_process": "p",
        "services": {"a": "b"},
    }


def test_other_sections_stay(copied: Any) -> None:
    """Plugins of the AWS CLI, for one."""
    assert copied("[plugins]\nendpoint = awscli_plugin_endpoint\n")["plugins"] == {"endpoint": "awscli_plugin_endpoint"}


def test_comments_do_not_come_along(copied: Any) -> None:
    """A key that was commented out is one."""
    assert copied("[default]\n# aws_secret_access_key = very-secret\nregion = x\n; very-secret\n")["profiles"] == {
        "default": {"region": "x"}
    }


NAMES = st.text("abcxyz_-. @\"']", min_size=1, max_size=10)
VALUES = st.text("abc =:#;[]\n\t", max_size=20)


@given(
    st.dictionaries(
        NAMES, st.dictionaries(st.sampled_from(["region", "s3", "aws_secret_access_key", "role_arn"]), VALUES)
    )
)
def test_no_key_and_no_section_of_its_own_comes_out_of_any_file(profiles: dict[str, dict[str, str]]) -> None:
    """A value can't begin a section, and what is written is what AWS's SDKs can read."""
    from xsession.accounts._aws_config import Section, Sections  # noqa: PLC0415 # of this test alone

    sections = Sections({name: Section(settings, "") for name, settings in profiles.items()}, {}, {})
    written = config_copy(sections, None)
    headers = [line for line in written.splitlines() if line.startswith("[")]
    assert headers == ["[default]"]
    assert "aws_secret_access_key" not in written
