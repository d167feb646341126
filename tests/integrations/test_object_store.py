from __future__ import annotations

from typing import Any

import pytest
from botocore.config import Config

from tests.support.worlds import World
from xsession import AccountSession, ConfigError, CrossAccountSession
from xsession.integrations._object_store import settings_of, storage_options

ROLE = "arn:aws:iam::222222222222:role/R"
URL = "aws_endpoint"


def on_aws(**options: Any) -> AccountSession:
    """An account whose requests would go to AWS."""
    return CrossAccountSession({"vegeta": ROLE}, **{"region_name": "eu-west-1", **options})["vegeta"]


def test_region_and_endpoint_are_the_accounts(world: World) -> None:
    """Also where the endpoint is somebody else's."""
    assert storage_options(world.session()["vegeta"], "polars") == {
        "aws_endpoint": world.aws.endpoint_url,
        "aws_endpoint_url_s3": world.aws.endpoint_url,
        "aws_region": "eu-west-1",
        "aws_virtual_hosted_style_request": "false",
        "aws_skip_signature": "false",
        "aws_allow_http": "true",
    }


@pytest.mark.parametrize(
    ("options", "url"),
    [
        ({}, "https://s3.eu-west-1.amazonaws.com"),
        ({"region_name": "cn-north-1"}, "https://s3.cn-north-1.amazonaws.com.cn"),
        ({"config": Config(use_fips_endpoint=True)}, "https://s3-fips.eu-west-1.amazonaws.com"),
        ({"config": Config(use_dualstack_endpoint=True)}, "https://s3.dualstack.eu-west-1.amazonaws.com"),
        ({"config": Config(s3={"addressing_style": "path"})}, "https://s3.eu-west-1.amazonaws.com"),
    ],
)
def test_the_endpoint_is_what_botocore_chose(options: dict[str, Any], url: str) -> None:
    """FIPS, dual-stack and other partitions."""
    assert storage_options(on_aws(**options), "polars")[URL] == url


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
def test_the_environments_endpoint_counts(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for boto3."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert storage_options(on_aws(), "polars")[URL] == "http://127.0.0.1:9"


def test_a_profiles_endpoint_counts(aws_folder: Any) -> None:
    """Likewise."""
    (aws_folder / "config").write_text("[profile p]\nendpoint_url = http://127.0.0.1:9\nregion = eu-west-3\n")
    options = storage_options(on_aws(region_name=None, profile_name="p"), "polars")
    assert (options[URL], options["aws_region"]) == ("http://127.0.0.1:9", "eu-west-3")


def test_an_account_without_a_region_is_refused() -> None:
    """object_store would take us-east-1 without a word."""
    with pytest.raises(ConfigError, match="deltalake needs a region") as caught:
        settings_of(on_aws(region_name=None), "deltalake")
    assert (caught.value.account, "region_name=" in str(caught.value)) == ("vegeta", True)


@pytest.mark.parametrize("setting", ["use_accelerate_endpoint", "addressing_style"])
def test_what_object_store_lacks_is_refused(setting: str) -> None:
    """Rather than left out."""
    options: Any = {setting: "virtual" if setting == "addressing_style" else True}
    with pytest.raises(ConfigError, match=f"polars can't be given {setting}"):
        settings_of(on_aws(config=Config(s3=options)), "polars")


def test_a_ca_bundle_must_be_where_it_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rust reads one variable; a client that trusts other certificates would be an error far from its cause."""
    monkeypatch.setenv("AWS_CA_BUNDLE", "/ca.pem")
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(ConfigError, match=r"start it with SSL_CERT_FILE=/ca\.pem"):
        storage_options(on_aws(), "polars")
    monkeypatch.setenv("SSL_CERT_FILE", "/ca.pem")
    assert URL in storage_options(on_aws(), "polars")
