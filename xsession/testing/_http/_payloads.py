"""The payload of a signed request: its hash, and the chunks in which the SDKs send it to S3.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping

from ._checksums import check_checksums, is_checksum
from ._errors import RefusedError, signature_mismatch
from ._http_request import HTTPRequest

UNSIGNED = "UNSIGNED-PAYLOAD"
_STREAMS = frozenset(
    {
        "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
        "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    }
)
_HASH = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,16})(?:;chunk-signature=([0-9a-f]{64}))?\r\n")
_TRAILER = re.compile(rb"([A-Za-z0-9-]+):([!-~ ]*)\r?\n")
_SIGNED_TRAILERS = "x-amz-trailer-signature"
_EMPTY = hashlib.sha256(b"").hexdigest()


class ChunkSigner:
    """Signs the chunks of a stream, each with the signature before it.

    Args:
        key: The signing key of the scope.
        timestamp: The request's.
        scope: Likewise.
        seed: The request's signature.
    """

    def __init__(self, key: bytes, timestamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._place = f"{timestamp}\n{scope}"
        self._before = seed

    def check(self, kind: str, hashes: str, value: str) -> None:
        """Refuses a chunk, or the trailer, whose signature is not the one that follows.

        Raises:
            RefusedError: It is not.
        """
        to_sign = f"AWS4-HMAC-SHA256-{kind}\n{self._place}\n{self._before}\n{hashes}"
        expected = hmac.new(self._key, to_sign.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, value):
            raise signature_mismatch()
        self._before = expected


def check_payload(request: HTTPRequest, signer: ChunkSigner) -> None:
    """Refuses a payload to S3 that is not the one that its signed headers speak of.

    Args:
        request: The request.
        signer: Of its chunks, where it has some.

    Raises:
        RefusedError: It is another one.
    """
    headers, body = request.headers, request.body
    trailers: dict[str, str] = {}
    declared = headers.get("x-amz-content-sha256", UNSIGNED)
    if declared in _STREAMS:
        body, trailers = _read_stream(declared, headers, body, signer)
    elif declared != UNSIGNED and declared.lower() != hashlib.sha256(body).hexdigest():
        if not _HASH.fullmatch(declared):
            known = ", ".join([UNSIGNED, *sorted(_STREAMS)])
            raise RefusedError(
                400, "InvalidArgument", f"x-amz-content-sha256 must be {known}, or a valid sha256 value."
            )
        message = "The provided 'x-amz-content-sha256' header does not match what was computed."
        raise RefusedError(400, "XAmzContentSHA256Mismatch", message)
    # Where an upload in parts is completed, the checksum is that of the object.
    if not (request.method == "POST" and "uploadId=" in request.query):
        check_checksums(headers, trailers, body)


def _read_stream(
    declared: str, headers: Mapping[str, str], body: bytes, signer: ChunkSigner
) -> tuple[bytes, dict[str, str]]:
    """The payload that was sent in chunks, and the trailers behind it."""
    length = headers.get("x-amz-decoded-content-length", "")
    if not re.fullmatch("[0-9]{1,18}", length):
        raise RefusedError(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    payload, rest = _read_chunks(body, signer if "HMAC" in declared else None)
    if len(payload) != int(length):
        raise _incomplete()
    trailers = _read_trailers(rest)
    wanted = headers.get("x-amz-trailer", "").replace(" ", "").lower()
    if wanted and not all(map(is_checksum, wanted.split(","))):
        raise RefusedError(400, "InvalidRequest", "The value specified in the x-amz-trailer header is not supported")
    if "HMAC" in declared and declared.endswith("TRAILER"):
        value = trailers.pop(_SIGNED_TRAILERS, "")
        text = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        signer.check("TRAILER", hashlib.sha256(text.encode()).hexdigest(), value)
    if sorted(trailers) != (sorted(wanted.split(",")) if wanted and declared.endswith("TRAILER") else []):
        raise _bad_trailer()
    return payload, trailers


def _read_chunks(body: bytes, signer: ChunkSigner | None) -> tuple[bytes, bytes]:
    """The payload in a body's chunks, and what follows the last one."""
    parts: list[bytes] = []
    place = 0
    while True:
        match = _CHUNK.match(body, place)
        if match is None or (match[2] is None) != (signer is None):
            raise _incomplete()
        size, place = int(match[1], 16), match.end()
        chunk = body[place : place + size]
        if signer is not None:
            signer.check("PAYLOAD", f"{_EMPTY}\n{hashlib.sha256(chunk).hexdigest()}", match[2].decode())
        if size == 0:
            return b"".join(parts), body[place:]
        parts.append(chunk)
        place += size + 2
        if body[place - 2 : place] != b"\r\n":
            raise _incomplete()


def _read_trailers(body: bytes) -> dict[str, str]:
    trailers: dict[str, str] = {}
    place = 0
    while match := _TRAILER.match(body, place):
        trailers[match[1].decode().lower()] = match[2].decode().strip()
        place = match.end()
    if body[place:] not in (b"", b"\r\n"):
        raise _bad_trailer()
    return trailers


def _incomplete() -> RefusedError:
    message = "The request body terminated unexpectedly"
    return RefusedError(400, "IncompleteBody", message)


def _bad_trailer() -> RefusedError:
    message = "The request contained trailing data that was not well-formed or did not conform to our published schema."
    return RefusedError(400, "MalformedTrailerError", message)
