from __future__ import annotations

import pytest

from xsession.testing._http._s3_requests import S3Request, read_s3_request
from xsession.testing._http._signatures import Request
from xsession.testing._iam._required_actions import RequiredAction

BUCKET = "arn:aws:s3:::levels"


def read(method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"") -> S3Request:
    """What a request is."""
    path, _, query = target.partition("?")
    return read_s3_request(Request(method, path, query, headers or {}, body))


def asked(method: str, target: str, headers: dict[str, str] | None = None) -> tuple[str, list[tuple[str, str | None]]]:
    """A request's operation, and the actions and resources that it takes."""
    found = read(method, target, headers)
    assert found.needs is not None
    return found.operation, [(need.action, need.resource) for need in found.needs]


@pytest.mark.parametrize(
    ("method", "target", "operation", "action", "resource"),
    [
        ("GET", "/levels/a/b%20c", "GetObject", "GetObject", f"{BUCKET}/a/b c"),
        ("GET", "/levels/a?versionId=1", "GetObject", "GetObjectVersion", f"{BUCKET}/a"),
        ("GET", "/levels/a?response-content-type=x&x-id=GetObject", "GetObject", "GetObject", f"{BUCKET}/a"),
        ("GET", "/levels/a?X-Amz-Signature=1&X-Amz-Expires=1", "GetObject", "GetObject", f"{BUCKET}/a"),
        ("GET", "/levels/a?AWSAccessKeyId=1&Signature=1&Expires=1", "GetObject", "GetObject", f"{BUCKET}/a"),
        ("HEAD", "/levels/a", "HeadObject", "GetObject", f"{BUCKET}/a"),
        ("PUT", "/levels/a/", "PutObject", "PutObject", f"{BUCKET}/a/"),
        ("DELETE", "/levels/a", "DeleteObject", "DeleteObject", f"{BUCKET}/a"),
        ("POST", "/levels/a?uploads", "CreateMultipartUpload", "PutObject", f"{BUCKET}/a"),
        ("PUT", "/levels/a?partNumber=1&uploadId=u", "UploadPart", "PutObject", f"{BUCKET}/a"),
        ("POST", "/levels/a?uploadId=u", "CompleteMultipartUpload", "PutObject", f"{BUCKET}/a"),
        ("DELETE", "/levels/a?uploadId=u", "AbortMultipartUpload", "AbortMultipartUpload", f"{BUCKET}/a"),
        ("GET", "/levels/a?uploadId=u", "ListParts", "ListMultipartUploadParts", f"{BUCKET}/a"),
        ("GET", "/levels/a?tagging", "GetObjectTagging", "GetObjectTagging", f"{BUCKET}/a"),
        ("GET", "/levels?list-type=2&prefix=a", "ListObjectsV2", "ListBucket", BUCKET),
        ("GET", "/levels/", "ListObjects", "ListBucket", BUCKET),
        ("HEAD", "/levels", "HeadBucket", "ListBucket", BUCKET),
        ("GET", "/levels?location", "GetBucketLocation", "GetBucketLocation", BUCKET),
        ("PUT", "/levels", "CreateBucket", "CreateBucket", BUCKET),
        ("GET", "/", "ListBuckets", "ListAllMyBuckets", "*"),
    ],
)
def test_method_path_and_query_say_what_is_asked_for(
    method: str, target: str, operation: str, action: str, resource: str
) -> None:
    """Parameters that change but the answer do not."""
    assert asked(method, target) == (operation, [(f"s3:{action}", resource)])


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("GET", "/levels/a?torrent"),
        ("PUT", "/levels/a?retention"),
        ("GET", "/levels?website"),
        ("GET", "/levels/a?tagging&acl"),
        ("POST", "/levels/a?select&select-type=2"),
        ("GET", "/?session"),
    ],
)
def test_what_is_not_known_has_no_needs(method: str, target: str) -> None:
    """So nobody who is limited may."""
    assert read(method, target).needs is None


def test_listing_has_keys_of_its_own() -> None:
    """Which policies limit it by."""
    found = read("GET", "/levels?list-type=2&prefix=a%2F&delimiter=%2F&max-keys=7")
    keys = {"s3:prefix": ("a/",), "s3:delimiter": ("/",), "s3:max-keys": ("7",)}
    assert found.needs == (RequiredAction("s3:ListBucket", BUCKET, keys),)


def test_a_copy_reads_as_well() -> None:
    """From a bucket that may be another one's."""
    headers = {"x-amz-copy-source": "/other/b%20c?versionId=1"}
    operation, needs = asked("PUT", "/levels/a", headers)
    assert operation == "CopyObject"
    assert needs == [("s3:GetObjectVersion", "arn:aws:s3:::other/b c"), ("s3:PutObject", f"{BUCKET}/a")]
    part = read("PUT", "/levels/a?partNumber=1&uploadId=u", {"x-amz-copy-source": "other/b"})
    assert (part.operation, part.source_bucket) == ("UploadPartCopy", "other")


def test_tags_and_acls_of_a_new_object_need_actions_of_their_own() -> None:
    """As S3 asks for."""
    _, needs = asked("PUT", "/levels/a", {"x-amz-tagging": "a=b", "x-amz-acl": "private"})
    assert [action for action, _ in needs] == ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAcl"]


def test_each_object_that_is_deleted_counts() -> None:
    """By its key, in XML."""
    body = b"<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>"
    found = read("POST", "/levels?delete", body=body)
    assert found.operation == "DeleteObjects"
    assert found.needs == (
        RequiredAction("s3:DeleteObject", f"{BUCKET}/a&b"),
        RequiredAction("s3:DeleteObject", f"{BUCKET}/c"),
    )
