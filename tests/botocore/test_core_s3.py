"""What users do with S3, on both paths, against a server that checks signatures."""

from __future__ import annotations

import hashlib
import hmac
import io
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from tests.support.client_paths import KEY, Answer, Bench, MakeCore, answered, signed_by
from tests.support.worlds import BATMAN, BUCKET, VEGETA
from xsession.testing._http._signatures import _signing_key

MIB = 1024 * 1024
SESSION = b"""<CreateSessionResult><Credentials><AccessKeyId>%b</AccessKeyId><SecretAccessKey>s</SecretAccessKey>
<SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></CreateSessionResult>"""


@pytest.fixture
def s3(bench: Bench) -> Any:
    """Vegeta's client; Vegeta's bucket is there."""
    bench.world.bucket()
    return bench.client("s3")


def test_paginators_page(s3: Any) -> None:
    """Through all objects."""
    for number in range(4):
        s3.put_object(Bucket=BUCKET, Key=f"k{number}", Body=b"x")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, PaginationConfig={"PageSize": 2})
    assert [page["KeyCount"] for page in pages] == [2, 2, 1]


def test_waiters_wait(s3: Any) -> None:
    """For what is there."""
    s3.get_waiter("object_exists").wait(Bucket=BUCKET, Key="scouter.csv")


def _opened(url: str) -> Any:
    return urllib.request.urlopen(url)  # noqa: S310 # of the local AWS


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls_open(bench: Bench, version: str) -> None:
    """For any holder, and of the account that signed them; another's are refused by the server."""
    bench.world.bucket()

    def presigned(account_id: str) -> str:
        s3 = bench.client("s3", account_id, config=Config(signature_version=version))
        return str(s3.generate_presigned_url("get_object", {"Bucket": BUCKET, "Key": "scouter.csv"}))

    with _opened(presigned(VEGETA)) as answer:
        assert answer.read().startswith(b"name,level")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        _opened(presigned(BATMAN))


def test_presigned_posts_are_signed_with_the_accounts_secret(bench: Bench) -> None:
    """Each with its own."""
    for account_id in (VEGETA, BATMAN):
        s3 = bench.client("s3", account_id, config=Config(signature_version="s3v4"))
        fields = s3.generate_presigned_post(BUCKET, "key")["fields"]
        key_id, _, scope = fields["x-amz-credential"].partition("/")
        assert key_id == bench.keys[account_id].access_key_id
        signing_key = _signing_key(bench.keys[account_id].secret_access_key, scope)
        expected = hmac.new(signing_key, fields["policy"].encode(), hashlib.sha256).hexdigest()
        assert fields["x-amz-signature"] == expected


def test_files_are_transferred(s3: Any, tmp_path: Path) -> None:
    """boto3's additions to the client are there."""
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(b"power" * 1_000)
    s3.upload_file(str(source), BUCKET, "file")
    s3.download_file(BUCKET, "file", str(target))
    assert target.read_bytes() == source.read_bytes()


def test_large_objects_are_transferred_in_parts(s3: Any) -> None:
    """By several threads at once."""
    body = bytes(range(256)) * 4_096 * 11
    parts = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)
    s3.upload_fileobj(io.BytesIO(body), BUCKET, "large", Config=parts)
    assert s3.head_object(Bucket=BUCKET, Key="large")["ETag"].strip('"').endswith("-3")
    fetched = io.BytesIO()
    s3.download_fileobj(BUCKET, "large", fetched, Config=parts)
    assert fetched.getvalue() == body


def test_bodies_stream(s3: Any) -> None:
    """Piece by piece, line by line, and into a request."""
    body = s3.get_object(Bucket=BUCKET, Key="scouter.csv")["Body"]
    assert body.read(4) == b"name"
    lines = s3.get_object(Bucket=BUCKET, Key="scouter.csv")["Body"].iter_lines()
    assert list(lines) == [b"name,level", b"goku,9001"]
    s3.put_object(Bucket=BUCKET, Key="copy", Body=io.BytesIO(b"streamed"))
    assert s3.get_object(Bucket=BUCKET, Key="copy")["Body"].read() == b"streamed"


def test_exceptions_are_the_clients(s3: Any) -> None:
    """By the service's own names."""
    with pytest.raises(s3.exceptions.NoSuchKey):
        s3.get_object(Bucket=BUCKET, Key="missing")


def test_another_accounts_bucket_is_closed(bench: Bench) -> None:
    """The server sees who asks."""
    bench.world.bucket()
    with pytest.raises(ClientError, match="AccessDenied"):
        bench.client("s3", BATMAN).list_objects_v2(Bucket=BUCKET)


def test_resources_work(bench: Bench) -> None:
    """They take the same way as clients."""
    bench.world.bucket()
    session = bench.core.boto3_session(bench.credentials(), "eu-west-1")
    assert [item.key for item in session.resource("s3").Bucket(BUCKET).objects.all()] == ["scouter.csv"]


def test_express_sessions_are_each_accounts_own(core: MakeCore) -> None:
    """A directory bucket's requests are signed with credentials of a session, which the account's key is asked for."""
    made = core()
    signers = []
    for account_id in (BATMAN, VEGETA, BATMAN):
        s3 = made.client("s3", Credentials(f"AKIA{account_id}", "s"), "us-west-2")
        requests = answered(s3, SESSION % f"ASIA{account_id}".encode())
        for _ in range(2):
            s3.put_object(Bucket="b--usw2-az1--x-s3", Key="k", Body=b"")
        assert "b--usw2-az1--x-s3.s3express-usw2-az1.us-west-2" in requests[-1].url
        signers.append([signed_by(request) for request in requests])
    assert signers == [
        [f"AKIA{account_id}", f"ASIA{account_id}", f"ASIA{account_id}"] for account_id in (BATMAN, VEGETA, BATMAN)
    ]


def test_a_bucket_in_another_region_is_found(core: MakeCore) -> None:
    """botocore's redirector is registered again on each client."""
    made = core()
    for _ in range(2):
        s3 = made.client("s3", KEY, "us-west-2")
        requests: list[Any] = []

        def redirect(request: Any, seen: list[Any] = requests, **_kwargs: Any) -> Answer:
            seen.append(request)
            found = Answer(b"<ListBucketResult/>")
            if len(seen) == 1:
                found = Answer(b"<Error><Code>PermanentRedirect</Code></Error>", 301)
                found.headers["x-amz-bucket-region"] = "eu-west-3"
            return found

        s3.meta.events.register("before-send", redirect)
        s3.list_objects_v2(Bucket=BUCKET)
        assert [urllib.parse.urlsplit(request.url).hostname for request in requests] == [
            f"{BUCKET}.s3.us-west-2.amazonaws.com",
            f"{BUCKET}.s3.eu-west-3.amazonaws.com",
        ]
