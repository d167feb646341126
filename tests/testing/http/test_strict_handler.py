"""What `_strict_handler` makes of bytes on a connection, by its `_message_rules` and its `_timed_input`."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.raw_http import FORM, exchanged, signed, written
from tests.support.worlds import World
from xsession.testing import LocalAWS
from xsession.testing._http import serve
from xsession.testing._http._timed_input import TimedInput

HOST = "Host: x\r\n"
MALFORMED: dict[str, tuple[bytes, str]] = {
    "no line": (b"\r\n", "BadRequest"),
    "noise": (b"\x16\x03\x01\x02\x00\x01\xff\n", "BadRequest"),
    "HTTP/0.9": (b"GET /\r\n", "BadRequest"),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "BadRequest"),
    "another URL": (b"GET http://x/ HTTP/1.1\r\n\r\n", "InvalidURI"),
    "all of the server": (b"OPTIONS * HTTP/1.1\r\n\r\n", "InvalidURI"),
    "a bad escape": (b"GET /%zz HTTP/1.1\r\n\r\n", "InvalidURI"),
    "half an escape": (b"GET /?a=%2 HTTP/1.1\r\n\r\n", "InvalidURI"),
    "no UTF-8": (b"GET /%ff HTTP/1.1\r\n\r\n", "InvalidURI"),
    "no ASCII": (b"GET /\xff HTTP/1.1\r\n\r\n", "InvalidURI"),
    "an address that is none": (b"GET //[ HTTP/1.1\r\n\r\n", "InvalidURI"),
    "a long line": (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", "RequestHeaderSectionTooLarge"),
    "a long header": (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", "RequestHeaderSectionTooLarge"),
    "many headers": (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", "RequestHeaderSectionTooLarge"),
    "no header": (b"GET / HTTP/1.1\r\nHost x\r\n\r\n", "BadRequest"),
    "a header without a name": (b"GET / HTTP/1.1\r\n: x\r\n\r\n", "BadRequest"),
    "a folded header": (b"GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n", "BadRequest"),
    "half of the headers": (b"GET / HTTP/1.1\r\nHost: x\r\n", "BadRequest"),
    "two hosts": (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "BadRequest"),
    "two lengths": (b"GET / HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 1\r\n\r\n", "BadRequest"),
    "no number": (b"GET / HTTP/1.1\r\nContent-Length: abc\r\n\r\n", "BadRequest"),
    "no length": (b"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n", "BadRequest"),
    "a negative length": (b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "BadRequest"),
    "an endless length": (b"GET / HTTP/1.1\r\nContent-Length: " + b"9" * 5_000 + b"\r\n\r\n", "BadRequest"),
    "a huge length": (b"GET / HTTP/1.1\r\nContent-Length: 9999999999999\r\n\r\n", "EntityTooLarge"),
    "a length too long": (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", "IncompleteBody"),
    "a length too short": (b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nlonger", "MissingAuthenticationToken"),
    "both lengths": (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "BadRequest"),
    "another encoding": (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "InvalidRequest"),
    "no chunk": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "BadRequest"),
    "a negative chunk": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "BadRequest"),
    "half a chunk": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab", "BadRequest"),
    "no last chunk": (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "BadRequest"),
    "a payload in parts": (
        b"POST / HTTP/1.1\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n",
        "MissingAuthenticationToken",
    ),
    "a method that does not exist": (b"BREW /pot HTTP/1.1\r\n\r\n", "MissingAuthenticationToken"),
}


@pytest.mark.parametrize(("data", "code"), MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_request_is_refused(world: World, data: bytes, code: str) -> None:
    """With AWS's status and code."""
    status, found, answer = exchanged(world.aws.endpoint_url, data)
    assert (400 <= status < 500, found) == (True, code), answer


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"GET / HTTP/1.1\r\nHost: ", "RequestTimeout"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nshort", "RequestTimeout"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab", "RequestTimeout"),
        (b"GE", ""),
    ],
)
def test_a_slow_client_holds_no_thread(world: World, data: bytes, code: str) -> None:
    """It is told so as soon as it has sent its first line, or let go."""
    server, thread = serve(world.aws._server, seconds=0.2)
    try:
        assert exchanged(f"http://127.0.0.1:{server.server_port}", data, hang_up=False)[1] == code
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_client_that_sends_byte_by_byte_is_timed_as_a_whole() -> None:
    """Each byte would be in time."""
    ours, other = socket.socketpair()
    ticks = iter(range(10))
    with ours, other:
        timed = TimedInput(ours, 3, lambda: float(next(ticks)))
        other.sendall(b"abc")
        assert [timed.read(1), timed.read(1)] == [b"a", b"b"]
        with pytest.raises(TimeoutError):
            timed.read(1)


