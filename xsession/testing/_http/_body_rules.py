"""Which payloads, queries and operations are those of a service's protocol: form, JSON or XML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

from ._errors import RefusedError
from ._http_request import HTTPRequest

_OPERATION = re.compile(r"[A-Z][A-Za-z0-9]*")
_MAX_FIELDS = 10_000


def form_refusal(form: str | None, operation: str) -> RefusedError | None:
    """Why the form of a request is refused; None: it is not.

    Args:
        form: The form; None: it is no UTF-8.
        operation: What it asks for.
    """
    if form is None:
        return RefusedError(400, "MalformedInput", "The request is not valid UTF-8")
    try:
        names = [
            name for name, _ in parse_qsl(form, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
        ]
    except ValueError:
        return RefusedError(400, "MalformedInput", "The request is not a valid form")
    if len(set(names)) != len(names):
        message = "The AWS query string is malformed or does not adhere to AWS standards."
        return RefusedError(400, "InvalidQueryParameter", message)
    if "Action" not in names:
        return RefusedError(400, "MissingAction", "The request is missing an action or a required parameter.")
    if not _OPERATION.fullmatch(operation):
        return RefusedError(400, "InvalidAction", "The action or operation requested is invalid.")
    return None


def json_object(body: bytes) -> dict[str, Any] | None:
    """The fields of a payload that is JSON; None: it is no object."""
    try:
        found = json.loads(body or b"{}", parse_constant=_no_number)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def json_refusal(fields: Mapping[str, Any] | None, operation: str) -> RefusedError | None:
    """Why the JSON of a request is refused; None: it is not.

    Args:
        fields: Its fields; None: it has none.
        operation: What it asks for.
    """
    if not _OPERATION.fullmatch(operation):
        return RefusedError(400, "UnknownOperationException", "The operation is not known")
    if fields is None:
        return RefusedError(400, "SerializationException", "The request is not a JSON object")
    return None


def s3_refusal(request: HTTPRequest, *, is_object: bool) -> RefusedError | None:
    """Why the query or the XML of a request to S3 is refused; None: they are not.

    Args:
        request: The request.
        is_object: Whether its payload may be an object's content, which is nobody's business.
    """
    try:
        names = [
            name
            for name, _ in parse_qsl(request.query, keep_blank_values=True, errors="strict", max_num_fields=_MAX_FIELDS)
        ]
    except ValueError:
        return RefusedError(400, "InvalidURI", "Couldn't parse the specified URI.")
    if len(set(names)) != len(names):
        return RefusedError(400, "InvalidArgument", "A query parameter is there more than once")
    if not is_object and request.body and request.body.lstrip()[:1] == b"<" and xml_tree(request.body) is None:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        return RefusedError(400, "MalformedXML", message)
    return None


def xml_tree(body: bytes) -> ET.Element | None:
    """The XML of a payload; None: it is none, or declares entities, as AWS refuses."""
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:
        return None
    try:
        return ET.fromstring(body)  # noqa: S314 # it declares no entities
    except (ET.ParseError, ValueError, LookupError):
        return None


def _no_number(name: str) -> None:
    msg = f"{name} is no JSON"
    raise ValueError(msg)
