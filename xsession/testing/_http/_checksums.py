"""Checksums of what is sent to S3: each that a request gives is compared with its payload, or the request is refused.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import base64
import functools
import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping

from ._errors import RefusedError, not_implemented

_PREFIX = "x-amz-checksum-"
# These say how, and are no checksums.
_SETTINGS = frozenset({"x-amz-checksum-algorithm", "x-amz-checksum-mode", "x-amz-checksum-type"})
_WANTED = "x-amz-sdk-checksum-algorithm"
# AWS knows them, and Python has no function for them.
_NOT_HERE = frozenset({"xxhash3", "xxhash64", "xxhash128"})


@functools.cache
def _table(polynomial: int) -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)  # noqa: PLW2901 # it is shifted bit by bit
        table.append(value)
    return tuple(table)


def _crc(body: bytes, polynomial: int, size: int) -> bytes:
    """A cyclic redundancy check of so many bytes, by its polynomial with the bits reversed."""
    ones, table = (1 << 8 * size) - 1, _table(polynomial)
    rest = ones
    for byte in body:
        rest = table[(rest ^ byte) & 255] ^ rest >> 8
    return (rest ^ ones).to_bytes(size, "big")


_DIGESTS: Mapping[str, tuple[int, Callable[[bytes], bytes]]] = {
    "crc32": (4, lambda body: zlib.crc32(body).to_bytes(4, "big")),
    "crc32c": (4, lambda body: _crc(body, 0x82F63B78, 4)),
    "crc64nvme": (8, lambda body: _crc(body, 0x9A6C9329AC4BC9B5, 8)),
    "md5": (16, lambda body: hashlib.md5(body, usedforsecurity=False).digest()),
    "sha1": (20, lambda body: hashlib.sha1(body, usedforsecurity=False).digest()),
    "sha256": (32, lambda body: hashlib.sha256(body).digest()),
    "sha512": (64, lambda body: hashlib.sha512(body).digest()),
}


def is_checksum(name: str) -> bool:
    """Whether a header, or a trailer, of this name is the checksum of a payload."""
    return name.startswith(_PREFIX) and name not in _SETTINGS


def check_checksums(headers: Mapping[str, str], trailers: Mapping[str, str], body: bytes) -> None:
    """Refuses a payload that is not the one that its checksums were made of.

    Args:
        headers: The request's.
        trailers: What followed the payload.
        body: The payload.

    Raises:
        RefusedError: It is not, or a checksum is none.
    """
    given = {name: value for name, value in {**headers, **trailers}.items() if is_checksum(name)}
    for message in _problems(headers, given):
        raise RefusedError(400, "InvalidRequest", message)
    for name, value in given.items():
        _compare(name.removeprefix(_PREFIX), value, body)
    if (md5 := headers.get("content-md5")) is not None:
        if _decoded(md5, 16) is None:
            raise RefusedError(400, "InvalidDigest", "The Content-MD5 you specified was invalid.")
        if _decoded(md5, 16) != _DIGESTS["md5"][1](body):
            raise RefusedError(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")


def _problems(headers: Mapping[str, str], given: Mapping[str, str]) -> Iterator[str]:
    """What makes checksums none, whatever the payload is."""
    if len(given) > 1:
        yield "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."
    if _WANTED in headers and f"{_PREFIX}{headers[_WANTED].lower()}" not in given:
        yield f"{_WANTED} specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found."
    for name, value in given.items():
        algorithm = name.removeprefix(_PREFIX)
        if algorithm not in {*_DIGESTS, *_NOT_HERE}:
            yield "The algorithm type you specified in x-amz-checksum- header is invalid."
        if algorithm in _DIGESTS and _decoded(value, _DIGESTS[algorithm][0]) is None:
            yield f"Value for {name} header is invalid."


def _compare(algorithm: str, value: str, body: bytes) -> None:
    if algorithm in _NOT_HERE:
        raise not_implemented()
    size, digest = _DIGESTS[algorithm]
    if _decoded(value, size) != digest(body):
        message = f"The {algorithm.upper()} you specified did not match the calculated checksum."
        raise RefusedError(400, "BadDigest", message)


def _decoded(value: str, size: int) -> bytes | None:
    """The bytes of a checksum; None: it is none of this size."""
    try:
        decoded = base64.b64decode(value, validate=True)
    except ValueError:
        return None
    return decoded if len(decoded) == size else None
