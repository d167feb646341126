from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.config import Config

from tests.support.raw_http import FORM, exchanged, signed, written
from tests.support.worlds import BUCKET, World

WHO = b"Action=GetCallerIdentity&Version=2011-06-15"
Headers = dict[str, str]


class OnlyTheDate(SigV4Auth):
    """Signs no host."""

    def headers_to_sign(self, request: Any) -> Any:
        """The date."""
        headers = super().headers_to_sign(request)
        for name in [name for name in headers if name.lower() != "x-amz-date"]:
            del headers[name]
        return headers


def scoped(old: str, new: str) -> Callable[[Headers], Headers]:
    """Changes a header Authorization."""
    return lambda headers: headers | {"Authorization": headers["Authorization"].replace(old, new)}


def scope_part(number: int, value: str) -> Callable[[Headers], Headers]:
    """Changes a part of the scope: date, region, service, terminator."""

    def changed(headers: Headers) -> Headers:
        start, _, rest = headers["Authorization"].partition("Credential=")
        credential, _, end = rest.partition(",")
        parts = credential.split("/")
        parts[number + 1] = value
        return headers | {"Authorization": f"{start}Credential={'/'.join(parts)},{end}"}

    return changed


CHANGES: dict[str, tuple[Callable[[Headers], Headers], str, str]] = {
    "nothing": (lambda headers: headers, "", ""),
    "another date": (scope_part(0, "20200101"), "SignatureDoesNotMatch", "AuthorizationHeaderMalformed"),
    "no region": (scope_part(1, ""), "SignatureDoesNotMatch", "AuthorizationHeaderMalformed"),
    "another region": (scope_part(1, "eu-west-1"), "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    "another terminator": (scope_part(3, "aws3"), "SignatureDoesNotMatch", "AuthorizationHeaderMalformed"),
    "no signature": (scoped("Signature=", "X="), "IncompleteSignature", "AuthorizationHeaderMalformed"),
    "no signed headers": (scoped("SignedHeaders=", "X="), "IncompleteSignature", "AuthorizationHeaderMalformed"),
    "two signatures": (scoped(" Signature=", " Signature=0, Signature="), "IncompleteSignature", "Authorization"),
    "half a credential": (scoped("/aws4_request", ""), "IncompleteSignature", "IncompleteSignature"),
    "no credential": (scoped("Credential=", "X="), "IncompleteSignature", "IncompleteSignature"),
    "a header that is not there": (
        scoped("SignedHeaders=", "SignedHeaders=x-no;"),
        "SignatureDoesNotMatch",
        "SignatureDoesNotMatch",
    ),
    "another signature": (scoped("Signature=", "Signature=\xff"), "SignatureDoesNotMatch", "SignatureDoesNotMatch"),
    "a header that is not signed": (lambda all_: all_ | {"x-amz-acl": "x"}, "SignatureDoesNotMatch", "AccessDenied"),
    "no day": (lambda all_: all_ | {"X-Amz-Date": "20269999T000000Z"}, "SignatureDoesNotMatch", "AccessDenied"),
    "no time": (lambda all_: all_ | {"X-Amz-Date": "yesterday"}, "SignatureDoesNotMatch", "AccessDenied"),
    "long ago": (
        lambda all_: scope_part(0, "20200101")(all_) | {"X-Amz-Date": "20200101T000000Z"},
        "SignatureDoesNotMatch",
        "RequestTimeTooSkewed",
    ),
}


@pytest.mark.parametrize(("change", "sts", "s3"), CHANGES.values(), ids=CHANGES)
def test_each_part_of_a_signature_counts(world: World, change: Callable[[Headers], Headers], sts: str, s3: str) -> None:
    """STS and S3 say so in words of their own."""
    url = world.aws.endpoint_url
    made = change(signed(url, world.key, "sts", "POST /", WHO, headers=FORM))
    status, code, _ = exchanged(url, written("POST", "/", made, WHO))
    assert (code, status < 300) == (sts, not sts)
    target = f"/{world.bucket()}?location"
    made = change(signed(url, world.vegeta.user("v"), "s3", f"GET {target}"))
    status, code, _ = exchanged(url, written("GET", target, made, b""))
    assert code.startswith(s3)
    assert bool(code) == bool(s3)
    assert (status < 300) == (not s3)


def test_the_host_is_signed(world: World) -> None:
    """Or the request may have been for somebody else."""
    made = signed(world.aws.endpoint_url, world.key, "sts", "POST /", WHO, headers=FORM, signer=OnlyTheDate)
    status, code, answer = exchanged(world.aws.endpoint_url, written("POST", "/", made, WHO))
    assert (status, code) == (403, "SignatureDoesNotMatch")
    assert "'Host'" in answer


def test_a_date_of_the_clients_own_is_taken(world: World) -> None:
    """botocore then signs that header in place of its own."""
    made = signed(world.aws.endpoint_url, world.key, "sts", "POST /", WHO, headers={**FORM, "Date": "now"})
    assert "X-Amz-Date" not in made
    assert exchanged(world.aws.endpoint_url, written("POST", "/", made, WHO))[0] == 200


def presigned(world: World, seconds: int, version: str = "s3v4") -> str:
    """The target of a presigned URL for an object of `BUCKET`."""
    s3 = world.aws.session(world.vegeta.user("v")).client("s3", config=Config(signature_version=version))
    wanted = {"Bucket": BUCKET, "Key": "scouter.csv"}
    return str(s3.generate_presigned_url("get_object", wanted, ExpiresIn=seconds)).partition(world.aws.endpoint_url)[2]


def fetched(world: World, target: str, extra: Headers | None = None) -> tuple[int, str]:
    """The status and the code of a presigned URL."""
    host = world.aws.endpoint_url.partition("//")[2]
    return exchanged(world.aws.endpoint_url, written("GET", target, {"Host": host, **(extra or {})}, b""))[:2]


@pytest.mark.parametrize("seconds", [1_000, 604_800])
def test_a_url_is_presigned_for_a_week_at_most(world: World, seconds: int) -> None:
    """Of either version; longer ones are refused."""
    world.bucket()
    for version, code in (("s3v4", "AuthorizationQueryParametersError"), ("s3", "AccessDenied")):
        assert fetched(world, presigned(world, seconds, version)) == (200, "")
        assert fetched(world, presigned(world, 604_800 + 60, version))[1] == code


@pytest.mark.parametrize("expires", ["0", "-1", "abc", "", "1e3", "9" * 5_000])
def test_how_long_a_url_is_good_is_a_number(world: World, expires: str) -> None:
    """Of at least one second."""
    target = presigned(world, 1_000).replace("Expires=1000", f"Expires={expires}")
    assert fetched(world, target) == (400, "AuthorizationQueryParametersError")


def test_parameters_of_a_url_stand_in_it_once(world: World) -> None:
    """And beside no other signature."""
    target = presigned(world, 1_000)
    assert fetched(world, f"{target}&X-Amz-Expires=1000") == (400, "AuthorizationQueryParametersError")
    assert fetched(world, target.replace("X-Amz-Date=", "x="))[1] == "AuthorizationQueryParametersError"
    assert (
        fetched(world, target, {"Authorization": "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request"})[1]
        == "InvalidArgument"
    )
    assert fetched(world, target, {"x-amz-acl": "private"}) == (403, "AccessDenied")
    old = presigned(world, 1_000, "s3")
    assert fetched(world, f"{old}&Expires=1") == (403, "AccessDenied")
    assert fetched(world, old.replace("Expires=", "Expires=x")) == (403, "AccessDenied")


def test_an_ended_url_says_so(world: World) -> None:
    """In S3's words for URLs, which are not those for requests."""
    target = presigned(world, 60)
    world.aws.set_clock_skew(61)
    assert fetched(world, target) == (403, "AccessDenied")


def test_s3_wants_the_hash_of_the_payload(world: World) -> None:
    """Which other services don't ask for."""
    target = f"/{BUCKET}/k"
    made = signed(world.aws.endpoint_url, world.vegeta.user("v"), "s3", f"PUT {target}", b"x", signer=SigV4Auth)
    made.pop("X-Amz-Content-SHA256", None)
    assert exchanged(world.aws.endpoint_url, written("PUT", target, made, b"x"))[:2] == (400, "InvalidRequest")
