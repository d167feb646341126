from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.serving._request import EndpointRequest, Refusal, read_request

LINE = b"GET /1/vegeta HTTP/1.1\r\n"
HOST = b"Host: 127.0.0.1:80"


def test_a_request_is_read() -> None:
    """Names of headers ignore case, and blanks around values don't count."""
    head = LINE + b"hOST:127.0.0.1:80\r\nAuthorization: \t token \r\nAccept: */*\r\nEmpty:"
    assert read_request(head) == EndpointRequest(
        method=b"GET", path=b"/1/vegeta", host=b"127.0.0.1:80", authorization=b"token"
    )


def test_a_token_may_be_missing() -> None:
    """That is another refusal than a request that is none."""
    request = read_request(LINE + HOST)
    assert isinstance(request, EndpointRequest)
    assert request.authorization is None


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\r\n",
        b"GET /\r\n" + HOST,
        b"GET / HTTP/2.0\r\n" + HOST,
        b"GET  / HTTP/1.1\r\n" + HOST,
        b"GET / / HTTP/1.1\r\n" + HOST,
        b"\x16\x03\x01\x02\x00\x01",
        LINE[:-2],
        LINE + b"Accept: */*",
        LINE + b"Host",
        LINE + b": 127.0.0.1:80",
        LINE + b"Host : 127.0.0.1:80",
        LINE + HOST + b"\r\n folded: yes",
        LINE + HOST + b"\r\n" + HOST,
        LINE + HOST + b"\r\nAuthorization: a\r\nauthorization: b",
    ],
)
def test_what_is_no_request_is_refused(head: bytes) -> None:
    """Neither guessed at, nor an error of ours."""
    refused = read_request(head)
    assert isinstance(refused, Refusal)
    assert refused.status == 400


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused(head: bytes) -> None:
    """No request raises."""
    assert isinstance(read_request(head), EndpointRequest | Refusal)
    assert isinstance(read_request(LINE + HOST + b"\r\n" + head), EndpointRequest | Refusal)


def test_reading_takes_no_time_that_grows_faster_than_the_request() -> None:
    """Blanks, colons and line ends are where patterns backtrack."""
    for filler in (b" ", b":", b"\r\n", b"\t", b"a"):
        head = LINE + HOST + b"\r\nAuthorization:" + filler * 16_000 + b"x"
        assert isinstance(read_request(head), EndpointRequest | Refusal)
