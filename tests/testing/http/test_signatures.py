from __future__ import annotations

import urllib.error
import urllib.request
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.support.assumed_roles import ONCE, as_session, assumed
from tests.support.worlds import World, who


def test_signatures_are_checked(world: World) -> None:
    """A wrong secret, a token of another session, none at all."""
    wrong = world.aws.session(None)
    wrong._session.set_credentials(world.key.access_key_id, "wrong")
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        who(wrong.client("sts"))
    answer = assumed(world)
    issued, other = answer["Credentials"], assumed(world)["Credentials"]
    wrong._session.set_credentials(issued["AccessKeyId"], issued["SecretAccessKey"], other["SessionToken"])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        who(wrong.client("sts"))


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_presigned_urls_work_and_can_not_be_changed(world: World, version: str) -> None:
    """Of both versions that boto3 makes."""
    bucket = world.bucket()
    session = as_session(world, assumed(world))
    s3 = session.client("s3", config=Config(signature_version=version))
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "scouter.csv"})
    with urllib.request.urlopen(url) as answer:  # noqa: S310 - a URL of our own
        assert answer.read().startswith(b"name,level")
    with pytest.raises(OSError, match="403"):
        urllib.request.urlopen(url.replace("scouter", "secrets"))  # noqa: S310 - likewise


@pytest.mark.parametrize(
    ("service_name", "call", "code"),
    [
        ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
        ("s3", "list_buckets", "RequestTimeTooSkewed"),
        ("ec2", "describe_instances", "RequestExpired"),
        ("dynamodb", "list_tables", "InvalidSignatureException"),
    ],
)
def test_clocks_may_not_be_too_far_apart(world: World, service_name: Any, call: str, code: str) -> None:
    """Either way; each service says so in its own words."""
    asked = getattr(world.source.client(service_name, config=ONCE), call)
    for skew, word in ((901, "Signature expired"), (-901, "Signature not yet current")):
        world.aws.set_clock_skew(skew)
        with pytest.raises(ClientError, match=code) as caught:
            asked()
        if service_name == "sts":
            assert word in caught.value.response["Error"]["Message"]
    world.aws.set_clock_skew(890)
    assert asked()


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "MissingAuthenticationToken"),
        ({"Authorization": "{signed}", "X-Amz-Date": "yesterday"}, "SignatureDoesNotMatch"),
    ],
)
def test_a_request_must_be_signed_and_dated(world: World, headers: dict[str, str], code: str) -> None:
    """Or it can't be known whose it is, and of when."""
    scope = "20260101/eu-west-1/sts/aws4_request"
    signed = f"AWS4-HMAC-SHA256 Credential={world.key.access_key_id}/{scope}, SignedHeaders=host, Signature=0"
    filled = {name: value.format(signed=signed) for name, value in headers.items()}
    url = f"{world.aws.endpoint_url}/?Action=GetCallerIdentity"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(url, headers=filled))  # noqa: S310 - a URL of our own
    assert code in caught.value.read().decode()
    caught.value.close()


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_a_presigned_url_ends(world: World, version: str) -> None:
    """When it says."""
    bucket = world.bucket()
    s3 = as_session(world, assumed(world)).client("s3", config=Config(signature_version=version))
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "scouter.csv"}, ExpiresIn=60)
    world.aws.set_clock_skew(61)
    with pytest.raises(OSError, match="403"):
        urllib.request.urlopen(url)  # noqa: S310 - a URL of our own
