from __future__ import annotations

import base64
import hashlib

import pytest

from tests.support.raw_http import exchanged, signed, written
from tests.support.worlds import World
from xsession.testing._http._checksums import check_checksums
from xsession.testing._http._errors import RefusedError

# The check values of each algorithm's own catalogue, for these nine digits.
DIGITS = b"123456789"
SUMS = {
    "crc32": "cbf43926",
    "crc32c": "e3069283",
    "crc64nvme": "ae8b14860a799888",
    "md5": hashlib.md5(DIGITS, usedforsecurity=False).hexdigest(),
    "sha1": hashlib.sha1(DIGITS, usedforsecurity=False).hexdigest(),
    "sha256": hashlib.sha256(DIGITS).hexdigest(),
    "sha512": hashlib.sha512(DIGITS).hexdigest(),
}


def encoded(digest: str) -> str:
    """As headers have it."""
    return base64.b64encode(bytes.fromhex(digest)).decode()


def refusal(
    headers: dict[str, str] | None = None, trailers: dict[str, str] | None = None, body: bytes = DIGITS
) -> tuple[int, str, str] | None:
    """Status, code and message; None: it is taken."""
    try:
        check_checksums(headers or {}, trailers or {}, body)
    except RefusedError as error:
        return error.status, error.code, error.message
    return None


@pytest.mark.parametrize("algorithm", SUMS)
def test_a_checksum_is_that_of_the_payload(algorithm: str) -> None:
    """In a header, or behind the payload."""
    given = {f"x-amz-checksum-{algorithm}": encoded(SUMS[algorithm])}
    wanted = {"x-amz-sdk-checksum-algorithm": algorithm.upper()}
    assert refusal({**given, **wanted}) is refusal(wanted, given) is None
    said = f"The {algorithm.upper()} you specified did not match the calculated checksum."
    assert refusal(given, body=b"else") == refusal({}, given, b"else") == (400, "BadDigest", said)


@pytest.mark.parametrize("value", ["", "no base64", "AAAA", encoded(SUMS["crc32"]) + "-2"])
def test_what_is_no_checksum_of_the_algorithm_is_refused(value: str) -> None:
    """By its length as well."""
    said = "Value for x-amz-checksum-crc32 header is invalid."
    assert refusal({"x-amz-checksum-crc32": value}) == (400, "InvalidRequest", said)


def test_one_checksum_is_enough() -> None:
    """Two are refused, in whatever places."""
    crc32, sha1 = ({f"x-amz-checksum-{name}": encoded(SUMS[name])} for name in ("crc32", "sha1"))
    for found in (refusal({**crc32, **sha1}), refusal(crc32, sha1)):
        assert found is not None
        assert found[1] == "InvalidRequest"
        assert "Expecting a single x-amz-checksum- header" in found[2]


def test_what_can_not_be_verified_is_refused() -> None:
    """An algorithm that AWS has not, and those that it has and we have not; never taken without a look."""
    assert refusal({"x-amz-checksum-adler": "AAAA"}) == (
        400,
        "InvalidRequest",
        "The algorithm type you specified in x-amz-checksum- header is invalid.",
    )
    for name in ("xxhash3", "xxhash64", "xxhash128"):
        found = refusal({f"x-amz-checksum-{name}": "AAAA"})
        assert found is not None
        assert found[:2] == (501, "NotImplemented")


def test_an_announced_checksum_must_come() -> None:
    """Of that very algorithm; what only says how is none."""
    for given in ({}, {"x-amz-checksum-sha1": encoded(SUMS["sha1"])}, {"x-amz-checksum-type": "FULL_OBJECT"}):
        found = refusal({"x-amz-sdk-checksum-algorithm": "CRC32", **given})
        assert found is not None
        assert "no corresponding x-amz-checksum-* or x-amz-trailer headers were found" in found[2]
    assert refusal({"x-amz-checksum-mode": "ENABLED", "x-amz-checksum-algorithm": "CRC32"}) is None


def test_content_md5_is_that_of_the_payload() -> None:
    """As in older clients."""
    assert refusal({"content-md5": encoded(SUMS["md5"])}) is None
    assert refusal({"content-md5": encoded(SUMS["md5"])}, body=b"else") == (
        400,
        "BadDigest",
        "The Content-MD5 you specified did not match what we received.",
    )
    said = "The Content-MD5 you specified was invalid."
    assert refusal({"content-md5": "AAAA"}) == (400, "InvalidDigest", said)


@pytest.mark.parametrize("algorithm", ["crc32c", "crc64nvme", "sha256"])
def test_uploads_are_refused_over_http(world: World, algorithm: str) -> None:
    """And good ones are stored, those too for which boto3 needs awscrt."""
    url, target, key = world.aws.endpoint_url, f"/{world.bucket()}/x", world.vegeta.user("v")
    headers = {f"X-Amz-Checksum-{algorithm}": encoded(SUMS[algorithm])}
    for body, expected in ((DIGITS, 200), (b"else", 400)):
        made = signed(url, key, "s3", f"PUT {target}", body, headers=headers)
        assert exchanged(url, written("PUT", target, made, body))[0] == expected
    assert world.vegeta.root.client("s3").get_object(Bucket=target.split("/")[1], Key="x")["Body"].read() == DIGITS


def test_a_form_of_a_browser_is_refused_in_s3s_words(world: World) -> None:
    """generate_presigned_post signs a policy that is not judged here."""
    url, bucket = world.aws.endpoint_url, world.bucket()
    body = b'--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--b--\r\n'
    made = {"Content-Type": "multipart/form-data; boundary=b", "Content-Length": str(len(body))}
    status, code, answer = exchanged(url, written("POST", f"/{bucket}", made, body))
    assert (status, code) == (501, "NotImplemented")
    assert "<Error><Code>" in answer
