"""What boto3 and botocore make of a client whose role is refused: our error comes out, and nothing is sent."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.support.worlds import World
from xsession import AssumeRoleError, CrossAccountSession, SessionClosedError, SourceCredentialsError

Use = Callable[[Any, Any], object]

USES: dict[str, Use] = {
    "a call": lambda s3, _resource: s3.list_buckets(),
    "a paginator": lambda s3, _resource: list(s3.get_paginator("list_objects_v2").paginate(Bucket="b")),
    "a waiter": lambda s3, _resource: s3.get_waiter("bucket_exists").wait(Bucket="b"),
    "a waiter for what is gone": lambda s3, _resource: s3.get_waiter("bucket_not_exists").wait(Bucket="b"),
    "an upload": lambda s3, _resource: s3.upload_fileobj(io.BytesIO(b"x"), "b", "k"),
    "an upload of a file": lambda s3, _resource: s3.upload_file(__file__, "b", "k"),
    "an upload in parts": lambda s3, _resource: s3.upload_fileobj(
        io.BytesIO(b"x" * 6_000_000), "b", "k", Config=TransferConfig(multipart_threshold=5_242_880)
    ),
    "a download": lambda s3, _resource: s3.download_fileobj("b", "k", io.BytesIO()),
    "a copy": lambda s3, _resource: s3.copy({"Bucket": "b", "Key": "k"}, "b", "l"),
    "a presigned URL": lambda s3, _resource: s3.generate_presigned_url(
        "get_object", Params={"Bucket": "b", "Key": "k"}
    ),
    "a presigned form": lambda s3, _resource: s3.generate_presigned_post("b", "k"),
    "a resource's load": lambda _s3, resource: resource.Bucket("b").load(),
    "a resource's date": lambda _s3, resource: resource.Bucket("b").creation_date,
    "a collection": lambda _s3, resource: list(resource.buckets.all()),
    "a batch": lambda _s3, resource: resource.Bucket("b").objects.filter(Prefix="k").delete(),
    "an object's wait": lambda _s3, resource: resource.Object("b", "k").wait_until_exists(),
}


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_refused_role_is_told_by_whatever_is_used(world: World, use: Use, mode: Any) -> None:
    """As itself, at once, without a request to the service, and caught by what catches boto3's errors."""
    stranger = world.vegeta.role("Stranger", trusts="999999999999")
    xs = world.session({"no": stranger}, config=Config(retries={"mode": mode}))
    world.aws.clear_calls()
    with pytest.raises((ClientError, BotoCoreError)) as caught:
        use(xs.get_client("s3", "no"), xs["no"].resource("s3"))
    assert isinstance(caught.value, AssumeRoleError)
    assert (caught.value.account, caught.value.code) == ("no", "AccessDenied")
    assert {call.operation for call in world.aws.calls} == {"AssumeRole"}
    # The refusal is remembered and not repeated, neither by botocore's retries nor by s3transfer's.
    assert world.aws.count("AssumeRole") == 1


def test_a_source_without_credentials_and_a_closed_session_are_caught_too(world: World, tmp_path: Path) -> None:
    """As boto3's NoCredentialsError would be."""
    empty = tmp_path / "empty"
    empty.touch()
    with CrossAccountSession({"vegeta": world.role}, session=world.aws.session()) as xs:
        client = xs.get_client("s3", "vegeta")
        with pytest.raises(BotoCoreError) as caught:
            client.list_buckets()
        assert isinstance(caught.value, SourceCredentialsError)
    with pytest.raises(BotoCoreError) as caught:
        client.list_buckets()
    assert isinstance(caught.value, SessionClosedError)


def test_a_session_of_ours_as_the_source_of_another_says_what_stopped_it(world: World) -> None:
    """Its error is not wrapped into one of "the source's own refresh"."""
    stranger = world.vegeta.role("Stranger", trusts="999999999999")
    outer = world.session({"hub": stranger})
    source: boto3.Session = outer["hub"]
    with CrossAccountSession({"vegeta": world.role}, session=source) as inner, pytest.raises(AssumeRoleError) as caught:
        inner.get_client("s3", "vegeta").list_buckets()
    assert caught.value.role_arn == stranger
