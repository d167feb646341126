from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from socketserver import BaseRequestHandler, TCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest

from tests.support.reporters import leaks
from tests.support.worlds import VEGETA, World
from xsession import (
    ConfigError,
    Credentials,
    CrossAccountSession,
    GrantError,
    RevocationError,
    RoleChain,
    XSessionError,
)
from xsession._aws import Console
from xsession._chain import ResolvedAccount
from xsession.grants import Grant
from xsession.grants._console import checked_url, console_of, console_url, post_form

CREDENTIALS = Credentials(
    access_key_id="ASIAEXAMPLE",
    secret_access_key="hush",
    session_token="hush-too",
    expiry=datetime(2030, 1, 1, tzinfo=UTC),
)
HOME = "https://console.aws.amazon.com/"


class Page:
    """AWS's page for making links, on loopback: keeps what it was sent.

    Args:
        server: What listens.
    """

    def __init__(self, server: HTTPServer) -> None:
        self.console = Console(f"http://127.0.0.1:{server.server_port}/federation", HOME)
        self.requests: list[tuple[str, str]] = []
        self.answer = (200, b'{"SigninToken": "a-token"}')

    def url(self, destination: str | None = None, issuer: str | None = None) -> str:
        """A link made there."""
        return console_url(CREDENTIALS, self.console, destination=destination, issuer=issuer, post=post_form)


@pytest.fixture
def page() -> Iterator[Page]:
    """The page, which runs for one test."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # http.server's spelling
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            made.requests.append((self.path, body))
            self.send_response(made.answer[0])
            self.end_headers()
            self.wfile.write(made.answer[1])

        def log_message(self, *_args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    made = Page(server)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_link_logs_in(page: Page) -> None:
    """The credentials go in the body alone, and no duration is asked for; the link has the token."""
    link = page.url("https://console.aws.amazon.com/ec2", "https://login.example/")
    (path, body) = page.requests[0]
    assert path == "/federation"
    form = parse_qs(body)
    assert form["Action"] == ["getSigninToken"]
    assert json.loads(form["Session"][0]) == {
        "sessionId": "ASIAEXAMPLE",
        "sessionKey": "hush",
        "sessionToken": "hush-too",
    }
    assert form.keys() == {"Action", "Session"}
    assert parse_qs(urlsplit(link).query) == {
        "Action": ["login"],
        "Destination": ["https://console.aws.amazon.com/ec2"],
        "Issuer": ["https://login.example/"],
        "SigninToken": ["a-token"],
    }
    assert link.startswith(page.console.federation)


def test_a_link_leads_home_where_nothing_else_is_asked_for(page: Page) -> None:
    """And names no issuer."""
    query = parse_qs(urlsplit(page.url()).query)
    assert (query["Destination"], "Issuer" in query) == ([HOME], False)


@pytest.mark.parametrize(
    ("answer", "message", "retryable"),
    [
        ((400, b"hush-too"), "answered 400", False),
        ((503, b"hush-too"), "answered 503", True),
        ((200, b"hush-too"), "could not be read", True),
        ((200, b"[]"), "could not be read", True),
        ((200, b'{"Token": "hush-too"}'), "could not be read", True),
        ((200, b'{"SigninToken": ""}'), "without a token", False),
        ((200, b'{"SigninToken": ["hush-too"]}'), "without a token", False),
    ],
)
def test_no_link_is_an_error_without_the_answer(
    page: Page, answer: tuple[int, bytes], message: str, retryable: bool
) -> None:
    """An answer may hold half of a secret."""
    page.answer = answer
    with pytest.raises(GrantError, match=message) as caught:
        page.url()
    assert caught.value.retryable is retryable
    assert "hush" not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_page_that_can_not_be_reached_is_an_error(page: Page) -> None:
    """One that may go away."""

    def unreachable(_address: str, _form: bytes) -> bytes:
        raise TimeoutError

    with pytest.raises(GrantError, match="could not be asked: TimeoutError") as caught:
        console_url(CREDENTIALS, page.console, destination=None, issuer=None, post=unreachable)
    assert caught.value.retryable


@pytest.mark.parametrize("answer", [b"what is this\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_an_answer_that_is_no_http_is_an_error(answer: bytes) -> None:
    """Or one that breaks off, as a proxy's may."""

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(65_536)
            self.request.sendall(answer)

    with TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        console = Console(f"http://127.0.0.1:{server.server_address[1]}/federation", HOME)
        with pytest.raises(GrantError, match="could not be asked") as caught:
            console_url(CREDENTIALS, console, destination=None, issuer=None, post=post_form)
        thread.join()
    assert caught.value.retryable


