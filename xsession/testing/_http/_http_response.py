"""An answer as it goes over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from xsession._base import frozen


@frozen
class HTTPResponse:
    """One HTTP answer.

    Args:
        status: The status.
        body: The payload.
        content_type: Its type.
        error_code: AWS's code, where it is an error.
        headers: Further headers.
    """

    status: int
    body: bytes
    content_type: str = "text/xml"
    error_code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
