"""Reads S3's requests, whose operation stands in no field: what they are, and what they need permission for.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import unescape

from xsession._base import frozen
from xsession.testing._iam import RequiredAction

from ._signatures import Request

# Method and what the query asks for, to the operation and its action.
_OBJECT: Mapping[tuple[str, str], tuple[str, str]] = {
    ("GET", ""): ("GetObject", "GetObject"),
    ("GET", "versionId"): ("GetObject", "GetObjectVersion"),
    ("GET", "uploadId"): ("ListParts", "ListMultipartUploadParts"),
    ("GET", "tagging"): ("GetObjectTagging", "GetObjectTagging"),
    ("GET", "acl"): ("GetObjectAcl", "GetObjectAcl"),
    ("HEAD", ""): ("HeadObject", "GetObject"),
    ("HEAD", "versionId"): ("HeadObject", "GetObjectVersion"),
    ("PUT", ""): ("PutObject", "PutObject"),
    ("PUT", "uploadId"): ("UploadPart", "PutObject"),
    ("PUT", "tagging"): ("PutObjectTagging", "PutObjectTagging"),
    ("PUT", "acl"): ("PutObjectAcl", "PutObjectAcl"),
    ("POST", "uploads"): ("CreateMultipartUpload", "PutObject"),
    ("POST", "uploadId"): ("CompleteMultipartUpload", "PutObject"),
    ("DELETE", ""): ("DeleteObject", "DeleteObject"),
    ("DELETE", "versionId"): ("DeleteObject", "DeleteObjectVersion"),
    ("DELETE", "uploadId"): ("AbortMultipartUpload", "AbortMultipartUpload"),
    ("DELETE", "tagging"): ("DeleteObjectTagging", "DeleteObjectTagging"),
}
_BUCKET: Mapping[tuple[str, str], tuple[str, str]] = {
    ("GET", ""): ("ListObjects", "ListBucket"),
    ("GET", "list-type"): ("ListObjectsV2", "ListBucket"),
    ("GET", "versions"): ("ListObjectVersions", "ListBucketVersions"),
    ("GET", "uploads"): ("ListMultipartUploads", "ListBucketMultipartUploads"),
    ("GET", "location"): ("GetBucketLocation", "GetBucketLocation"),
    ("GET", "acl"): ("GetBucketAcl", "GetBucketAcl"),
    ("GET", "policy"): ("GetBucketPolicy", "GetBucketPolicy"),
    ("GET", "tagging"): ("GetBucketTagging", "GetBucketTagging"),
    ("GET", "versioning"): ("GetBucketVersioning", "GetBucketVersioning"),
    ("GET", "encryption"): ("GetBucketEncryption", "GetEncryptionConfiguration"),
    ("GET", "lifecycle"): ("GetBucketLifecycleConfiguration", "GetLifecycleConfiguration"),
    ("GET", "cors"): ("GetBucketCors", "GetBucketCORS"),
    ("HEAD", ""): ("HeadBucket", "ListBucket"),
    ("PUT", ""): ("CreateBucket", "CreateBucket"),
    ("PUT", "acl"): ("PutBucketAcl", "PutBucketAcl"),
    ("PUT", "policy"): ("PutBucketPolicy", "PutBucketPolicy"),
    ("PUT", "tagging"): ("PutBucketTagging", "PutBucketTagging"),
    ("PUT", "versioning"): ("PutBucketVersioning", "PutBucketVersioning"),
    ("PUT", "encryption"): ("PutBucketEncryption", "PutEncryptionConfiguration"),
    ("PUT", "lifecycle"): ("PutBucketLifecycleConfiguration", "PutLifecycleConfiguration"),
    ("PUT", "cors"): ("PutBucketCors", "PutBucketCORS"),
    ("POST", "delete"): ("DeleteObjects", "DeleteObject"),
    ("DELETE", ""): ("DeleteBucket", "DeleteBucket"),
    ("DELETE", "policy"): ("DeleteBucketPolicy", "DeleteBucketPolicy"),
    ("DELETE", "tagging"): ("DeleteBucketTagging", "PutBucketTagging"),
}
# What changes an answer, but not what is asked for.
_PARAMETERS = re.compile(
    r"prefix|delimiter|max-keys|marker|continuation-token|start-after|encoding-type|fetch-owner|key-marker|max-parts"
    r"|upload-id-marker|version-id-marker|max-uploads|partNumber|part-number-marker|x-id|response-.*|x-amz-.*"
    r"|AWSAccessKeyId|Signature|Expires",
    re.IGNORECASE,
)
_LISTED_KEY = re.compile(r"<Key>(.*?)</Key>", re.DOTALL)


@frozen
class S3Request:
    """One request to S3.

    Args:
        operation: "GetObject", ...; the HTTP method where it is not known.
        bucket: The bucket; "": none.
        source_bucket: The bucket that an object is copied from.
        needs: What it needs permission for; None: it is not known.
    """

    operation: str
    bucket: str
    source_bucket: str | None = None
    needs: tuple[RequiredAction, ...] | None = None

    def in_partition(self, partition: str) -> S3Request:
        """The same in another partition than "aws", which the request itself does not tell."""
        if partition == "aws" or self.needs is None:
            return self
        start = f"arn:{partition}:"
        needs = [replace(need, resource=(need.resource or "").replace("arn:aws:", start, 1)) for need in self.needs]
        return replace(self, needs=tuple(needs))


def read_s3_request(request: Request) -> S3Request:
    """What a request is; its bucket stands in the path."""
    bucket, _, key = request.path.lstrip("/").partition("/")
    key = unquote(key)
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if not bucket:
        known = request.method == "GET" and all(_PARAMETERS.fullmatch(name) for name in query)
        return S3Request("ListBuckets", "", needs=(RequiredAction("s3:ListAllMyBuckets", "*"),) if known else None)
    asked = sorted(name for name in query if not _PARAMETERS.fullmatch(name))
    table = _OBJECT if key else _BUCKET
    known_one = table.get((request.method, asked[0] if asked else ""))
    if known_one is None or len(asked) > 1:
        return S3Request(request.method, bucket)
    operation, action = known_one
    arn = f"arn:aws:s3:::{bucket}"
    if operation == "DeleteObjects":
        return S3Request(operation, bucket, needs=tuple(_deletions(request, arn)))
    need = (
        RequiredAction(f"s3:{action}", f"{arn}/{key}")
        if key
        else RequiredAction(f"s3:{action}", arn, _listing_keys(action, query))
    )
    copied = request.headers.get("x-amz-copy-source")
    if operation not in ("PutObject", "UploadPart") or copied is None:
        return S3Request(operation, bucket, needs=(need, *_further(request, operation, f"{arn}/{key}")))
    source, _, version = unquote(copied).lstrip("/").partition("?versionId=")
    reads = RequiredAction("s3:GetObjectVersion" if version else "s3:GetObject", f"arn:aws:s3:::{source}")
    further = _further(request, operation, f"{arn}/{key}")
    name = "CopyObject" if operation == "PutObject" else "UploadPartCopy"
    return S3Request(name, bucket, source.partition("/")[0], (reads, need, *further))


def _listing_keys(action: str, query: Mapping[str, str]) -> dict[str, tuple[str]]:
    if not action.startswith("ListBucket"):
        return {}
    return {f"s3:{name}": (query[name],) for name in ("prefix", "delimiter", "max-keys") if name in query}


def _further(request: Request, operation: str, arn: str) -> Iterator[RequiredAction]:
    if operation in ("PutObject", "CreateMultipartUpload"):
        if "x-amz-tagging" in request.headers:
            yield RequiredAction("s3:PutObjectTagging", arn)
        if "x-amz-acl" in request.headers:
            yield RequiredAction("s3:PutObjectAcl", arn)


def _deletions(request: Request, arn: str) -> Iterator[RequiredAction]:
    # S3 refuses key by key; here one that is refused refuses the request.
    action = "s3:DeleteObjectVersion" if b"<VersionId>" in request.body else "s3:DeleteObject"
    for key in _LISTED_KEY.findall(request.body.decode(errors="replace")):
        yield RequiredAction(action, f"{arn}/{unescape(key)}")