def answered(aws: LocalAWS, data: bytes) -> None:
    """A 4xx of AWS's comes back."""
    status, code, answer = exchanged(aws.endpoint_url, data)
    assert 400 <= status < 500, (data, answer)
    assert code, (data, answer)


tokens = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=12)
scopes = st.sampled_from(["sts", "s3", "iam", "ec2", "dynamodb", "", "x", "\xff"])
names = st.sampled_from(
    [
        *("Authorization", "Content-Length", "Content-Type", "Date", "Host", "Transfer-Encoding", "X-Amz-Copy-Source"),
        *("X-Amz-Content-SHA256", "X-Amz-Date", "X-Amz-Decoded-Content-Length", "X-Amz-Security-Token", "X-Amz-Target"),
    ]
)
signatures = st.builds(
    "AWS4-HMAC-SHA256 Credential={}/20260101/us-east-1/{}/{}, SignedHeaders={}, Signature={}".format,
    tokens,
    scopes,
    st.sampled_from(["aws4_request", "", "x"]),
    tokens,
    tokens,
)
headers = st.tuples(
    names | tokens, signatures | tokens | st.sampled_from(["0", "5", "-1", "chunked", "20260101T000000Z"])
)
targets = st.builds(
    "/{}?{}".format,
    tokens | st.just(""),
    tokens | st.builds("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Expires={}".format, tokens, tokens),
)
requests = st.builds(
    written,
    st.sampled_from(["GET", "PUT", "POST", "DELETE", "BREW"]) | tokens.filter(lambda name: name != "HEAD"),
    targets | tokens,
    st.lists(headers, max_size=6),
    st.binary(max_size=50),
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=requests | st.binary(min_size=1, max_size=200).map(lambda noise: noise + b"\n"))
def test_any_bytes_are_answered(local_aws: LocalAWS, data: bytes) -> None:
    """By AWS's words, and no test ends by an error that it did not make."""
    answered(local_aws, data)


BODIES: list[Any] = [
    b"Action=",
    b"Action=Nope",
    b"Action=AssumeRole&RoleArn=arn:aws-x:iam::222222222222:role/x&RoleSessionName=ab",
    b"Action=AssumeRole&RoleArn=%00&RoleSessionName=ab",
    b"Action=SimulatePrincipalPolicy&PolicySourceArn=:::::",
    b"Action=GetSessionToken&DurationSeconds=" + b"9" * 5_000,
    b"{",
    b"[]",
    b"{}",
    b"[" * 50_000,
    b'{"MaxResults": "x"}',
    b'{"MaxResults": ' + b"1" * 5_000 + b"}",
    b"<x",
    b"<x/>",
    b"\xff\xfe",
]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    service=st.sampled_from(["sts", "s3", "iam", "ec2", "dynamodb", "cloudtrail", "sqs"]),
    target=st.sampled_from(["Nope", "DynamoDB_20120810.CreateTable", "x.LookupEvents", "x.\x7f", ""]),
    place=st.sampled_from(["/nothing", "/nothing/k?tagging", "/nothing?delete", "/nothing?a=1&a=2", "/%2e%2e/x?acl"]),
    body=st.sampled_from(BODIES) | st.binary(max_size=50),
)
def test_any_signed_payload_is_answered(
    local_aws: LocalAWS, service: str, target: str, place: str, body: bytes
) -> None:
    """By a key that may do everything: what moto fails over is no failure of the caller's server."""
    aws = local_aws
    key = aws.account("222222222222").user("prince")
    is_json = service in ("dynamodb", "cloudtrail", "sqs")
    chosen = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": target} if is_json else FORM
    path = place if service == "s3" else "/"
    made = signed(aws.endpoint_url, key, service, f"POST {path}", body, headers=chosen)
    data = written("POST", path, made, body)
    status, code, answer = exchanged(aws.endpoint_url, data)
    assert 200 <= status < 500, (data, answer)
    assert code or status < 300, (data, answer)
