"""The floor of the local AWS: requests, signatures, responses and errors as they go over HTTP; nothing of IAM."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._api_request import UNSIGNED_OPERATIONS as UNSIGNED_OPERATIONS
    from ._api_request import APIRequest as APIRequest
    from ._api_request import protocol_refusal as protocol_refusal
    from ._api_request import read_api_request as read_api_request
    from ._body_rules import xml_tree as xml_tree
    from ._calls import Call as Call
    from ._calls import CallLog as CallLog
    from ._errors import RefusedError as RefusedError
    from ._errors import access_denied as access_denied
    from ._errors import clock_skewed as clock_skewed
    from ._errors import error_response as error_response
    from ._errors import not_implemented as not_implemented
    from ._errors import token_expired as token_expired
    from ._errors import unknown_key as unknown_key
    from ._errors import unknown_operation as unknown_operation
    from ._errors import xml_text as xml_text
    from ._faults import Fault as Fault
    from ._faults import Faults as Faults
    from ._http_request import HTTPRequest as HTTPRequest
    from ._http_request import read_http_request as read_http_request
    from ._http_response import HTTPResponse as HTTPResponse
    from ._parameters import numbered_values as numbered_values
    from ._s3_requests import S3Request as S3Request
    from ._signature_rules import signature_refusal as signature_refusal
    from ._signatures import WITH_FORM as WITH_FORM
    from ._signatures import check_signature as check_signature
    from ._signatures import time_refusal as time_refusal
    from ._wsgi import WSGIApp as WSGIApp
    from ._wsgi import cut_connection as cut_connection
    from ._wsgi import serve as serve

__all__: list[str] = []

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_api_request": ("UNSIGNED_OPERATIONS", "APIRequest", "protocol_refusal", "read_api_request"),
        "_body_rules": ("xml_tree",),
        "_calls": ("Call", "CallLog"),
        "_errors": (
            "RefusedError",
            "access_denied",
            "clock_skewed",
            "error_response",
            "not_implemented",
            "token_expired",
            "unknown_key",
            "unknown_operation",
            "xml_text",
        ),
        "_faults": ("Fault", "Faults"),
        "_http_request": ("HTTPRequest", "read_http_request"),
        "_http_response": ("HTTPResponse",),
        "_parameters": ("numbered_values",),
        "_s3_requests": ("S3Request",),
        "_signature_rules": ("signature_refusal",),
        "_signatures": ("WITH_FORM", "check_signature", "time_refusal"),
        "_wsgi": ("WSGIApp", "cut_connection", "serve"),
    },
)
