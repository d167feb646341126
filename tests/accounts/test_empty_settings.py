"""Settings with nothing behind the =, as tools write them into ~/.aws/config: with boto3 and with us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import botocore.client
import pytest
from botocore.validate import validate_parameters

from xsession import Accounts, ConfigError
from xsession.accounts import _profiles as profiles
from xsession.accounts._no_effect import STATIC

ARN = "arn:aws:iam::222222222222:role/R"
KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n"
BASES = {
    "role": f"role_arn = {ARN}\nsource_profile = base\n",
    "environment": f"role_arn = {ARN}\ncredential_source = Environment\n",
    "web": f"role_arn = {ARN}\nweb_identity_token_file = token\n",
    "keys": KEYS,
    "nothing": "output = json\n",
}
# All that we read.
SETTINGS = sorted(
    {
        *profiles._TEXT_OPTIONS,
        *STATIC,
        *profiles._SSO,
        *profiles._SSO_LOGIN,
        *profiles._OTHER_CREDENTIALS,
        *("region", "role_arn", "source_profile", "credential_source", "duration_seconds"),
        *("aws_account_id", "aws_session_token", "sso_session"),
    }
)
BINDING = {"external_id", "mfa_serial"}


class CalledError(Exception):
    """Boto3 made this call."""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with AWS's files, in which boto3's calls end before the network."""

    def call(self: Any, operation: str, parameters: dict[str, Any]) -> None:
        validate_parameters(parameters, self.meta.service_model.operation_model(operation).input_shape)
        raise CalledError(operation, {key: value for key, value in parameters.items() if key != "RoleSessionName"})

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", call)
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "123456")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENVIRON")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("eyJhbGciOi.token.c2ln")
    return tmp_path


def write(folder: Path, base: str, setting: str, *, absent: bool = False) -> None:
    """A profile p, in which one setting is empty or absent."""
    lines = [line for line in BASES[base].splitlines() if line.partition(" ")[0] != setting]
    text = "\n".join(lines if absent else [*lines, f"{setting} ="])
    (folder / "config").write_text(f"[profile base]\n{KEYS}[profile p]\n{text}\n")


def with_boto3() -> tuple[str, object] | None:
    """What boto3 does for the profile: a call, or keys; None: it refuses, or has none."""
    try:
        session = boto3.Session(profile_name="p")
        assert session.client("sqs").meta.region_name
        credentials = session.get_credentials()
        if credentials is None:
            return None
        key = credentials.get_frozen_credentials().access_key
    except CalledError as call:
        return str(call.args[0]), call.args[1]
    except Exception:  # noqa: BLE001 # whatever it raises, it is a refusal
        return None
    return ("keys", key) if key else None


def with_us() -> tuple[str, object] | None:
    """The same of ours, by what the account says."""
    accounts = Accounts.from_aws_config()
    if "p" in accounts.unusable or "p" not in accounts:
        return None
    account = accounts["p"]
    if account.roles:
        return "AssumeRole", account.roles[0].request()
    if account.account_id:  # of a web identity, which botocore makes from the profile
        return "AssumeRoleWithWebIdentity", {"RoleArn": ARN, "WebIdentityToken": "eyJhbGciOi.token.c2ln"}
    return "keys", "AKIAEXAMPLE"


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("base", BASES)
def test_an_empty_setting_is_none(folder: Path, base: str, setting: str) -> None:
    """Where boto3 lives with it, we do the same; where boto3 refuses, it is as absent, or refused."""
    write(folder, base, setting)
    theirs, ours = with_boto3(), with_us()
    if theirs is not None and (base, setting) != ("keys", "aws_secret_access_key"):  # boto3 would sign with half a key
        assert ours == theirs
        return
    write(folder, base, setting, absent=True)
    assert ours in (None, with_us())


@pytest.mark.parametrize("setting", sorted(BINDING))
def test_what_binds_a_session_is_not_dropped(folder: Path, setting: str) -> None:
    """Boto3 refuses it as well."""
    write(folder, "role", setting)
    assert with_boto3() is None
    with pytest.raises(ConfigError, match=f"{setting} .* is not valid"):
        _ = Accounts.from_aws_config()["p"]


def test_an_empty_region_is_none(folder: Path) -> None:
    """Neither of the clients nor of STS, in either file."""
    (folder / "config").write_text(
        f"[profile base]\n{KEYS}region =\n[profile p]\nrole_arn = {ARN}\nsource_profile = base\nregion =\n"
    )
    accounts = Accounts.from_aws_config()
    assert (accounts["base"].region_name, accounts["p"].region_name) == (None, None)
    assert accounts["p"].roles[0].sts_region_name is None


def test_an_empty_setting_of_a_login_is_none(folder: Path) -> None:
    """The message is that of a missing one."""
    sso = "[profile p]\nsso_session = s\nsso_account_id = 222222222222\nsso_role_name = R\n"
    (folder / "config").write_text(f"{sso}[sso-session s]\nsso_region = eu-west-1\nsso_start_url =\n")
    with pytest.raises(ConfigError, match=r"sso_start_url is missing in \[sso-session s\]"):
        _ = Accounts.from_aws_config()["p"]
