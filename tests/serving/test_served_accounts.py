from __future__ import annotations

import hmac
import json
from typing import Any

import pytest

from xsession import Credentials, MfaError
from xsession.serving._connection import Later
from xsession.serving._served_accounts import ServedAccount, ServedAccounts, new_token

HOST = "127.0.0.1:8080"


class Given:
    """Credentials of one account, as a test wants them."""

    def __init__(self, key: str) -> None:
        self.value: Credentials | None = Credentials(access_key_id=key, secret_access_key=f"secret of {key}")
        self.raises: BaseException | None = None

    def held(self) -> Credentials | None:
        """What is there."""
        if self.raises is not None and self.value is not None:
            raise self.raises
        return self.value

    def unattended(self) -> Credentials:
        """What comes later."""
        if self.raises is not None:
            raise self.raises
        return Credentials(access_key_id="ASIALATER", secret_access_key="s")


@pytest.fixture
def vegeta() -> Given:
    """Vegeta's credentials."""
    return Given("ASIAVEGETA")


@pytest.fixture
def served(vegeta: Given) -> ServedAccounts:
    """Two accounts."""
    made = ServedAccounts(lambda: 0.0)
    made.hosts = frozenset({HOST.encode()})
    made.add(ServedAccount("/1/vegeta", "token-of-vegeta", vegeta))
    made.add(ServedAccount("/2/bulma", "token-of-bulma", Given("ASIABULMA")))
    return made


def answered(
    served: ServedAccounts, path: str, token: str | None, *, method: str = "GET", host: str = HOST
) -> tuple[int, dict[str, Any]]:
    """The status and the document of an answer."""
    authorization = "" if token is None else f"\r\nAuthorization: {token}"
    response = served.respond(f"{method} {path} HTTP/1.1\r\nHost: {host}{authorization}".encode("latin-1"))
    assert isinstance(response, bytes)
    head, _, body = response.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def test_each_token_opens_its_own_path(served: ServedAccounts) -> None:
    """One account for each: never any role that a client asks for."""
    assert answered(served, "/1/vegeta", "token-of-vegeta")[1]["AccessKeyId"] == "ASIAVEGETA"
    assert answered(served, "/2/bulma", "token-of-bulma")[1]["AccessKeyId"] == "ASIABULMA"


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [
        ("/1/vegeta", None, 401),
        ("/1/vegeta", "", 403),
        ("/1/vegeta", "wrong", 403),
        ("/1/vegeta", "token-of-veget", 403),
        ("/1/vegeta", "token-of-vegeta2", 403),
        ("/1/vegeta", "Bearer token-of-vegeta", 403),
        ("/1/vegeta", "t\xf6ken", 403),
        ("/1/vegeta", "token-of-bulma", 403),
        ("/2/bulma", "token-of-vegeta", 403),
        ("/", "token-of-vegeta", 403),
        ("/1", "token-of-vegeta", 403),
        ("/1/vegeta/", "token-of-vegeta", 403),
        ("/1/vegeta?", "token-of-vegeta", 403),
        ("//1/vegeta", "token-of-vegeta", 403),
        ("/2/../1/vegeta", "token-of-vegeta", 403),
        ("/1/%76egeta", "token-of-vegeta", 403),
        ("/1/VEGETA", "token-of-vegeta", 403),
        (f"http://{HOST}/1/vegeta", "token-of-vegeta", 403),
        ("*", "token-of-vegeta", 403),
    ],
)
def test_anything_else_opens_nothing(served: ServedAccounts, path: str, token: str | None, status: int) -> None:
    """And the answer does not say which of both is wrong."""
    found, document = answered(served, path, token)
    assert found == status
    assert document.keys() == {"Code", "Message"}
    assert "ASIA" not in str(document)


def test_a_path_that_does_not_exist_is_answered_as_one_that_does(served: ServedAccounts) -> None:
    """Names of accounts are not told to those who have no token."""
    assert answered(served, "/1/vegeta", "wrong") == answered(served, "/1/nobody", "wrong")


def test_tokens_are_compared_in_constant_time(served: ServedAccounts, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there is no account to compare with."""
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append((given, expected))
        return given == expected

    monkeypatch.setattr(hmac, "compare_digest", compare)
    answered(served, "/1/vegeta", "wrong")
    answered(served, "/1/nobody", "wrong")
    assert [given for given, _ in compared] == [b"wrong", b"wrong"]
    assert compared[0][1] == b"token-of-vegeta"
    assert len(compared[1][1]) == len(new_token())


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "localhost:8080", "127.0.0.1", "127.0.0.1:80", "[::1]:8080", ""]
)
def test_another_host_is_refused(served: ServedAccounts, host: str) -> None:
    """A page in a browser whose own name was led to loopback sends that name."""
    assert answered(served, "/1/vegeta", "token-of-vegeta", host=host)[0] == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "get"])
def test_other_methods_are_refused(served: ServedAccounts, method: str) -> None:
    """Even with the right token."""
    assert answered(served, "/1/vegeta", "token-of-vegeta", method=method)[0] == 405


def test_what_is_no_request_is_answered_all_the_same(served: ServedAccounts) -> None:
    """In the form of all other errors."""
    response = served.respond(b"\x16\x03\x01")
    assert isinstance(response, bytes)
    assert response.startswith(b"HTTP/1.1 400 ")


def test_what_takes_time_is_read_later(served: ServedAccounts, vegeta: Given) -> None:
    """By another thread, for all who wait for the same account."""
    vegeta.value = None
    head = f"GET /1/vegeta HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: token-of-vegeta".encode()
    response = served.respond(head)
    assert isinstance(response, Later)
    assert response.key == "/1/vegeta"
    assert b"ASIALATER" in response.read()


@pytest.mark.parametrize("cold", [True, False])
def test_an_error_is_the_answer(served: ServedAccounts, vegeta: Given, cold: bool) -> None:
    """Known at once or later, in its own words."""
    vegeta.raises = MfaError("needs a code")
    if cold:
        vegeta.value = None
    head = f"GET /1/vegeta HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: token-of-vegeta".encode()
    response = served.respond(head)
    answer = response.read() if isinstance(response, Later) else response
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"needs a code" in answer


def test_an_error_of_foreign_code_is_not_told(served: ServedAccounts, vegeta: Given) -> None:
    """A source may raise whatever it likes, with secrets in it."""
    vegeta.value, vegeta.raises = None, ValueError("very-secret")
    response = served.respond(f"GET /1/vegeta HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: token-of-vegeta".encode())
    assert isinstance(response, Later)
    answer = response.read()
    assert answer.startswith(b"HTTP/1.1 500 ")
    assert b"very-secret" not in answer


def test_tokens_can_not_be_guessed() -> None:
    """256 random bits, in characters that no reader trims, quotes or folds."""
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) == 43 and token.replace("-", "").replace("_", "").isalnum() for token in tokens)
