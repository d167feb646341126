from __future__ import annotations

import pytest

from xsession.testing._http._http_request import HTTPRequest
from xsession.testing._http._s3_requests import S3Request, read_s3_request


def read(method: str, target: str, headers: dict[str, str] | None = None) -> S3Request:
    """What a request is."""
    path, _, query = target.partition("?")
    return read_s3_request(HTTPRequest(method, path, query, headers or {}, b""))


@pytest.mark.parametrize(
    ("method", "target", "operation"),
    [
        ("GET", "/levels/a/b%20c", "GetObject"),
        ("GET", "/levels/a?versionId=1", "GetObject"),
        ("GET", "/levels/a?response-content-type=x&x-id=GetObject", "GetObject"),
        ("GET", "/levels/a?X-Amz-Signature=1&X-Amz-Expires=1", "GetObject"),
        ("GET", "/levels/a?AWSAccessKeyId=1&Signature=1&Expires=1", "GetObject"),
        ("HEAD", "/levels/a", "HeadObject"),
        ("PUT", "/levels/a/", "PutObject"),
        ("DELETE", "/levels/a", "DeleteObject"),
        ("POST", "/levels/a?uploads", "CreateMultipartUpload"),
        ("PUT", "/levels/a?partNumber=1&uploadId=u", "UploadPart"),
        ("POST", "/levels/a?uploadId=u", "CompleteMultipartUpload"),
        ("DELETE", "/levels/a?uploadId=u", "AbortMultipartUpload"),
        ("GET", "/levels/a?uploadId=u", "ListParts"),
        ("GET", "/levels/a?tagging", "GetObjectTagging"),
        ("GET", "/levels?list-type=2&prefix=a", "ListObjectsV2"),
        ("GET", "/levels/", "ListObjects"),
        ("HEAD", "/levels", "HeadBucket"),
        ("GET", "/levels?location", "GetBucketLocation"),
        ("PUT", "/levels", "CreateBucket"),
        ("GET", "/", "ListBuckets"),
        ("POST", "/levels?delete", "DeleteObjects"),
    ],
)
def test_method_path_and_query_say_what_is_asked_for(method: str, target: str, operation: str) -> None:
    """Parameters that change but the answer do not."""
    found = read(method, target)
    assert (found.operation, found.is_known) == (operation, True)


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
def test_what_a_query_asks_for_may_be_unknown(method: str, target: str) -> None:
    """Then it is not known what the request is."""
    assert not read(method, target).is_known


def test_bucket_and_key_stand_in_the_path() -> None:
    """The key with its percent signs read."""
    found = read("GET", "/levels/a/b%20c?versionId=1")
    assert (found.bucket, found.key, found.query, found.buckets) == ("levels", "a/b c", {"versionId": "1"}, ["levels"])


def test_a_copy_names_its_source_in_a_header() -> None:
    """A bucket that may be another one's, and the version."""
    found = read("PUT", "/levels/a", {"x-amz-copy-source": "/other/b%20c?versionId=1"})
    assert (found.operation, found.copied, found.copies_version) == ("CopyObject", "other/b c", True)
    part = read("PUT", "/levels/a?partNumber=1&uploadId=u", {"x-amz-copy-source": "other/b"})
    assert (part.operation, part.buckets, part.copies_version) == ("UploadPartCopy", ["levels", "other"], False)


def test_an_escaped_bucket_is_that_bucket() -> None:
    """Or its owner would not be asked for."""
    assert read_s3_request(HTTPRequest("GET", "/buck%65t/a%2Fb", "", {}, b"")).buckets == ["bucket"]
