"""AWS's errors, in the words and the form that each service gives them."""

from __future__ import annotations

import json
import re
import uuid
from xml.sax.saxutils import escape

from xsession._aws import denial_sentence

from ._http_response import HTTPResponse

_NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_JSON_TYPE = "application/x-amz-json-1.1"


class RefusedError(Exception):
    """A request that is answered with an error.

    Args:
        status: The HTTP status.
        code: AWS's code.
        message: AWS's message.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


def xml_text(text: str) -> str:
    """A string as XML has it; what XML has no form for is a question mark."""
    return escape(_NOT_XML.sub("?", text))


def error_response(service: str, error: RefusedError, *, is_json: bool) -> HTTPResponse:
    """An error in the service's own form."""
    request_id = str(uuid.uuid4())
    code, message = xml_text(error.code), xml_text(error.message)
    if is_json:
        body = json.dumps({"__type": error.code, "message": error.message})
        headers = {"x-amzn-RequestId": request_id, "x-amzn-ErrorType": error.code}
        return HTTPResponse(error.status, body.encode(), _JSON_TYPE, error.code, headers)
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>{request_id}</RequestId></Error>"
    elif service == "ec2":
        body = (
            f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>"
            f"<RequestID>{request_id}</RequestID></Response>"
        )
    else:
        body = (
            f'<ErrorResponse xmlns="{_NAMESPACE}"><Error><Type>Sender</Type><Code>{code}</Code>'
            f"<Message>{message}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
        )
    return HTTPResponse(error.status, body.encode(), error_code=error.code)


def token_expired(service: str, *, is_json: bool) -> RefusedError:
    """How a service says that temporary credentials have ended."""
    if service == "ec2":
        return RefusedError(400, "RequestExpired", "Request has expired.")
    if is_json:
        return RefusedError(400, "ExpiredTokenException", "The security token included in the request is expired")
    if service == "s3":
        return RefusedError(400, "ExpiredToken", "The provided token has expired.")
    return RefusedError(403, "ExpiredToken", "The security token included in the request is expired")


def clock_skewed(service: str, message: str, *, is_json: bool, presigned: bool) -> RefusedError:
    """How a service says that a request's time is not its own."""
    if service == "s3":
        if presigned:
            early = message.startswith("Signature not yet current")
            return RefusedError(403, "AccessDenied", "Request is not yet valid" if early else "Request has expired")
        text = "The difference between the request time and the current time is too large."
        return RefusedError(403, "RequestTimeTooSkewed", text)
    if service == "ec2":
        return RefusedError(400, "RequestExpired", "Request has expired.")
    return signature_mismatch(message, is_json=is_json)


def signature_mismatch(
    message: str = "The request signature we calculated does not match the signature you provided.",
    *,
    is_json: bool = False,
) -> RefusedError:
    """How a service says that a signature is not the one of the request."""
    return RefusedError(*((400, "InvalidSignatureException") if is_json else (403, "SignatureDoesNotMatch")), message)


def malformed_signature(service: str, message: str, *, is_json: bool, presigned: bool) -> RefusedError:
    """How a service says that what should sign a request is no signature."""
    if service == "s3":
        if presigned:
            return RefusedError(400, "AuthorizationQueryParametersError", message)
        return RefusedError(400, "AuthorizationHeaderMalformed", f"The authorization header is malformed; {message}")
    return RefusedError(400, "IncompleteSignatureException" if is_json else "IncompleteSignature", message)


def not_implemented() -> RefusedError:
    """How S3 says that it can't do what a request asks for."""
    return RefusedError(501, "NotImplemented", "A header you provided implies functionality that is not implemented.")


def unknown_operation(operation: str, *, is_json: bool) -> RefusedError:
    """How a service says that it has no such operation."""
    if is_json:
        return RefusedError(400, "UnknownOperationException", f"The operation {operation} is not known")
    return RefusedError(400, "InvalidAction", f"The action {operation} is not valid for this web service.")


def unknown_key(service: str, *, is_json: bool) -> RefusedError:
    """How a service says that it does not know an access key."""
    message = "The security token included in the request is invalid."
    if service == "s3":
        return RefusedError(
            403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
        )
    if service == "ec2":
        return RefusedError(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
    return RefusedError(403, "UnrecognizedClientException" if is_json else "InvalidClientTokenId", message)


def access_denied(
    caller_arn: str, action: str, resource: str | None, reason: str, *, service: str, is_json: bool = False
) -> RefusedError:
    """How a service says that a caller may not.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html

    Args:
        caller_arn: The caller.
        action: What.
        resource: On what; None or "*": nothing that AWS would name.
        reason: "because ..." or "with ..."; "": AWS gives none.
        service: Which service says it.
        is_json: Whether the service answers in JSON.
    """
    named = f'"{resource}"' if service == "s3" and resource is not None else resource
    message = denial_sentence(caller_arn, action, None if resource == "*" else named, reason)
    if service == "ec2":
        message = f"You are not authorized to perform this operation. {message}"
        return RefusedError(403, "UnauthorizedOperation", message)
    return (
        RefusedError(400, "AccessDeniedException", message) if is_json else RefusedError(403, "AccessDenied", message)
    )
