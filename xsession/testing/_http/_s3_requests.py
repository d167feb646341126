"""Reads S3's requests, whose operation stands in no field: method, path and query say what they are.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from urllib.parse import parse_qsl, unquote

from xsession._base import frozen

from ._http_request import HTTPRequest

# Method and what the query asks for, to the operation.
_OBJECT: Mapping[tuple[str, str], str] = {
    ("GET", ""): "GetObject",
    ("GET", "versionId"): "GetObject",
    ("GET", "uploadId"): "ListParts",
    ("GET", "tagging"): "GetObjectTagging",
    ("GET", "acl"): "GetObjectAcl",
    ("HEAD", ""): "HeadObject",
    ("HEAD", "versionId"): "HeadObject",
    ("PUT", ""): "PutObject",
    ("PUT", "uploadId"): "UploadPart",
    ("PUT", "tagging"): "PutObjectTagging",
    ("PUT", "acl"): "PutObjectAcl",
    ("POST", "uploads"): "CreateMultipartUpload",
    ("POST", "uploadId"): "CompleteMultipartUpload",
    ("DELETE", ""): "DeleteObject",
    ("DELETE", "versionId"): "DeleteObject",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
    ("DELETE", "tagging"): "DeleteObjectTagging",
}
_BUCKET: Mapping[tuple[str, str], str] = {
    ("GET", ""): "ListObjects",
    ("GET", "list-type"): "ListObjectsV2",
    ("GET", "versions"): "ListObjectVersions",
    ("GET", "uploads"): "ListMultipartUploads",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "acl"): "GetBucketAcl",
    ("GET", "policy"): "GetBucketPolicy",
    ("GET", "tagging"): "GetBucketTagging",
    ("GET", "versioning"): "GetBucketVersioning",
    ("GET", "encryption"): "GetBucketEncryption",
    ("GET", "lifecycle"): "GetBucketLifecycleConfiguration",
    ("GET", "cors"): "GetBucketCors",
    ("HEAD", ""): "HeadBucket",
    ("PUT", ""): "CreateBucket",
    ("PUT", "acl"): "PutBucketAcl",
    ("PUT", "policy"): "PutBucketPolicy",
    ("PUT", "tagging"): "PutBucketTagging",
    ("PUT", "versioning"): "PutBucketVersioning",
    ("PUT", "encryption"): "PutBucketEncryption",
    ("PUT", "lifecycle"): "PutBucketLifecycleConfiguration",
    ("PUT", "cors"): "PutBucketCors",
    ("POST", "delete"): "DeleteObjects",
    ("DELETE", ""): "DeleteBucket",
    ("DELETE", "policy"): "DeleteBucketPolicy",
    ("DELETE", "tagging"): "DeleteBucketTagging",
}
# What changes an answer, but not what is asked for.
_PARAMETERS = re.compile(
    r"prefix|delimiter|max-keys|marker|continuation-token|start-after|encoding-type|fetch-owner|key-marker|max-parts"
    r"|upload-id-marker|version-id-marker|max-uploads|partNumber|part-number-marker|x-id|response-.*|x-amz-.*"
    r"|AWSAccessKeyId|Signature|Expires",
    re.IGNORECASE,
)
# The same operations, where the object comes from another one.
_COPIES = {"PutObject": "CopyObject", "UploadPart": "UploadPartCopy"}


@frozen
class S3Request:
    """One request to S3.

    Args:
        operation: "GetObject", ...; the HTTP method where it is not known.
        bucket: The bucket; "": none.
        key: The object's key; "": the request is about a bucket.
        query: Its parameters.
        copied: "<bucket>/<key>" of the object that it copies; None: it copies none.
        copies_version: Whether it is a certain version that it copies.
        is_known: Whether its meaning is known, with all that its query asks for.
    """

    operation: str
    bucket: str
    key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    copied: str | None = None
    copies_version: bool = False
    is_known: bool = True

    @property
    def buckets(self) -> list[str]:
        """The buckets that it reads or changes."""
        source = "" if self.copied is None else self.copied.partition("/")[0]
        return [name for name in (self.bucket, source) if name]


def read_s3_request(request: HTTPRequest) -> S3Request:
    """What a request is; its bucket stands in the path."""
    # Decoded as a whole: a bucket's name may be escaped too.
    bucket, _, key = unquote(request.path).lstrip("/").partition("/")
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    asked = sorted(name for name in query if not _PARAMETERS.fullmatch(name))
    if not bucket:
        return S3Request("ListBuckets", "", query=query, is_known=request.method == "GET" and not asked)
    table = _OBJECT if key else _BUCKET
    operation = table.get((request.method, asked[0] if asked else ""))
    if operation is None or len(asked) > 1:
        return S3Request(request.method, bucket, key, query, is_known=False)
    source = request.headers.get("x-amz-copy-source")
    if operation not in _COPIES or source is None:
        return S3Request(operation, bucket, key, query)
    copied, _, version = unquote(source).lstrip("/").partition("?versionId=")
    return S3Request(_COPIES[operation], bucket, key, query, copied, bool(version))
