"""A request as a call of an AWS service: which operation of which service, with which parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from xsession._base import frozen

from ._body_rules import form_refusal, json_object, json_refusal, s3_refusal
from ._errors import RefusedError
from ._http_request import HTTPRequest
from ._s3_requests import S3Request, read_s3_request
from ._signatures import WITH_FORM, Signature, read_signature

# The operations of STS whose proof is a token of an identity provider, not a signature.
UNSIGNED_OPERATIONS = frozenset({"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"})
# Services whose requests are JSON, and name their operations by their paths.
_PATHS = {("account", "/listRegions"): "ListRegions"}
_WITH_CONTENT = frozenset({"PutObject", "UploadPart"})


@frozen
class APIRequest:
    """One call of an AWS service.

    Args:
        http: The request that it came as.
        signature: Its signature; None: it has none.
        service: "sts", "s3", ...; "": it can't be told.
        operation: "AssumeRole", ...; the HTTP method where it is not known.
        parameters: Its fields, where it is a form.
        s3: What it is, where it goes to S3.
        source_ip: Where it came from.
        fields: Its fields, where it is JSON; None: it is not, or is no object.
    """

    http: HTTPRequest
    signature: Signature | None
    service: str
    operation: str
    parameters: Mapping[str, str]
    s3: S3Request | None = None
    source_ip: str = ""
    fields: Mapping[str, Any] | None = None

    @property
    def is_json(self) -> bool:
        """Whether the service takes and answers JSON."""
        return _is_json(self.http, self.service)

    @property
    def access_key_id(self) -> str:
        """The key that it was signed with; "": none."""
        return "" if self.signature is None else self.signature.access_key_id

    @property
    def region_name(self) -> str:
        """The region that it was signed for; "": it is not signed."""
        return "" if self.signature is None else self.signature.region_name

    @property
    def bucket(self) -> str:
        """The bucket of an S3 request; "": none."""
        return "" if self.s3 is None else self.s3.bucket


def read_api_request(http: HTTPRequest, source_ip: str) -> APIRequest:
    """What a request calls: its signature names the service, its headers, form or path the operation.

    Args:
        http: The request.
        source_ip: Where it came from.
    """
    signature = read_signature(http)
    form = _form(http)
    service = _service_without_signature(http, form) if signature is None else signature.service
    parameters = form if service in WITH_FORM else {}
    fields = json_object(http.body) if _is_json(http, service) else None
    s3 = read_s3_request(http) if service == "s3" else None
    return APIRequest(
        http, signature, service, _operation(http, service, parameters, s3), parameters, s3, source_ip, fields
    )


def protocol_refusal(request: APIRequest) -> RefusedError | None:
    """Why a request is none of its service's protocol; None: it is one."""
    if request.service in WITH_FORM:
        return form_refusal(_form_text(request.http), request.operation)
    if request.is_json:
        return json_refusal(request.fields, request.operation)
    if request.s3 is not None:
        return s3_refusal(request.http, is_object=request.operation in _WITH_CONTENT)
    return None


def _form_text(http: HTTPRequest) -> str | None:
    try:
        return http.body.decode() or http.query
    except UnicodeDecodeError:
        return None


def _form(http: HTTPRequest) -> dict[str, str]:
    text = http.body.decode(errors="replace") or http.query
    try:
        return {name: values[0] for name, values in parse_qs(text, keep_blank_values=True).items()}
    except ValueError:
        return {}


def _service_without_signature(http: HTTPRequest, form: Mapping[str, str]) -> str:
    if form.get("Action") in UNSIGNED_OPERATIONS:
        return "sts"
    # Only S3 has forms that a browser sends, with a signed policy among the fields.
    is_browsers = http.method == "POST" and http.headers.get("content-type", "").startswith("multipart/form-data")
    return "s3" if is_browsers else ""


def _is_json(http: HTTPRequest, service: str) -> bool:
    return "x-amz-target" in http.headers or (service, http.path) in _PATHS


def _operation(http: HTTPRequest, service: str, parameters: Mapping[str, str], s3: S3Request | None) -> str:
    if "x-amz-target" in http.headers:
        return http.headers["x-amz-target"].rpartition(".")[2]
    if (service, http.path) in _PATHS:
        return _PATHS[service, http.path]
    if "Action" in parameters:
        return parameters["Action"]
    return http.method if s3 is None else s3.operation