def test_no_key_is_in_what_reporters_show(page: Page) -> None:
    """They send the variables of each frame."""
    for page.answer in ((403, b""), (200, b"what is this")):
        with pytest.raises(GrantError) as caught:
            page.url()
        assert leaks(caught.value, {"a key": "hush"}, __file__) == []


def test_nothing_is_logged(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    """Neither credentials nor the link."""
    with caplog.at_level(logging.DEBUG):
        page.url()
    assert caplog.text == ""


def test_partitions_have_consoles_of_their_own() -> None:
    """Others are an error before the network."""
    assert console_of("aws").federation == "https://signin.aws.amazon.com/federation"
    assert console_of("aws-cn").federation == "https://signin.amazonaws.cn/federation"
    assert console_of("aws-eusc").federation == "https://eusc-de-east-1.signin.amazonaws-eusc.eu/federation"
    assert console_of("aws-us-gov").home == "https://console.amazonaws-us-gov.com/"
    with pytest.raises(ConfigError, match="partition aws-iso is known"):
        console_of("aws-iso")


@pytest.mark.parametrize("value", ["", "http://console.aws.amazon.com/", "https://a b", "https://a\n", 7])
def test_an_address_begins_with_https(value: Any) -> None:
    """And holds no white space."""
    assert checked_url("issuer", None) is None
    with pytest.raises(ConfigError, match=r"issuer .* is not valid"):
        checked_url("issuer", value)


def grant_with_links_of(xs: CrossAccountSession, page: Page, account: str, **options: Any) -> Grant:
    """A grant whose links come from a page here."""
    xs._grants()._post = lambda _address, form: post_form(page.console.federation, form)
    return xs.grant(account, **{"to": "jane", "duration": 60, **options})


def key_of(page: Page) -> str:
    """The access key id of the credentials that the last link was made with."""
    return str(json.loads(parse_qs(page.requests[-1][1])["Session"][0])["sessionId"])


def test_a_grant_makes_links(world: World, page: Page) -> None:
    """With its own credentials; and its errors name the account."""
    grant = grant_with_links_of(world.session(), page, "vegeta")
    with pytest.raises(ConfigError, match="destination"):
        grant.console_url("javascript:alert(1)")
    link = grant.console_url()
    assert link.startswith("https://signin.aws.amazon.com/federation?Action=login&Destination=https%3A%2F%2Fconsole")
    assert key_of(page) == grant.environ()["AWS_ACCESS_KEY_ID"]
    page.answer = (400, b"")
    with pytest.raises(XSessionError, match="account 'vegeta'"):
        grant.console_url()


def assumed(world: World) -> dict[str, dict[str, Any]]:
    """What Vegeta's sessions were asked for with, by their access key ids."""
    found: dict[str, dict[str, Any]] = {}
    for region in ("us-east-1", "eu-west-1"):
        for entry in world.vegeta.root.client("cloudtrail", region_name=region).lookup_events()["Events"]:
            event = json.loads(entry["CloudTrailEvent"])
            if event["eventName"] == "AssumeRole":
                found[event["responseElements"]["credentials"]["accessKeyId"]] = event["requestParameters"]
    return found


def chained_source(world: World) -> boto3.Session:
    """A source that is a role's session itself."""
    key = world.aws._sts.find(world.session().get_frozen_credentials("deep").access_key_id)
    assert key is not None
    return world.aws.session(key)


@pytest.mark.parametrize("is_source", [False, True], ids=["in a chain", "as the source"])
def test_a_link_for_a_roles_session_has_no_chosen_duration(world: World, page: Page, is_source: bool) -> None:
    """AWS's console refuses DurationSeconds that a role's session asked for; all else is as in the grant."""
    role = world.vegeta.role("Operator", trusts=VEGETA)
    accounts = {"vegeta": role if is_source else RoleChain(world.role, role)}
    xs = world.session(accounts, **({"session": chained_source(world)} if is_source else {}))
    grant = grant_with_links_of(xs, page, "vegeta")
    grant.console_url()
    requests = assumed(world)
    mine, linked = requests[grant.environ()["AWS_ACCESS_KEY_ID"]], requests[key_of(page)]
    assert mine["durationSeconds"] < 1_000
    del mine["durationSeconds"]
    assert linked == mine


def test_a_link_is_not_handed_over_once_its_grant_is_revoked(world: World, page: Page) -> None:
    """The revocation that comes while STS answers counts."""
    xs = world.session()
    grant = grant_with_links_of(xs, page, "deep")
    chains = xs._grants()._chains

    def revoked_meanwhile(resolved: ResolvedAccount) -> Credentials:
        credentials = chains.assumed_once(resolved)
        with pytest.raises(RevocationError):
            grant.revoke()
        return credentials

    grant._assume_once = revoked_meanwhile
    with pytest.raises(XSessionError, match="revoked"):
        grant.console_url()
    assert page.requests == []
