"""Which IAM actions a request to S3 takes, and on which buckets and objects.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from xsession.testing._http import HTTPRequest, RefusedError, S3Request, xml_tree

from ._required_actions import RequiredAction

# Operations whose action has another name.
_ACTIONS: Mapping[str, str] = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "GetBucketCors": "GetBucketCORS",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketCors": "PutBucketCORS",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "UploadPart": "PutObject",
    "UploadPartCopy": "PutObject",
}
# Operations that take another action where they name a version.
_OF_VERSIONS = frozenset({"DeleteObject", "GetObject", "HeadObject"})


def required_s3_actions(s3: S3Request, request: HTTPRequest, partition: str) -> tuple[RequiredAction, ...] | None:
    """What a request to S3 needs permission for; None: it is not known.

    Args:
        s3: What it is.
        request: The request itself.
        partition: The caller's, which no request to S3 says.
    """
    return tuple(_required(s3, request, f"arn:{partition}:s3:::")) if s3.is_known else None


def _required(s3: S3Request, request: HTTPRequest, start: str) -> Iterator[RequiredAction]:
    action = f"s3:{_ACTIONS.get(s3.operation, s3.operation)}"
    bucket = f"{start}{s3.bucket}"
    if s3.operation == "DeleteObjects":
        yield from _deletions(request, bucket)
    elif not s3.bucket:
        yield RequiredAction(action, "*")
    elif not s3.key:
        yield RequiredAction(action, bucket, _listing_keys(action, s3.query))
    else:
        if s3.copied is not None:
            yield RequiredAction("s3:GetObjectVersion" if s3.copies_version else "s3:GetObject", f"{start}{s3.copied}")
        of_version = s3.operation in _OF_VERSIONS and "versionId" in s3.query
        yield RequiredAction(f"{action}Version" if of_version else action, f"{bucket}/{s3.key}")
        yield from _for_tags_and_acls(s3.operation, request, f"{bucket}/{s3.key}")


def _listing_keys(action: str, query: Mapping[str, str]) -> dict[str, tuple[str]]:
    if not action.startswith("s3:ListBucket"):
        return {}
    return {f"s3:{name}": (query[name],) for name in ("prefix", "delimiter", "max-keys") if name in query}


def _for_tags_and_acls(operation: str, request: HTTPRequest, arn: str) -> Iterator[RequiredAction]:
    if operation in ("PutObject", "CopyObject", "CreateMultipartUpload"):
        if "x-amz-tagging" in request.headers:
            yield RequiredAction("s3:PutObjectTagging", arn)
        if "x-amz-acl" in request.headers:
            yield RequiredAction("s3:PutObjectAcl", arn)


def _deletions(request: HTTPRequest, bucket: str) -> Iterator[RequiredAction]:
    # S3 refuses key by key; here one that is refused refuses the request.
    tree = xml_tree(request.body)
    # With whichever namespace.
    named = [] if tree is None else [(one.tag.rpartition("}")[2], one.text or "") for one in tree.iter()]
    of_version = any(name == "VersionId" for name, _ in named)
    action = "s3:DeleteObjectVersion" if of_version else "s3:DeleteObject"
    keys = [text for name, text in named if name == "Key"]
    if not keys:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise RefusedError(400, "MalformedXML", message)
    for key in keys:
        yield RequiredAction(action, f"{bucket}/{key}")
