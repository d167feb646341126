"""From a request to the local AWS to the events that CloudTrail would keep of it.

https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from xml.sax.saxutils import unescape

from xsession._aws import account_of, first_region, iso_of, name_of, partition_of
from xsession._base import frozen
from xsession.testing._http import APIRequest, HTTPResponse, numbered_values
from xsession.testing._iam import AccessKey

_GLOBAL_SERVICES = frozenset({"iam", "organizations"})
_S3_MANAGEMENT = frozenset({"ListBuckets", "CreateBucket", "DeleteBucket"})
_READ_ONLY = re.compile("(Describe|Get|List|Lookup|Head|Assume|Simulate).*")
# Their caller is not known to AWS, or not any more.
_NOT_AUTHENTICATED = frozenset(
    {
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_NUMBERS = frozenset({"DurationSeconds", "MaxCount", "MaxItems", "MaxResults", "MaxSessionDuration", "MinCount"})
_LONGEST_NUMBER = 18
_FLAGS = frozenset({"DryRun", "Force", "Hibernate"})
_HIDDEN = frozenset({"password", "newPassword", "oldPassword", "sAMLAssertion", "tokenCode", "webIdentityToken"})


@frozen
class SessionAttributes:
    """How the session of temporary credentials began.

    Args:
        since: When they were issued, in seconds since 1970.
        mfa: Whether MFA was passed for them.
    """

    since: float
    mfa: bool


@frozen
class RecordedEvent:
    """One event, in the account and the region that keep it.

    Args:
        account_id: The account.
        region_name: The region.
        at: When, in seconds since 1970.
        username: What LookupEvents calls the caller; None: the caller is of another account.
        access_key_id: The caller's key; None likewise.
        resources: Types and names.
        document: The event as trails have it.
    """

    account_id: str
    region_name: str
    at: float
    username: str | None
    access_key_id: str | None
    resources: tuple[tuple[str, str], ...]
    document: Mapping[str, Any]

    def entry(self) -> dict[str, Any]:
        """The event as LookupEvents gives it."""
        entry: dict[str, Any] = {
            "EventId": self.document["eventID"],
            "EventName": self.document["eventName"],
            "ReadOnly": "true" if self.document["readOnly"] else "false",
            "EventTime": int(self.at),
            "EventSource": self.document["eventSource"],
            "Resources": [{"ResourceType": kind, "ResourceName": name} for kind, name in self.resources],
            "CloudTrailEvent": json.dumps(self.document),
        }
        optional = {"Username": self.username, "AccessKeyId": self.access_key_id}
        return entry | {name: value for name, value in optional.items() if value is not None}


@frozen
class AnsweredRequest:
    """One request to the local AWS, with what came of it.

    Args:
        request: The request.
        key: What it was signed with; None: nothing, since a token of an identity provider was sent.
        session: How that key's session began, if it is a temporary one.
        issued: The credentials that it was answered with.
        response: The response.
        at: When, in seconds since 1970.
    """

    request: APIRequest
    key: AccessKey | None
    session: SessionAttributes
    issued: AccessKey | None
    response: HTTPResponse
    at: float

    def events(self) -> list[RecordedEvent]:
        """None of data events and unknown callers, two where a role of another account is assumed."""
        code, message = _error(self.response)
        is_data = self.request.service == "s3" and self.request.operation not in _S3_MANAGEMENT
        if is_data or not self.response.status or code in _NOT_AUTHENTICATED:
            return []
        if self.key is None:
            return self._web_identity_events()
        if self.request.signature is None:
            return []
        document = self._document(_identity(self.key, self.session), self.key)
        if code is not None:
            code = f"Client.{code}" if self.request.service == "ec2" else code
            document |= {"errorCode": code, "errorMessage": message}
        here = self.key.principal.account_id
        there = here if self.issued is None else self.issued.principal.account_id
        if there == here:
            return [self._recorded(document, self.key)]
        # The role's account learns who came from elsewhere by the unique id alone.
        shared = {"sharedEventID": str(uuid.uuid4())}
        stranger = {"type": "AWSAccount", "principalId": self.key.user_id, "accountId": here}
        changed = {"userIdentity": stranger, "eventID": str(uuid.uuid4()), "recipientAccountId": there}
        return [self._recorded(document | shared, self.key), self._recorded(document | shared | changed, None)]

    def _web_identity_events(self) -> list[RecordedEvent]:
        """One in the role's account, where its role was assumed; of attempts that failed, none."""
        if self.issued is None:
            return []
        names = ("SubjectFromWebIdentityToken", "Provider", "Audience")
        subject, provider, audience = (_element(self.response.body.decode(), name) for name in names)
        identity = {
            "type": "WebIdentityUser",
            "principalId": f"{provider}:{audience}:{subject}",
            "userName": subject,
            "identityProvider": provider,
        }
        return [self._recorded(self._document(identity, self.issued), None)]

    def _document(self, identity: dict[str, Any], owner: AccessKey) -> dict[str, Any]:
        request = self.request
        document: dict[str, Any] = {
            "eventVersion": "1.11",
            "userIdentity": identity,
            "eventTime": iso_of(self.at),
            "eventSource": f"{request.service}.amazonaws.com",
            "eventName": request.operation,
            "awsRegion": _region(request.service, request.region_name, owner),
            "sourceIPAddress": request.source_ip,
            "userAgent": request.http.headers.get("user-agent", ""),
            "requestParameters": _parameters(request),
            "responseElements": None if self.issued is None else _issued(self.issued),
            "requestID": _request_id(self.response),
            "eventID": str(uuid.uuid4()),
            "readOnly": _READ_ONLY.fullmatch(request.operation) is not None,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": owner.principal.account_id,
            "eventCategory": "Management",
        }
        role_arn = request.parameters.get("RoleArn", "")
        if role_arn.count(":") >= 5:
            resource = {"accountId": account_of(role_arn), "type": "AWS::IAM::Role", "ARN": role_arn}
            document["resources"] = [resource]
        return document

    def _recorded(self, document: dict[str, Any], known: AccessKey | None) -> RecordedEvent:
        return RecordedEvent(
            account_id=document["recipientAccountId"],
            region_name=document["awsRegion"],
            at=self.at,
            username=document["userIdentity"].get("userName") if known is None else _username(known),
            access_key_id=None if known is None else known.access_key_id,
            resources=tuple(_resources(self.request, self.issued)),
            document=document,
        )


