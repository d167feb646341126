"""Uploads over TLS, with nothing set: what is rejected is sent once more, and whole."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.aws_hosts import Answer, AwsHosts, Request, aws_hosts, error, usual
from tests.support.worlds import VEGETA
from xsession import CrossAccountSession
from xsession.testing import FakeClock

DATA = bytes(range(256)) * 400
Client = Callable[..., Any]


class RejectsFirst:
    """A service that rejects the first upload."""

    def __init__(self) -> None:
        self.uploads = 0

    def __call__(self, request: Request) -> Answer:
        """Answers a request."""
        if request.method != "PUT":
            return usual(request)
        self.uploads += 1
        return error("ExpiredToken") if self.uploads == 1 else Answer(body="")


@pytest.fixture(autouse=True)
def no_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    """botocore's sleeps take no time."""
    monkeypatch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AwsHosts]:
    """AWS, which rejects the first upload."""
    with aws_hosts(monkeypatch, tmp_path, RejectsFirst()) as server:
        yield server


@contextmanager
def client_of(age: float, **options: Any) -> Iterator[Any]:
    """An S3 client whose credentials are so many seconds old."""
    clock = FakeClock()
    role = f"arn:aws:iam::{VEGETA}:role/R"
    with CrossAccountSession({"vegeta": role}, clock=clock) as xs:
        xs.get_frozen_credentials("vegeta")
        clock.advance(age)
        yield xs.get_client("s3", "vegeta", **options)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize(
    "body", [lambda: DATA, lambda: bytearray(DATA), lambda: io.BytesIO(DATA)], ids=["bytes", "bytearray", "file"]
)
@pytest.mark.parametrize(("age", "keys"), [(0, 1), (11, 2)])
def test_an_upload_is_sent_once_more_byte_for_byte(
    hosts: AwsHosts, mode: Any, body: Callable[[], Any], age: float, keys: int
) -> None:
    """With the keys that it needs, in each retry mode."""
    with client_of(age, config=Config(retries={"mode": mode})) as s3:
        s3.put_object(Bucket="bucket", Key="k", Body=body())
    first, second = hosts.to("PUT")
    assert (first.decoded, second.decoded) == (DATA, DATA)
    assert first.body == second.body
    assert len({first.key_id, second.key_id}) == keys


def test_a_managed_upload_tells_its_progress_once(hosts: AwsHosts, tmp_path: Path) -> None:
    """The bytes that are sent again are taken back before."""
    path = tmp_path / "upload"
    seen: list[int] = []
    path.write_bytes(DATA)
    with client_of(11) as s3:
        s3.upload_file(str(path), "bucket", "k", Callback=seen.append)
    assert [request.decoded for request in hosts.to("PUT")] == [DATA, DATA]
    assert sum(seen) == len(DATA)


class OnceOnly(io.RawIOBase):
    """Gives its bytes once."""

    def __init__(self) -> None:
        self.left = DATA

    def readable(self) -> bool:
        """It is."""
        return True

    def read(self, _size: int = -1, /) -> bytes:
        """All of them."""
        given, self.left = self.left, b""
        return given


class Stubborn(io.BytesIO):
    """Does not go back to its start once it was read to its end."""

    def __init__(self) -> None:
        super().__init__(DATA)
        self.ended = False

    def read(self, *arguments: Any) -> bytes:
        """As ever."""
        given = super().read(*arguments)
        self.ended = self.ended or not given
        return given

    def seek(self, *arguments: Any) -> int:
        """Until it was read."""
        if self.ended:
            raise ZeroDivisionError
        return super().seek(*arguments)


@pytest.mark.skipif(
    "request_checksum_calculation" not in Config.OPTION_DEFAULTS, reason="this botocore seeks every body itself"
)
@pytest.mark.parametrize("body", [OnceOnly, Stubborn])
def test_an_upload_that_can_not_be_sent_again_brings_aws_error(hosts: AwsHosts, body: Callable[[], Any]) -> None:
    """And none of botocore's, or of the body."""
    with client_of(11) as s3:
        with pytest.raises(ClientError, match="ExpiredToken"):
            s3.put_object(Bucket="bucket", Key="k", Body=body(), ContentLength=len(DATA))
        s3.put_object(Bucket="bucket", Key="k", Body=DATA)
    first, second = hosts.to("PUT")
    assert first.key_id != second.key_id
