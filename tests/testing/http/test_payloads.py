from __future__ import annotations

import base64
import hashlib
import io
import zlib
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from tests.support.raw_http import FORM, exchanged, signed, written
from tests.support.worlds import World
from xsession.testing._http._errors import RefusedError
from xsession.testing._http._http_request import HTTPRequest
from xsession.testing._http._payloads import ChunkSigner, check_payload

BODY = b"over nine thousand"
# An older botocore has the one way alone.
HAS_CHECKSUMS = "request_checksum_calculation" in Config.OPTION_DEFAULTS
CHECKSUMS: list[dict[str, Any]] = [
    {"request_checksum_calculation": when} for when in ("when_supported", "when_required")
]
SIGNER = ChunkSigner(b"key", "20260101T000000Z", "20260101/us-east-1/s3/aws4_request", "0" * 64)


def test_another_body_than_the_signed_one_is_refused(world: World) -> None:
    """S3 says what is wrong; of others, the signature is."""
    url, target, key = world.aws.endpoint_url, f"/{world.bucket()}/x", world.vegeta.user("v")
    made = signed(url, key, "s3", f"PUT {target}", BODY)
    other = BODY.replace(b"o", b"0")
    assert exchanged(url, written("PUT", target, made, other))[:2] == (400, "XAmzContentSHA256Mismatch")
    assert exchanged(url, written("PUT", target, made, BODY))[0] == 200
    who = b"Action=GetCallerIdentity&Version=2011-06-15"
    for declared in ({}, {"X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD"}):
        made = signed(url, key, "sts", "POST /", who, headers={**FORM, **declared})
        answer = exchanged(url, written("POST", "/", made, who.replace(b"06-15", b"06-16")))
        assert answer[:2] == (403, "SignatureDoesNotMatch")


def checked(declared: str, body: bytes, **headers: str) -> str:
    """The code by which a payload is refused; "": it is taken."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = HTTPRequest("PUT", "/b/k", "", {"x-amz-content-sha256": declared, **named}, body)
    try:
        check_payload(request, SIGNER)
    except RefusedError as error:
        return error.code
    return ""


def crc32(body: bytes) -> str:
    """The checksum as headers have it."""
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


SUM = f"x-amz-checksum-crc32:{crc32(b'abc')}\r\n".encode()
STREAM = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


@pytest.mark.parametrize(
    ("body", "length", "code"),
    [
        (b"3\r\nabc\r\n0\r\n" + SUM + b"\r\n", "3", ""),
        (b"1\r\na\r\n2\r\nbc\r\n0\r\n" + SUM + b"\r\n", "3", ""),
        (b"3\r\nabc\r\n0\r\n" + SUM + b"\r\n", "4", "IncompleteBody"),
        (b"3\r\nabc\r\n0\r\n" + SUM + b"\r\n", "x", "MissingContentLength"),
        (b"3\r\nabd\r\n0\r\n" + SUM + b"\r\n", "3", "BadDigest"),
        (b"3\r\nabc\r\n0\r\n\r\n", "3", "MalformedTrailerError"),
        (b"3\r\nabc\r\n0\r\n" + SUM + b"nonsense", "3", "MalformedTrailerError"),
        (b"3\r\nabc\r\n", "3", "IncompleteBody"),
        (b"3\r\nabcd\r\n0\r\n", "3", "IncompleteBody"),
        (b"-3\r\nabc\r\n0\r\n", "3", "IncompleteBody"),
        (b"ffffffffffffffff\r\nabc\r\n0\r\n", "3", "IncompleteBody"),
        (b"3;chunk-signature=" + b"0" * 64 + b"\r\nabc\r\n0\r\n", "3", "IncompleteBody"),
    ],
)
def test_chunks_and_trailers_are_what_they_say(body: bytes, length: str, code: str) -> None:
    """Lengths, form and checksum."""
    named = {"x_amz_decoded_content_length": length, "x_amz_trailer": "x-amz-checksum-crc32"}
    assert checked(STREAM, body, **named) == code


def test_only_checksums_come_behind_a_payload() -> None:
    """S3 knows no other trailers."""
    named = {"x_amz_decoded_content_length": "3", "x_amz_trailer": "x-amz-meta-a"}
    assert checked(STREAM, b"3\r\nabc\r\n0\r\nx-amz-meta-a:1\r\n\r\n", **named) == "InvalidRequest"


# The example of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
CHUNKS = (
    (65_536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (1_024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
)


def example_signer() -> ChunkSigner:
    """The signer of AWS's example."""
    import hmac  # noqa: PLC0415 # of this alone

    key = b"AWS4wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
    for part in ("20130524", "us-east-1", "s3", "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return ChunkSigner(key, "20130524T000000Z", "20130524/us-east-1/s3/aws4_request", SEED)


def test_signed_chunks_are_checked_one_by_one() -> None:
    """By the example of AWS's documentation; each signature covers the one before."""
    body = b"".join(b"%x;chunk-signature=%s\r\n%s\r\n" % (size, value.encode(), b"a" * size) for size, value in CHUNKS)
    headers = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "x-amz-decoded-content-length": "66560"}
    check_payload(HTTPRequest("PUT", "/b/k", "", headers, body), example_signer())
    for changed in (body.replace(b"aaa\r\n", b"aab\r\n", 1), body.replace(b"ad80", b"ad81", 1)):
        with pytest.raises(RefusedError) as caught:
            check_payload(HTTPRequest("PUT", "/b/k", "", headers, changed), example_signer())
        assert caught.value.code == "SignatureDoesNotMatch"


