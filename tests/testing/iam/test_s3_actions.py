from __future__ import annotations

import pytest

from xsession.testing._http._errors import RefusedError
from xsession.testing._http._http_request import HTTPRequest
from xsession.testing._http._s3_requests import read_s3_request
from xsession.testing._iam._required_actions import RequiredAction
from xsession.testing._iam._s3_actions import required_s3_actions

BUCKET = "arn:aws:s3:::levels"


def required(
    method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b"", partition: str = "aws"
) -> tuple[RequiredAction, ...] | None:
    """What a request needs permission for."""
    path, _, query = target.partition("?")
    request = HTTPRequest(method, path, query, headers or {}, body)
    return required_s3_actions(read_s3_request(request), request, partition)


def needed(method: str, target: str, headers: dict[str, str] | None = None) -> list[tuple[str, str | None]]:
    """The actions and resources that a request takes."""
    found = required(method, target, headers)
    assert found is not None
    return [(one.action, one.resource) for one in found]


@pytest.mark.parametrize(
    ("method", "target", "action", "resource"),
    [
        ("GET", "/levels/a/b%20c", "GetObject", f"{BUCKET}/a/b c"),
        ("GET", "/levels/a?versionId=1", "GetObjectVersion", f"{BUCKET}/a"),
        ("GET", "/levels/a?response-content-type=x&x-id=GetObject", "GetObject", f"{BUCKET}/a"),
        ("GET", "/levels/a?X-Amz-Signature=1&X-Amz-Expires=1", "GetObject", f"{BUCKET}/a"),
        ("GET", "/levels/a?AWSAccessKeyId=1&Signature=1&Expires=1", "GetObject", f"{BUCKET}/a"),
        ("HEAD", "/levels/a", "GetObject", f"{BUCKET}/a"),
        ("PUT", "/levels/a/", "PutObject", f"{BUCKET}/a/"),
        ("DELETE", "/levels/a", "DeleteObject", f"{BUCKET}/a"),
        ("POST", "/levels/a?uploads", "PutObject", f"{BUCKET}/a"),
        ("PUT", "/levels/a?partNumber=1&uploadId=u", "PutObject", f"{BUCKET}/a"),
        ("POST", "/levels/a?uploadId=u", "PutObject", f"{BUCKET}/a"),
        ("DELETE", "/levels/a?uploadId=u", "AbortMultipartUpload", f"{BUCKET}/a"),
        ("GET", "/levels/a?uploadId=u", "ListMultipartUploadParts", f"{BUCKET}/a"),
        ("GET", "/levels/a?tagging", "GetObjectTagging", f"{BUCKET}/a"),
        ("GET", "/levels?list-type=2&prefix=a", "ListBucket", BUCKET),
        ("GET", "/levels/", "ListBucket", BUCKET),
        ("HEAD", "/levels", "ListBucket", BUCKET),
        ("GET", "/levels?location", "GetBucketLocation", BUCKET),
        ("PUT", "/levels", "CreateBucket", BUCKET),
        ("GET", "/", "ListAllMyBuckets", "*"),
        ("HEAD", "/levels/a?versionId=1", "GetObjectVersion", f"{BUCKET}/a"),
        ("DELETE", "/levels/a?versionId=1", "DeleteObjectVersion", f"{BUCKET}/a"),
    ],
)
def test_operations_take_actions_that_may_have_other_names(
    method: str, target: str, action: str, resource: str
) -> None:
    """On the object, the bucket, or nothing in particular."""
    assert needed(method, target) == [(f"s3:{action}", resource)]


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
def test_what_is_not_known_has_no_actions(method: str, target: str) -> None:
    """So no caller that is limited may."""
    assert required(method, target) is None


def test_listing_has_keys_of_its_own() -> None:
    """Which policies limit it by."""
    found = required("GET", "/levels?list-type=2&prefix=a%2F&delimiter=%2F&max-keys=7")
    keys = {"s3:prefix": ("a/",), "s3:delimiter": ("/",), "s3:max-keys": ("7",)}
    assert found == (RequiredAction("s3:ListBucket", BUCKET, keys),)


def test_a_copy_reads_as_well() -> None:
    """From a bucket that may be another one's."""
    headers = {"x-amz-copy-source": "/other/b%20c?versionId=1"}
    assert needed("PUT", "/levels/a", headers) == [
        ("s3:GetObjectVersion", "arn:aws:s3:::other/b c"),
        ("s3:PutObject", f"{BUCKET}/a"),
    ]
    part = needed("PUT", "/levels/a?partNumber=1&uploadId=u", {"x-amz-copy-source": "other/b"})
    assert part == [("s3:GetObject", "arn:aws:s3:::other/b"), ("s3:PutObject", f"{BUCKET}/a")]


def test_tags_and_acls_of_a_new_object_need_actions_of_their_own() -> None:
    """As S3 asks for."""
    needs = needed("PUT", "/levels/a", {"x-amz-tagging": "a=b", "x-amz-acl": "private"})
    assert [action for action, _ in needs] == ["s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectAcl"]


def test_each_object_that_is_deleted_counts() -> None:
    """By its key, in XML."""
    body = b"<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>"
    found = required("POST", "/levels?delete", body=body)
    assert found == (
        RequiredAction("s3:DeleteObject", f"{BUCKET}/a&b"),
        RequiredAction("s3:DeleteObject", f"{BUCKET}/c"),
    )


def test_keys_are_read_as_xml_is() -> None:
    """However it is written; where there is none, nothing is to be deleted."""
    body = b'<Delete xmlns="x"><Object><Key ><![CDATA[a]]></Key><VersionId>1</VersionId></Object></Delete>'
    found = required("POST", "/levels?delete", body=body)
    assert found == (RequiredAction("s3:DeleteObjectVersion", f"{BUCKET}/a"),)
    with pytest.raises(RefusedError) as caught:
        required("POST", "/levels?delete", body=b"<Delete/>")
    assert caught.value.code == "MalformedXML"


def test_arns_are_of_the_callers_partition() -> None:
    """Which no request to S3 says; those without a resource have none."""
    headers = {"x-amz-copy-source": "other/b"}
    found = required("PUT", "/levels/a", headers, partition="aws-cn") or ()
    assert [one.resource for one in found] == ["arn:aws-cn:s3:::other/b", "arn:aws-cn:s3:::levels/a"]
    assert required("GET", "/", partition="aws-cn") == (RequiredAction("s3:ListAllMyBuckets", "*"),)
