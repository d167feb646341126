"""Sessions of S3 Express end with the credentials that they were made with."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.aws_hosts import Answer, AwsHosts, Request, aws_hosts, error, usual
from tests.support.worlds import VEGETA
from xsession import SOURCE, CrossAccountSession, DeadlinePassedError, SessionClosedError
from xsession._botocore._express import BoundSessions
from xsession.testing import FakeClock

BUCKET = "fast--use1-az4--x-s3"


class Express:
    """S3 Express: makes sessions, and rejects those that a test names."""

    def __init__(self) -> None:
        self.made = 0
        self.rejected: set[str] = set()

    def __call__(self, request: Request) -> Answer:
        """Answers a request."""
        if "session" not in request.path.partition("?")[2]:
            return error("ExpiredToken") if request.key_id in self.rejected else usual(request)
        self.made += 1
        expires = datetime.now(UTC) + timedelta(minutes=5)
        return Answer(
            body=f"""<CreateSessionResult><Credentials><SessionToken>t</SessionToken><SecretAccessKey>s</SecretAccessKey>
<AccessKeyId>EXPRESS{self.made}</AccessKeyId><Expiration>{expires:%Y-%m-%dT%H:%M:%SZ}</Expiration></Credentials>
</CreateSessionResult>"""
        )


@pytest.fixture
def express() -> Express:
    """S3 Express."""
    return Express()


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, express: Express) -> Iterator[AwsHosts]:
    """AWS."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    with aws_hosts(monkeypatch, tmp_path, express) as server:
        yield server


@pytest.fixture
def xs(hosts: AwsHosts) -> Iterator[CrossAccountSession]:  # noqa: ARG001 # it sets the environment
    """A session that knows Vegeta."""
    with CrossAccountSession({"vegeta": f"arn:aws:iam::{VEGETA}:role/R"}, clock=FakeClock()) as session:
        yield session


def read(hosts: AwsHosts, client: Any) -> list[str]:
    """Reads an object; returns the keys of S3 Express that signed."""
    hosts.seen.clear()
    client.get_object(Bucket=BUCKET, Key="k")
    return [request.key_id for request in hosts.seen if request.key_id.startswith("EXPRESS")]


@pytest.mark.parametrize("account", ["vegeta", SOURCE])
def test_a_session_serves_until_the_credentials_are_invalidated(
    xs: CrossAccountSession, hosts: AwsHosts, account: Any
) -> None:
    """The source's too, which stay the same."""
    client = xs.get_client("s3", account)
    assert read(hosts, client) == read(hosts, client) == ["EXPRESS1"]
    xs.invalidate()
    assert read(hosts, client) == read(hosts, client) == ["EXPRESS2"]


def test_nothing_is_signed_after_the_end(xs: CrossAccountSession, hosts: AwsHosts) -> None:
    """Of a grant, or of the session."""
    grant = xs.grant("vegeta", to="a contractor", duration=timedelta(minutes=15))
    granted, own = grant.client("s3"), xs.get_client("s3", "vegeta")
    assert (read(hosts, granted), read(hosts, own)) == (["EXPRESS1"], ["EXPRESS2"])
    clock: Any = xs._chains._runtime.clock
    clock.advance(901)
    with pytest.raises(DeadlinePassedError):
        read(hosts, granted)
    assert hosts.seen == []
    xs.close()
    with pytest.raises(SessionClosedError):
        read(hosts, own)
    assert hosts.seen == []


def test_a_rejected_session_is_made_again_and_the_credentials_stay(
    xs: CrossAccountSession, hosts: AwsHosts, express: Express
) -> None:
    """They made it, and nobody said anything against them."""
    client = xs.get_client("s3", "vegeta")
    read(hosts, client)
    key = xs.get_frozen_credentials("vegeta").access_key_id
    express.rejected = {"EXPRESS1"}
    assert read(hosts, client) == ["EXPRESS1", "EXPRESS2"]
    assert xs.get_frozen_credentials("vegeta").access_key_id == key
    express.rejected = {"EXPRESS2", "EXPRESS3"}
    with pytest.raises(ClientError, match="ExpiredToken"):
        read(hosts, client)


class Cache:
    """Makes a session for each bucket, as the base of botocore's cache does."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def get_credentials(self, bucket: str) -> object:
        """A new one."""
        self.made.append(bucket)
        return object()


class RememberingCache(Cache):
    """botocore's own, which must not be asked."""

    def get_credentials(self, bucket: str) -> object:
        """For the process."""
        raise NotImplementedError


def test_so_many_buckets_have_a_session() -> None:
    """Those that got one last."""
    credentials = SimpleNamespace(issue=lambda: "always the same")
    cache = RememberingCache()
    for bucket in [*map(str, range(101)), "100", "1", "0"]:
        BoundSessions(cache, credentials).get_credentials(bucket)
    assert cache.made == [*map(str, range(101)), "0"]


def test_a_request_that_was_signed_with_no_session_rejects_none() -> None:
    """Its signing failed before."""
    assert not BoundSessions(RememberingCache(), SimpleNamespace()).rejected()