def issued_key_id(response: HTTPResponse) -> str | None:
    """The id of the key that an answer of STS holds."""
    match = re.search(rb"<AccessKeyId>(\w+)</AccessKeyId><SecretAccessKey>", response.body)
    return None if match is None else match[1].decode()


def _identity(key: AccessKey, session: SessionAttributes) -> dict[str, Any]:
    principal, attributes = key.principal, {"creationDate": iso_of(session.since)}
    attributes["mfaAuthenticated"] = "true" if session.mfa else "false"
    kind, _, name = principal.arn.rpartition(":")[2].partition("/")
    identity: dict[str, Any] = {
        "type": {"assumed-role": "AssumedRole", "user": "IAMUser"}.get(kind, "Root"),
        "principalId": key.user_id,
        "arn": principal.arn,
        "accountId": principal.account_id,
        "accessKeyId": key.access_key_id,
    }
    if kind == "user":
        identity["userName"] = name
    if key.session_token is None:
        return identity
    context: dict[str, Any] = {"attributes": attributes}
    identity["sessionContext"] = context
    if principal.role_arn is not None:
        context["sessionIssuer"] = {
            "type": "Role",
            "principalId": key.user_id.partition(":")[0],
            "arn": principal.role_arn,
            "accountId": principal.account_id,
            "userName": name_of(principal.role_arn),
        }
    if key.source_identity is not None:
        context["sourceIdentity"] = key.source_identity
    return identity


