"""What a client does when a service says that its credentials are dead: it signs again, with others where that helps.

botocore signs again when a `needs-retry` handler answers with a delay, but does not say which key was refused: so the
signature's key id is noted when the request is made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from xsession._aws import is_dead_session, is_denied, is_unknown_key, wants_other_keys
from xsession.refresh import Endpoint, Rejection, RejectionMemory

from ._express import bound_sessions

_KEY_ID = re.compile(r"(?:Credential=|AWS )([^/:,]+)(?:/\d+/([^,]+)/aws4_request)?")
_CREDENTIALS = "xsession_credentials"
_SIGNED = "xsession_signed"
_BEGAN = "xsession_began"
_EARLIER = "xsession_earlier"
# The keys that were rejected first, and those that took their place.
_MAX_KEYS_OF_A_CALL = 2
# A mapping is a form that is encoded at each try.
_WHOLE_BODIES = (str, bytes, bytearray, dict)


class Rejectable(Protocol):
    """Credentials that can be replaced."""

    @property
    def rejections(self) -> RejectionMemory:
        """What is remembered of rejections."""

    def rejected(self, rejection: Rejection) -> float | None:
        """Records that a service rejected these; returns seconds until the request should be signed again."""

    def accepted(self, endpoint: Endpoint) -> None:
        """Records that an endpoint accepted these, which rejected some before."""

    def denied(self, access_key_id: str) -> bool:
        """Records that a service denied a request explicitly; returns whether a retry may help."""

    def issue(self) -> object:
        """Stands for what requests are signed with now."""

    def is_new(self, access_key_id: str) -> bool:
        """Whether this key was issued a moment ago, and may not be known everywhere yet."""


def register(events: Any, react: Callable[..., object] | None = None) -> None:
    """Registers the handlers on the event emitter that clients' emitters are made from.

    Args:
        events: The emitter.
        react: Called with answers in place of `again_after`; None: that is.
    """
    events.register("before-call", _note_call)
    events.register_last("request-created", _note_signature)
    events.register("needs-retry", again_after if react is None else react)


def noted_credentials(request_dict: dict[str, Any]) -> Any:
    """The credentials that sign a request; None: they are not ours, or need not be looked at any more."""
    return request_dict["context"].get(_CREDENTIALS)


def _note_call(params: dict[str, Any], request_signer: Any, context: dict[str, Any], **_kwargs: Any) -> None:
    credentials = getattr(request_signer, "_credentials", None)
    if not hasattr(credentials, "rejected"):
        return
    context[_CREDENTIALS] = credentials
    body = params.get("body")
    if body is not None and not isinstance(body, _WHOLE_BODIES):
        context[_BEGAN] = _position(body)


def _note_signature(request: Any, **_kwargs: Any) -> None:
    if _CREDENTIALS in request.context:
        headers = request.headers
        request.context[_SIGNED] = headers.get("Authorization"), "X-Amz-Security-Token" in headers


def again_after(response: Any, request_dict: dict[str, Any], endpoint: Any, **_kwargs: Any) -> float | None:
    """Seconds until the request is signed and sent again; None: its answer is the caller's, or another handler's."""
    if response is None or _CREDENTIALS not in request_dict["context"]:
        return None
    try:
        delay = _Answered(response, request_dict, endpoint).again_after()
        return None if delay is None or not _is_rewound(request_dict) else delay
    except Exception:  # noqa: BLE001 # a body, a store or a source that fails must not hide what AWS answered
        return None


class _Answered:
    """One answer to a request that our credentials signed.

    Args:
        response: The answer, as botocore's handlers get it.
        request_dict: The request; its context is the call's.
        endpoint: botocore's endpoint.
    """

    __slots__ = ("_context", "_credentials", "_endpoint", "_error", "_method", "_status")

    def __init__(self, response: Any, request_dict: dict[str, Any], endpoint: Any) -> None:
        self._context: dict[str, Any] = request_dict["context"]
        self._credentials: Rejectable = self._context[_CREDENTIALS]
        self._status: int = response[0].status_code
        self._error: Mapping[str, Any] = response[1].get("Error") or {}
        self._method = request_dict.get("method")
        self._endpoint = endpoint

    def again_after(self) -> float | None:
        """Seconds until the request should be signed again; None: it should not."""
        if self._status < 400:
            self._accepted()
            return None
        code = self._error.get("Code")
        if is_dead_session(code):
            return self._rejected("replace" if wants_other_keys(code) else "dead")
        if is_unknown_key(code):
            return self._rejected("unknown")
        if is_denied(code) and self._is_explicit():
            return self._once() if self._credentials.denied(self._signed()[0]) else None
        if self._method == "HEAD" and self._status == 400 and code == "400":
            return self._head()
        return None

    def _is_explicit(self) -> bool:
        from xsession._aws import read_denial  # noqa: PLC0415 # few programs are denied, and its patterns take 1 ms

        return read_denial(str(self._error.get("Message"))).explicit

    def _accepted(self) -> None:
        if self._credentials.rejections.rejected:
            self._credentials.accepted(self._signed()[1])

    def _rejected(self, says: Literal["dead", "replace", "unknown"]) -> float | None:
        access_key_id, endpoint = self._signed()
        sessions = bound_sessions(self._context)
        if sessions is not None and sessions.rejected():
            return self._once()
        earlier: dict[str, int] = self._context.setdefault(_EARLIER, {})
        times = earlier.get(access_key_id, 0)
        earlier[access_key_id] = times + 1
        delay = self._credentials.rejected(Rejection(access_key_id, endpoint, times, says))
        return delay if len(earlier) <= _MAX_KEYS_OF_A_CALL else None

    def _head(self) -> float | None:
        # Its answer has no body, and so no code: the keys may be dead, or anything else is wrong.
        _, has_token = self._context[_SIGNED]
        access_key_id, endpoint = self._signed()
        if not has_token or self._credentials.rejections.gave_up(endpoint):
            return None
        delay = self._once()
        return 0.5 if delay is not None and self._credentials.is_new(access_key_id) else delay

    def _once(self) -> float | None:
        # Once per call: whatever refuses new credentials too has another reason.
        self._context.pop(_CREDENTIALS)
        return 0.0

    def _signed(self) -> tuple[str, Endpoint]:
        """The key id in the signature, and the endpoint that it is for."""
        found = _KEY_ID.search(_as_string(self._context[_SIGNED][0]))
        if found is None:
            msg = "the request was not signed"
            raise ValueError(msg)
        return found[1], (str(self._endpoint.host), found[2] or "")


def _as_string(header: object) -> str:
    return header.decode() if isinstance(header, bytes) else str(header)


def _position(body: Any) -> int | None:
    try:
        return int(body.tell())
    except Exception:  # noqa: BLE001 # whatever a caller's own body raises
        return None


def _is_rewound(request_dict: dict[str, Any]) -> bool:
    """Whether the body is back where it began, so that the very same is sent again."""
    body = request_dict.get("body")
    if body is None or isinstance(body, _WHOLE_BODIES):
        return True
    # botocore goes back to the very beginning, whatever the body's position was.
    if request_dict["context"].get(_BEGAN, 0) != 0:
        return False
    body.seek(0)
    return True
