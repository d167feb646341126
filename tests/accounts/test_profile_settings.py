"""The settings of a profile are those of its own clients and of its calls of STS, as with boto3."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.worlds import VEGETA, World
from xsession import Accounts, AccountSession, CrossAccountSession

KEYS = "aws_access_key_id = AKIAEXAMPLE\naws_secret_access_key = example\n"
ROLE = f"arn:aws:iam::{VEGETA}:role/R"
SERVICES = ("s3", "sqs", "dynamodb")

# What a profile may say of clients, by key; whatever else botocore reads is listed below, with the reason.
VALUES: dict[str, list[str]] = {
    "account_id_endpoint_mode": ["preferred", "disabled", "required"],
    "auth_scheme_preference": ["sigv4a,sigv4", "sigv4"],
    "defaults_mode": ["standard", "in-region", "legacy"],
    "disable_host_prefix_injection": ["true"],
    "disable_request_compression": ["true", "false"],
    "endpoint_discovery_enabled": ["true", "auto"],
    "endpoint_url": ["http://127.0.0.1:1"],
    "ignore_configured_endpoint_urls": ["true"],
    "max_attempts": ["7"],
    "parameter_validation": ["false"],
    "request_checksum_calculation": ["when_required", "when_supported"],
    "request_min_compression_size_bytes": ["123"],
    "response_checksum_validation": ["when_required"],
    "retry_mode": ["standard", "adaptive", "legacy"],
    "s3": ["\n    addressing_style = path", "\n    use_accelerate_endpoint = true\n    payload_signing_enabled = true"],
    "s3_disable_express_session_auth": ["true"],
    "s3_us_east_1_regional_endpoint": ["legacy"],
    "sdk_ua_app_id": ["scouter"],
    "services": ["elsewhere"],
    "sigv4a_signing_region_set": ["*"],
    "sts_regional_endpoints": ["legacy"],
    "tcp_keepalive": ["true"],
    "use_dualstack_endpoint": ["true"],
    "use_fips_endpoint": ["true"],
}
ELSEWHERE = (
    "[services elsewhere]\nsqs =\n    endpoint_url = http://127.0.0.1:2\nsts =\n    endpoint_url = http://127.0.0.1:3\n"
)
NOT_DRAWN = {
    "region": "the account's own, and compared in each example",
    "api_versions": "a table of its own, which clients are asked for by",
    "data_path": "a folder of models",
    "ca_bundle": "read when something is sent",
    "csm_client_id": "client-side monitoring sends datagrams",
    "csm_enabled": "likewise",
    "csm_host": "likewise",
    "csm_port": "likewise",
}
# What only finds credentials, before there are any clients.
OF_CREDENTIALS = ("metadata_", "ec2_metadata_", "imds_")
OPTIONS = sorted(set(Config.OPTION_DEFAULTS) - {"max_pool_connections", "user_agent"})

profile_settings = st.fixed_dictionaries({}, optional={key: st.sampled_from(values) for key, values in VALUES.items()})


def known_keys() -> set[str]:
    """The keys that botocore looks for in a profile."""
    names = {entry[0] for entry in BOTOCORE_DEFAUT_SESSION_VARIABLES.values()}
    return {name if isinstance(name, str) else name[0] for name in names if name is not None}


def written(said: dict[str, str]) -> str:
    """Settings as a profile has them."""
    return "".join(f"{key} = {value}\n" for key, value in said.items())


def of(client: Any) -> dict[str, object]:
    """What a client was made with."""
    found = {name: getattr(client.meta.config, name, None) for name in OPTIONS}
    return {**found, "endpoint": client.meta.endpoint_url, "region": client.meta.region_name}


def made(make: Callable[..., Any], *arguments: str) -> object:
    """What a client was made with; the error's type where settings contradict each other."""
    try:
        return of(make(*arguments))
    except Exception as error:  # noqa: BLE001 # whatever botocore raises on them
        return type(error)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of AWS's files, and an environment without any other setting."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return tmp_path