def _issued(key: AccessKey) -> dict[str, Any]:
    ends = datetime.fromtimestamp(key.expires or 0, UTC).strftime("%b %d, %Y, %I:%M:%S %p")
    elements: dict[str, Any] = {"credentials": {"accessKeyId": key.access_key_id, "expiration": ends}}
    if key.principal.role_arn is not None:
        elements["assumedRoleUser"] = {"assumedRoleId": key.user_id, "arn": key.principal.arn}
    if key.source_identity is not None:
        elements["sourceIdentity"] = key.source_identity
    return elements


def _username(key: AccessKey) -> str:
    return "root" if key.principal.arn.endswith(":root") else name_of(key.principal.arn)


def _region(service: str, signed: str, owner: AccessKey) -> str:
    # What is not signed says no region.
    home = first_region(partition_of(owner.principal.arn))
    return home or signed if service in _GLOBAL_SERVICES or not signed else signed


def _resources(request: APIRequest, issued: AccessKey | None) -> list[tuple[str, str]]:
    parameters = request.parameters
    found = [("AWS::EC2::Instance", value) for value in numbered_values(parameters, "InstanceId.{}")]
    if issued is not None:
        found.append(("AWS::IAM::AccessKey", issued.access_key_id))
        if issued.principal.role_arn is not None:
            found.append(("AWS::STS::AssumedRole", issued.principal.arn))
    names = {"RoleArn": "AWS::IAM::Role", "RoleName": "AWS::IAM::Role", "UserName": "AWS::IAM::User"}
    found += [(kind, parameters[name]) for name, kind in names.items() if name in parameters]
    return found + ([("AWS::S3::Bucket", request.bucket)] if request.service == "s3" and request.bucket else [])


def _parameters(request: APIRequest) -> dict[str, Any] | None:
    if request.is_json:
        found = {_lower(name): value for name, value in (request.fields or {}).items()}
    elif request.service == "s3":
        found = {"bucketName": request.bucket} if request.bucket else {}
    else:
        found = _query(request.parameters)
    return {
        name: "HIDDEN_DUE_TO_SECURITY_REASONS" if name in _HIDDEN else value for name, value in found.items()
    } or None


def _query(parameters: Mapping[str, str]) -> dict[str, Any]:
    plain = {name: value for name, value in parameters.items() if "." not in name and name not in ("Action", "Version")}
    found: dict[str, Any] = {_lower(name): _typed(name, value) for name, value in plain.items()}
    instances = numbered_values(parameters, "InstanceId.{}")
    if instances:
        found["instancesSet"] = {"items": [{"instanceId": value} for value in instances]}
    tags = numbered_values(parameters, "Tags.member.{}.Key")
    if tags:
        found["principalTags"] = dict(zip(tags, numbered_values(parameters, "Tags.member.{}.Value"), strict=False))
    keys = numbered_values(parameters, "TransitiveTagKeys.member.{}")
    arns = numbered_values(parameters, "PolicyArns.member.{}.arn")
    found |= {"transitiveTagKeys": keys} if keys else {}
    return found | ({"policyArns": [{"arn": value} for value in arns]} if arns else {})


def _typed(name: str, value: str) -> object:
    if name in _FLAGS:
        return value == "true"
    return int(value) if name in _NUMBERS and value.isdecimal() and len(value) <= _LONGEST_NUMBER else value


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _error(response: HTTPResponse) -> tuple[str | None, str]:
    if 0 < response.status < 400:
        return None, ""
    text = response.body.decode(errors="replace")
    if response.content_type.startswith("application/x-amz-json"):
        document = json.loads(text)
        return document["__type"].rpartition("#")[2], document.get("message", "")
    return _element(text, "Code") or str(response.status), _element(text, "Message")


def _element(text: str, name: str) -> str:
    match = re.search(f"<{name}>(.*?)</{name}>", text, re.DOTALL)
    return unescape(match[1]) if match else ""


def _request_id(response: HTTPResponse) -> str:
    match = re.search(rb"<(?:RequestId|RequestID|requestId)>([\w-]+)<", response.body)
    return response.headers.get("x-amzn-RequestId") or (match[1].decode() if match else str(uuid.uuid4()))
