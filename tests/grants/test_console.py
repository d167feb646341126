from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.worlds import World
from xsession import ConfigError, Credentials, GrantError, XSessionError
from xsession._aws import Console
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


def test_a_grant_makes_links(world: World, page: Page) -> None:
    """With its own credentials; and its errors name the account."""
    xs = world.session()
    asked: list[str] = []

    def post(address: str, form: bytes) -> bytes:
        asked.append(address)
        return post_form(page.console.federation, form)

    xs._grants()._post = post
    grant = xs.grant("vegeta", to="jane", duration=60)
    with pytest.raises(ConfigError, match="destination"):
        grant.console_url("javascript:alert(1)")
    link = grant.console_url()
    assert asked == ["https://signin.aws.amazon.com/federation"]
    assert link.startswith("https://signin.aws.amazon.com/federation?Action=login&Destination=https%3A%2F%2Fconsole")
    assert grant.environ()["AWS_ACCESS_KEY_ID"] in page.requests[0][1]
    page.answer = (400, b"")
    with pytest.raises(XSessionError, match="account 'vegeta'"):
        grant.console_url()
