"""What a request calls, read from its `_http_request` and its `_parameters`."""

from __future__ import annotations

from tests.support.assumed_roles import as_session, assumed
from tests.support.worlds import World


def test_operations_have_aws_names(world: World) -> None:
    """S3's as well, which stand in no request."""
    bucket = world.bucket()
    session = as_session(world, assumed(world))
    world.aws.clear_calls()
    s3 = session.client("s3")
    s3.list_buckets()
    s3.list_objects_v2(Bucket=bucket)
    s3.list_objects(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="a/b", Body=b"x")
    s3.head_object(Bucket=bucket, Key="a/b")
    s3.delete_object(Bucket=bucket, Key="a/b")
    session.client("ec2").describe_regions()
    names = [call.operation for call in world.aws.calls]
    assert names == [
        "ListBuckets",
        "ListObjectsV2",
        "ListObjects",
        "PutObject",
        "HeadObject",
        "DeleteObject",
        "DescribeRegions",
    ]
