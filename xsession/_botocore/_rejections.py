"""What a client does when a service says that its credentials are dead: throws them away and asks once more.

botocore signs again when a `needs-retry` handler asks for a retry, but does not tell it which key was refused: so the
signature's key id is noted when the request is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from xsession._aws import is_dead_session, is_denied, read_denial

_KEY_ID = r"(?:Credential=|AWS )([^/:,]+)"
_CREDENTIALS = "xsession_credentials"
_SIGNED = "xsession_signed"


class Rejectable(Protocol):
    """Credentials that can be replaced."""

    def rejected(self, access_key_id: str) -> bool:
        """Records that a service rejected these; returns whether a retry may help."""

    def denied(self, access_key_id: str) -> bool:
        """Records that a service denied a request explicitly; returns whether a retry may help."""


def register(events: Any) -> None:
    """Registers the handlers on the event emitter that clients' emitters are made from."""
    events.register("before-call", _note_credentials)
    events.register_last("request-created", _note_signature)
    events.register("needs-retry", _retry_once)


def _note_credentials(request_signer: Any, context: dict[str, Any], **_kwargs: Any) -> None:
    credentials = getattr(request_signer, "_credentials", None)
    if hasattr(credentials, "rejected"):
        context[_CREDENTIALS] = credentials


def _note_signature(request: Any, **_kwargs: Any) -> None:
    if _CREDENTIALS in request.context:
        request.context[_SIGNED] = request.headers.get("Authorization")


def _retry_once(response: Any, request_dict: dict[str, Any], **_kwargs: Any) -> float | None:
    if response is None or response[0].status_code < 400:
        return None
    context = request_dict["context"]
    credentials: Rejectable | None = context.get(_CREDENTIALS)
    told = None if credentials is None else _whom_to_tell(credentials, response[1].get("Error", {}))
    if told is None:
        return None
    signed = re.search(_KEY_ID, str(context.get(_SIGNED)))
    # Once per call: what refuses new credentials too has another reason.
    del context[_CREDENTIALS]
    if signed is None or not told(signed[1]) or not _can_be_sent_again(request_dict.get("body")):
        return None
    return 0.0


def _whom_to_tell(credentials: Rejectable, error: Mapping[str, Any]) -> Callable[[str], bool] | None:
    if is_dead_session(error.get("Code")):
        return credentials.rejected
    if is_denied(error.get("Code")) and read_denial(str(error.get("Message"))).explicit:
        return credentials.denied
    return None


def _can_be_sent_again(body: Any) -> bool:
    # A mapping is a form that is encoded at each try.
    if body is None or isinstance(body, str | bytes | bytearray | dict):
        return True
    try:
        body.seek(0, 1)
    except (AttributeError, OSError, ValueError):
        return False
    return True