def test_what_is_declared_is_a_hash_or_a_known_word() -> None:
    """UNSIGNED-PAYLOAD is one."""
    assert checked("UNSIGNED-PAYLOAD", BODY) == ""
    assert checked(hashlib.sha256(BODY).hexdigest(), BODY) == ""
    assert checked("nonsense", BODY) == "InvalidArgument"
    assert checked("UNSIGNED-PAYLOAD", BODY, x_amz_checksum_crc32=crc32(b"else")) == "BadDigest"


def over_tls(client: Any) -> None:
    """Signs as over TLS and sends in the clear: a signature says nothing of the scheme."""
    http = URLLib3Session()

    def send(request: AWSPreparedRequest, **_event: Any) -> Any:
        request.url = request.url.replace("https://", "http://")
        return http.send(request)

    client.meta.events.register("before-send.s3", send)


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("checksums", CHECKSUMS if HAS_CHECKSUMS else [{}])
def test_boto3s_own_uploads_pass(
    world: World, tmp_path: Path, mode: Any, scheme: str, checksums: dict[str, Any]
) -> None:
    """Of bytes, files and streams, in one piece and in parts; signed in full, unsigned and in chunks."""
    bucket = world.bucket()
    config = Config(retries={"mode": mode, "total_max_attempts": 1}, **checksums)
    endpoint_url = world.aws.endpoint_url.replace("http:", f"{scheme}:")
    s3 = world.aws.session(world.vegeta.user("v")).client("s3", config=config, endpoint_url=endpoint_url)
    if scheme == "https":
        over_tls(s3)
    path = tmp_path / "file"
    path.write_bytes(BODY)
    with path.open("rb") as file:
        s3.put_object(Bucket=bucket, Key="a b/ü", Body=file, Metadata={"power": "over  9000"})
    assert s3.get_object(Bucket=bucket, Key="a b/ü")["Body"].read() == BODY
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        s3.put_object(Bucket=bucket, Key="k", Body=BODY, ChecksumAlgorithm=algorithm)
        assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == BODY
    s3.upload_fileobj(io.BytesIO(BODY), bucket, "stream")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts", ChecksumAlgorithm="CRC32")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=BODY)
    parts: Any = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket=bucket, Key="parts", UploadId=upload, MultipartUpload=parts)
    assert s3.get_object(Bucket=bucket, Key="parts")["Body"].read() == BODY
    s3.put_object_tagging(Bucket=bucket, Key="k", Tagging={"TagSet": [{"Key": "a", "Value": "goku"}]})
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k"}, {"Key": "a b/ü"}]})
    left = {one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix="")["Contents"]}
    assert left == {"parts", "scouter.csv", "stream"}