def test_every_setting_that_botocore_reads_is_drawn_or_has_its_reason() -> None:
    """The next one that it learns is found here."""
    missing = known_keys() - VALUES.keys() - NOT_DRAWN.keys()
    assert {key for key in missing if not key.startswith(OF_CREDENTIALS)} == set()


@pytest.mark.parametrize("fast", ["1", "0"])
def test_clients_of_a_profile_are_made_as_boto3_makes_them(
    folder: Path, fast: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a role's profile, whatever its source profile says, and those of a profile with keys of its own."""
    monkeypatch.setenv("XSESSION_FAST_CLIENTS", fast)

    @settings(max_examples=12)
    @given(profile_settings, profile_settings, st.sampled_from(["us-east-1", "eu-west-1", "cn-north-1"]))
    def compared(role: dict[str, str], keys: dict[str, str], region: str) -> None:
        (folder / "config").write_text(
            f"[profile keys]\n{KEYS}region = us-west-2\n{written(keys)}"
            f"[profile reader]\nrole_arn = {ROLE}\nsource_profile = keys\nregion = {region}\n{written(role)}{ELSEWHERE}"
        )
        with CrossAccountSession(Accounts.from_aws_config()) as xs:
            for profile in ("reader", "keys"):
                theirs: Any = boto3.Session(profile_name=profile)
                ours: Any = xs[profile]
                for service in SERVICES:
                    expected = made(theirs.client, service)
                    assert made(ours.client, service) == expected, (profile, service)
                    assert made(xs.get_client, service, profile) == expected, (profile, service)

    compared()


def test_a_profile_without_a_region_gets_none_of_its_sources(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor that of another profile which says the same; the environment's counts."""
    (folder / "config").write_text(
        f"[profile keys]\n{KEYS}region = us-west-2\n"
        f"[profile a]\nrole_arn = {ROLE}\nsource_profile = keys\nregion = eu-west-1\n"
        f"[profile b]\nrole_arn = {ROLE}b\nsource_profile = keys\n"
    )
    with CrossAccountSession(Accounts.from_aws_config()) as xs:
        assert xs["a"].region_name == "eu-west-1"
        assert xs["b"].region_name is None
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    with CrossAccountSession(Accounts.from_aws_config()) as xs:
        assert (xs["a"].region_name, xs["b"].region_name) == ("eu-west-1", "ap-south-1")


def test_profiles_that_differ_in_role_and_region_share_what_makes_clients(folder: Path) -> None:
    """Five hundred of them cost five hundred clients, not five hundred sessions."""
    regions = ("eu-west-1", "us-east-1")
    (folder / "config").write_text(
        f"[profile keys]\n{KEYS}"
        + "".join(
            f"[profile p{number}]\nrole_arn = {ROLE}{number}\nsource_profile = keys\nregion = {regions[number % 2]}\n"
            "retry_mode = standard\n"
            for number in range(20)
        )
        + f"[profile other]\nrole_arn = {ROLE}x\nsource_profile = keys\nregion = eu-west-1\nretry_mode = adaptive\n"
    )
    with CrossAccountSession(Accounts.from_aws_config()) as xs:
        sources = {id(xs[f"p{number}"]._resolved.source) for number in range(20)}
        assert len(sources) == 1
        other: AccountSession = xs["other"]
        assert other._resolved.source.core is not xs["p1"]._resolved.source.core
        assert other._resolved.source.session is xs["p1"]._resolved.source.session
        assert other._resolved.cells[0].label != xs["p1"]._resolved.cells[0].label


def test_sts_is_asked_where_the_profile_says(world: World, folder: Path) -> None:
    """A profile that is meant for an emulator sends nothing to where its source profile belongs."""
    key = world.key
    keys = f"aws_access_key_id = {key.access_key_id}\naws_secret_access_key = {key.secret_access_key}\n"
    (folder / "config").write_text(
        f"[profile keys]\n{keys}region = eu-west-1\nendpoint_url = http://127.0.0.1:9\n"
        f"[profile emulated]\nrole_arn = {world.role}\nsource_profile = keys\nregion = eu-west-1\n"
        f"endpoint_url = {world.aws.endpoint_url}\n"
    )
    with CrossAccountSession(Accounts.from_aws_config()) as xs:
        assert xs.whoami("emulated").account_id == VEGETA
    assert world.aws.count("AssumeRole") == 1


def test_two_endpoints_of_sts_are_two_sets_of_credentials(folder: Path) -> None:
    """What one STS issued means nothing to the services of the other; profiles that differ in nothing else."""
    (folder / "config").write_text(
        f"[profile keys]\n{KEYS}"
        f"[profile a]\nrole_arn = {ROLE}\nsource_profile = keys\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:1\n"
        f"[profile b]\nrole_arn = {ROLE}\nsource_profile = keys\nregion = eu-west-1\nendpoint_url = http://127.0.0.1:2\n"
        f"[profile c]\nrole_arn = {ROLE}\nsource_profile = keys\nregion = eu-west-1\nretry_mode = adaptive\n"
        f"[profile d]\nrole_arn = {ROLE}\nsource_profile = keys\nregion = eu-west-1\n"
    )
    with CrossAccountSession(Accounts.from_aws_config()) as xs:
        keys = {name: xs[name]._resolved.key for name in "abcd"}
        assert len(set(keys.values())) == 3
        assert keys["c"] == keys["d"]


def test_a_profile_that_is_gone_when_it_is_used_is_an_error_of_the_source(folder: Path) -> None:
    """The file was changed after the accounts were read."""
    (folder / "config").write_text(f"[profile keys]\n{KEYS}[profile a]\nrole_arn = {ROLE}\nsource_profile = keys\n")
    accounts = Accounts.from_aws_config()
    (folder / "config").write_text(f"[profile keys]\n{KEYS}")
    with (
        CrossAccountSession(accounts) as xs,
        pytest.raises(Exception, match=r"The config profile \(a\) could not be found") as caught,
    ):
        xs.get_client("s3", "a")
    assert getattr(caught.value, "account", None) == "a"


POLICY = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}'


@pytest.mark.parametrize(
    ("line", "sent"),
    [(f"policy = {POLICY}", "policy"), ("policy_arns = arn:aws:iam::aws:policy/ReadOnlyAccess", "policy_arns")],
)
def test_what_narrows_a_web_identity_is_sent(folder: Path, line: str, sent: str) -> None:
    """botocore leaves it out, and the session would be broader than the file says."""
    profile = f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token_file = {folder / 'token'}\n{line}\n"
    (folder / "config").write_text(f"{profile}[profile next]\nrole_arn = {ROLE}2\nsource_profile = web\n")
    accounts = Accounts.from_aws_config()
    assert [bool(getattr(role, sent)) for role in accounts["web"].roles] == [True]
    assert [bool(getattr(role, sent)) for role in accounts["next"].roles] == [True, False]
    assert accounts["next"].roles[0].web_identity_token_file == str(folder / "token")


@pytest.mark.parametrize("line", ["external_id = word", "source_identity = bruce", "mfa_serial = GAHT12345678"])
def test_what_binds_a_web_identity_and_can_not_be_sent_is_refused(folder: Path, line: str) -> None:
    """AssumeRoleWithWebIdentity takes none of them."""
    (folder / "config").write_text(
        f"[profile web]\nrole_arn = {ROLE}\nweb_identity_token_file = {folder / 'token'}\n{line}\n"
    )
    error = Accounts.from_aws_config().unusable["web"]
    assert f"{line.partition(' ')[0]} can't stand beside a web identity" in str(error)


def test_a_roles_policy_arns_are_sent(folder: Path) -> None:
    """Separated by commas or spaces, as lists in these files are."""
    arns = "arn:aws:iam::aws:policy/ReadOnlyAccess, arn:aws:iam::aws:policy/SecurityAudit"
    (folder / "config").write_text(
        f"[profile keys]\n{KEYS}[profile a]\nrole_arn = {ROLE}\nsource_profile = keys\npolicy_arns = {arns}\n"
    )
    (role,) = Accounts.from_aws_config()["a"].roles
    assert list(role.policy_arns) == arns.split(", ")
