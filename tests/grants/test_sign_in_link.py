from __future__ import annotations

import json
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.worlds import World
from xsession import SOURCE, Account, ConfigError, Role, XSessionError
from xsession.grants import _sign_in_link
from xsession.grants._console import console_of, page_of


class Posted:
    """Stands for the page that makes links: keeps what it was sent.

    Args:
        patch: Puts it there.
    """

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.addresses: list[str] = []
        self.key = ""
        self.answer = b'{"SigninToken": "a-token"}'
        patch.setattr(_sign_in_link, "post_form", self)

    def __call__(self, address: str, form: bytes) -> bytes:
        """Its answer."""
        self.addresses.append(address)
        self.key = json.loads(parse_qs(form.decode())["Session"][0])["sessionId"]
        return self.answer


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> Posted:
    """Where links come from in these tests."""
    return Posted(monkeypatch)


def test_an_account_has_a_link(world: World, posted: Posted) -> None:
    """Made with the credentials that its clients sign with; it leads where it was told to."""
    xs = world.session()
    link = urlsplit(xs.console_url("vegeta", path="s3"))
    assert (link.hostname, link.path) == ("signin.aws.amazon.com", "/federation")
    assert parse_qs(link.query)["Destination"] == ["https://console.aws.amazon.com/s3/home?region=eu-west-1"]
    assert posted.key == xs.get_frozen_credentials("vegeta").access_key_id
    assert world.aws.count("AssumeRole") == 1


def test_in_a_chain_the_role_is_assumed_once_more(world: World, posted: Posted) -> None:
    """Without the duration that AWS's console refuses there; what clients have stays."""
    xs = world.session()
    held = xs.get_frozen_credentials("deep").access_key_id
    xs.console_url("deep")
    assert posted.key != held
    assert xs.get_frozen_credentials("deep").access_key_id == held
    assert world.aws.count("AssumeRole") == 3


def test_a_session_of_the_source_needs_no_role(world: World, posted: Posted) -> None:
    """As of IAM Identity Center; the partition is its region's."""
    key = world.aws._sts.find(world.session().get_frozen_credentials("vegeta").access_key_id)
    assert key is not None
    source = world.aws.session(key)
    xs = world.session({"vegeta": Account("vegeta", source=source)})
    xs.console_url("vegeta")
    assert posted.addresses == ["https://signin.aws.amazon.com/federation"]


def test_long_term_keys_have_no_link(world: World, posted: Posted) -> None:
    """AWS makes none, which is known before it is asked."""
    with pytest.raises(ConfigError, match="long-term keys"):
        world.session().console_url(SOURCE)
    assert posted.addresses == []


@pytest.mark.parametrize(
    ("partition", "region", "host"),
    [
        ("aws-us-gov", "us-gov-west-1", "signin.amazonaws-us-gov.com"),
        ("aws-cn", "cn-north-1", "signin.amazonaws.cn"),
        ("aws-eusc", "eusc-de-east-1", "eusc-de-east-1.signin.amazonaws-eusc.eu"),
    ],
)
@pytest.mark.usefixtures("posted")
def test_each_partition_signs_in_at_its_own_host(world: World, partition: str, region: str, host: str) -> None:
    """By the partition of the role, whatever region the source has."""
    arn = f"arn:{partition}:iam::222222222222:role/Reader"
    xs = world.session({"far": Role(arn, sts_region_name=region)})
    resolved = xs._resolve(xs.accounts.find("far"))
    held = world.session().get_frozen_credentials("vegeta")
    link = _sign_in_link.sign_in_link(resolved, current=lambda: held, assume_once=lambda _resolved: held, issuer=None)
    query = parse_qs(urlsplit(link).query)
    assert urlsplit(link).hostname == host
    assert str(urlsplit(query["Destination"][0]).hostname).split(".")[-2:] == host.split(".")[-2:]


def test_an_error_names_the_account(world: World, posted: Posted) -> None:
    """And what AWS's page did."""
    posted.answer = b"{}"
    with pytest.raises(XSessionError, match=r"account 'vegeta'.*could not be read"):
        world.session().console_url("vegeta")


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "https://evil.example",
        "\\\\evil",
        "/s3",
        "",
        "s3/../..//x",
        "s3/%2e%2e/x",
        "s 3",
        "@evil",
        "s3\n",
    ],
)
def test_a_path_stays_in_the_console(world: World, posted: Posted, path: str) -> None:
    """Anything else is refused before the network."""
    with pytest.raises(ConfigError, match="path"):
        world.session().console_url("vegeta", path=path)
    assert posted.addresses == []
    assert world.aws.calls == []


@given(st.text(max_size=20) | st.from_regex(r"[a-z0-9/.%@:?#\\\\&=-]{0,24}", fullmatch=True))
def test_no_path_leads_to_another_host(path: str) -> None:
    """Whatever it is made of."""
    console = console_of("aws")
    try:
        page = page_of(console, path, "eu-west-1")
    except ConfigError:
        return
    assert page.startswith(console.home)
    assert urlsplit(urljoin(console.home, page)).hostname == "console.aws.amazon.com"
    assert urljoin(page, ".").startswith(console.home)


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("s3", "s3/home?region=eu-west-1"),
        ("s3/buckets/vegeta", "s3/buckets/vegeta?region=eu-west-1"),
        ("ec2/home?region=us-east-2#Instances:", "ec2/home?region=us-east-2#Instances:"),
    ],
)
def test_a_page_opens_in_the_accounts_region(path: str, page: str) -> None:
    """Unless the path says more."""
    assert page_of(console_of("aws"), path, "eu-west-1") == f"https://console.aws.amazon.com/{page}"
    assert page_of(console_of("aws"), "s3", None) == "https://console.aws.amazon.com/s3/home"
