"""The local CloudTrail: keeps what passed through the local AWS, and answers LookupEvents.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import base64
import itertools
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NoReturn

from xsession.testing._http import UNSIGNED_OPERATIONS, APIRequest, HTTPResponse, RefusedError
from xsession.testing._iam import AccessKey

from ._events import AnsweredRequest, RecordedEvent, SessionAttributes, issued_key_id

_JSON = "application/x-amz-json-1.1"
_KEPT_SECONDS = 90 * 86_400
_MOST = 50
_TYPES: Mapping[str, Any] = {
    "EndTime": int | float,
    "LookupAttributes": list,
    "MaxResults": int,
    "NextToken": str,
    "StartTime": int | float,
}


class CloudTrail:
    """The event history of all accounts and regions: management events, at once and for 90 days.

    Args:
        find_key: The key of an id.
        now: The clock, in seconds since 1970.
    """

    def __init__(self, find_key: Callable[[str], AccessKey | None], now: Callable[[], float]) -> None:
        self._find_key = find_key
        self._now = now
        self._lock = threading.Lock()
        self._events: list[RecordedEvent] = []
        self._sessions: dict[str, SessionAttributes] = {}
        self._asked: dict[tuple[str, str], deque[float]] = {}
        self.requests_per_second: int | None = None
        """How many LookupEvents an account and region may ask for in a second of the server's clock; None: any."""

    def record(self, request: APIRequest, key: AccessKey | None, response: HTTPResponse) -> None:
        """Records a request, in the account of its caller and, for AssumeRole, in that of the role.

        Nothing is kept of requests whose caller is not known, nor of data events.
        """
        if key is None and request.operation not in UNSIGNED_OPERATIONS:
            return
        now = self._now()
        with self._lock:
            issued = self._find_key(issued_key_id(response) or "")
            if issued is not None:
                mfa = bool((key is not None and key.mfa) or issued.mfa or "SerialNumber" in request.parameters)
                self._sessions[issued.access_key_id] = SessionAttributes(now, mfa)
            session = SessionAttributes(now, mfa=False)
            if key is not None:
                session = self._sessions.get(key.access_key_id, SessionAttributes(now, bool(key.mfa)))
            self._events += AnsweredRequest(request, key, session, issued, response, now).events()

    def answer(self, operation: str, request: Mapping[str, Any], key: AccessKey, region_name: str) -> HTTPResponse:
        """Answers a request to CloudTrail itself.

        Raises:
            RefusedError: What AWS would refuse.
        """
        if operation != "LookupEvents":
            raise RefusedError(400, "UnsupportedOperationException", f"The local AWS has no CloudTrail {operation}")
        if not all(isinstance(value, _TYPES.get(name, object)) for name, value in request.items()):
            _refuse("SerializationException", "A field of the request has another type")
        wanted = _attribute(request.get("LookupAttributes") or [])
        most = request.get("MaxResults", _MOST)
        if not 1 <= most <= _MOST:
            _refuse("InvalidMaxResultsException", f"MaxResults is from 1 to {_MOST}")
        start, end = request.get("StartTime", 0.0), request.get("EndTime", float("inf"))
        if start > end:
            _refuse("InvalidTimeRangeException", "The start time is after the end time")
        if "EventCategory" in request:
            _refuse("InvalidEventCategoryException", "The local AWS has no insight events")
        account_id = key.principal.account_id
        with self._lock:
            self._throttle((account_id, region_name))
            oldest = max(start, self._now() - _KEPT_SECONDS)
            # The newest come first; of one second, those that were recorded last.
            numbered = sorted(enumerate(self._events), key=lambda item: (int(item[1].at), item[0]), reverse=True)
        found = (
            (number, event)
            for number, event in numbered
            if (event.account_id, event.region_name) == (account_id, region_name)
            and oldest <= int(event.at) <= end
            and _matches(event, wanted)
        )
        return _page(found, request, most)

    def _throttle(self, place: tuple[str, str]) -> None:
        if self.requests_per_second is None:
            return
        now, asked = self._now(), self._asked.setdefault(place, deque())
        while asked and asked[0] <= now - 1:
            asked.popleft()
        if len(asked) >= self.requests_per_second:
            _refuse("ThrottlingException", "Rate exceeded")
        asked.append(now)


def _attribute(attributes: list[Mapping[str, str]]) -> tuple[str, str] | None:
    if not attributes:
        return None
    if (
        len(attributes) > 1
        or not isinstance(attributes[0], dict)
        or attributes[0].get("AttributeKey") not in _ATTRIBUTES
    ):
        _refuse("InvalidLookupAttributesException", "You can specify one known attribute at most")
    return attributes[0]["AttributeKey"], attributes[0].get("AttributeValue", "")


def _matches(event: RecordedEvent, wanted: tuple[str, str] | None) -> bool:
    return wanted is None or wanted[1] in _ATTRIBUTES[wanted[0]](event)


_ATTRIBUTES: Mapping[str, Callable[[RecordedEvent], list[str | None]]] = {
    "AccessKeyId": lambda event: [event.access_key_id],
    "EventId": lambda event: [event.document["eventID"]],
    "EventName": lambda event: [event.document["eventName"]],
    "EventSource": lambda event: [event.document["eventSource"]],
    "ReadOnly": lambda event: ["true" if event.document["readOnly"] else "false"],
    "ResourceName": lambda event: [name for _, name in event.resources],
    "ResourceType": lambda event: [kind for kind, _ in event.resources],
    "Username": lambda event: [event.username],
}


def _page(found: Iterator[tuple[int, RecordedEvent]], request: Mapping[str, Any], most: int) -> HTTPResponse:
    # A token is for the same question only, and goes on behind the last event that was given out.
    question = json.dumps(sorted((name, value) for name, value in request.items() if name != "NextToken"))
    last = _read_token(request["NextToken"], question) if "NextToken" in request else None
    if last is not None:
        found = itertools.dropwhile(lambda item: item[0] != last, found)
        next(found, None)
    page = list(itertools.islice(found, most + 1))
    answer: dict[str, Any] = {"Events": [event.entry() for _, event in page[:most]]}
    if len(page) > most:
        answer["NextToken"] = base64.b64encode(json.dumps([question, page[most - 1][0]]).encode()).decode()
    return HTTPResponse(200, json.dumps(answer).encode(), _JSON)


def _read_token(token: str, question: str) -> int:
    try:
        asked, last = json.loads(base64.b64decode(token, validate=True))
    except (ValueError, TypeError, RecursionError):
        asked, last = None, 0
    if asked != question:
        _refuse("InvalidNextTokenException", "The token is invalid")
    return int(last)


def _refuse(code: str, message: str) -> NoReturn:
    raise RefusedError(400, code, message)
