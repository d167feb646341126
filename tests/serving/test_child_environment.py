from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.project import ROOT
from xsession._aws._credential_variables import BEARER_TOKEN_PREFIX, CREDENTIAL_VARIABLES
from xsession.serving import ContainerEndpoint
from xsession.serving._child_environment import child_environment

ENDPOINT = ContainerEndpoint(uri="http://127.0.0.1:80/1/vegeta", token="token", token_file="/private/token-1")
OWN = {
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:80/1/vegeta",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN": "token",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/private/token-1",
    "AWS_CONFIG_FILE": "/private/config",
    "AWS_SHARED_CREDENTIALS_FILE": "/private/empty",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def child(base: dict[str, str], **options: Any) -> dict[str, str]:
    """The environment of a child."""
    given: dict[str, Any] = {"region_name": None, "hides_boto_config": False, **options}
    return child_environment(base, ENDPOINT, config_file="/private/config", empty_file="/private/empty", **given)


def test_it_asks_the_endpoint_by_the_variable_and_by_the_file() -> None:
    """Readers differ in which of both they know."""
    assert child({}) == OWN | {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}


def test_whatever_names_other_credentials_is_gone() -> None:
    """Also what only one kind of program reads, and what was inherited from an endpoint outside."""
    named = [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_SECURITY_TOKEN",
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_CREDENTIAL_EXPIRATION",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        "AWS_ROLE_ARN",
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        "AWS_BEARER_TOKEN_BEDROCK",
        "AWS_CREDENTIAL_FILE",
    ]
    assert child(dict.fromkeys(named, "@evil.example")).keys() & set(named) == set()
    inherited = dict.fromkeys(OWN, "inherited")
    assert child(inherited).items() >= OWN.items()


@given(
    st.dictionaries(st.sampled_from([*sorted(CREDENTIAL_VARIABLES), "PATH", "AWS_CA_BUNDLE", "AWS_REGION"]), st.text())
)
def test_everything_else_stays(base: dict[str, str]) -> None:
    """Byte for byte; the variables of before are not touched."""
    before = dict(base)
    made = child(base)
    assert base == before
    kept = base.keys() - CREDENTIAL_VARIABLES
    assert {name: made[name] for name in kept} == {name: base[name] for name in kept}
    assert made.keys() - kept == {*OWN, "NO_PROXY", "no_proxy"}


def test_the_region_is_the_accounts() -> None:
    """SDKs read one of the two; where the account has none, the child's stays."""
    assert {
        child({"AWS_REGION": "x"}, region_name="eu-west-1")[f"AWS_{name}"] for name in ("REGION", "DEFAULT_REGION")
    } == {"eu-west-1"}
    assert child({"AWS_REGION": "x"})["AWS_REGION"] == "x"


@pytest.mark.parametrize(
    ("base", "upper", "lower"),
    [
        ({"NO_PROXY": "example.com"}, "example.com,127.0.0.1,localhost", "example.com,127.0.0.1,localhost"),
        ({"no_proxy": "example.com"}, "example.com,127.0.0.1,localhost", "example.com,127.0.0.1,localhost"),
        ({"NO_PROXY": "a", "no_proxy": "b"}, "a,127.0.0.1,localhost", "b,127.0.0.1,localhost"),
        ({"NO_PROXY": "localhost, a"}, "localhost, a,127.0.0.1", "localhost, a,127.0.0.1"),
        ({"NO_PROXY": "localhost,127.0.0.1"}, "localhost,127.0.0.1", "localhost,127.0.0.1"),
        ({"NO_PROXY": "*"}, "*", "*"),
        ({"NO_PROXY": ""}, "127.0.0.1,localhost", "127.0.0.1,localhost"),
    ],
)
def test_no_proxy_catches_loopback(base: dict[str, str], upper: str, lower: str) -> None:
    """What was excepted from proxies stays so."""
    made = child(base)
    assert (made["NO_PROXY"], made["no_proxy"]) == (upper, lower)


def test_no_proxy_leads_to_another_address_either() -> None:
    """Where the endpoint is not on loopback's usual one."""
    elsewhere = replace(ENDPOINT, uri="http://169.254.170.2:80/1/vegeta")
    made = child_environment(
        {"NO_PROXY": "example.com"},
        elsewhere,
        config_file="config",
        empty_file="empty",
        region_name=None,
        hides_boto_config=False,
    )
    assert made["NO_PROXY"] == made["no_proxy"] == "example.com,127.0.0.1,localhost,169.254.170.2"


def test_boto_2s_file_is_hidden_where_it_has_keys() -> None:
    """botocore takes them before it asks the endpoint; other programs have settings of their own there."""
    assert child({"BOTO_CONFIG": "~/.boto"}, hides_boto_config=True)["BOTO_CONFIG"] == "/private/empty"
    assert child({"BOTO_CONFIG": "~/.boto"})["BOTO_CONFIG"] == "~/.boto"


def test_the_page_lists_all_that_differs() -> None:
    """A child's environment differs from its parent's in no other variable."""
    page = Path(ROOT, "docs/how-to/other-programs.md").read_text(encoding="utf-8")
    names = {
        *CREDENTIAL_VARIABLES,
        *OWN,
        "NO_PROXY",
        "no_proxy",
        "BOTO_CONFIG",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        BEARER_TOKEN_PREFIX,
    }
    assert {name for name in names if f"`{name}" not in page} == set()
