"""Reads CloudTrail's event history of one region: page by page, no faster than AWS allows, and patiently.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from xsession._aws import is_throttling
from xsession._base import RateLimit, frozen

from ._attribution import error_code
from ._user_identity import UserIdentity, text

HISTORY_DAYS = 90
"""How far back the event history goes."""

DELAY_MINUTES = 15
"""How late an event may show up there."""

SECONDS_BETWEEN_REQUESTS = 0.5
"""An account and region may be asked twice a second."""

PAGE_SIZE = 50
_TRIES = 6
_FAILED = "Failure"
# They come before the password or the code is checked, or are about one of several:
# https://docs.aws.amazon.com/workspaces/latest/adminguide/signin-events.html
_BEFORE_SIGN_IN = frozenset({"CheckMfa", "CredentialChallenge", "CredentialVerification", "PasswordRecoveryRequested"})


@frozen(kw_only=True)
class TrailEvent:
    """One entry of LookupEvents, read; whatever is not as AWS writes it is None.

    Args:
        entry: The entry.
        document: The event in it.
        caller: Who made the request.
        issued_key_id: The key that was issued, for AssumeRole.
        asked_name: The session name that was asked for, likewise.
    """

    entry: Mapping[str, Any]
    document: Mapping[str, Any]
    caller: UserIdentity
    issued_key_id: str | None
    asked_name: str | None

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> TrailEvent:
        """Reads an entry."""
        try:
            document = json.loads(entry.get("CloudTrailEvent") or "{}")
        except (ValueError, RecursionError):
            document = {}
        return cls(
            entry=entry,
            document=document if isinstance(document, dict) else {},
            caller=UserIdentity.of(document),
            issued_key_id=text(document, "responseElements", "credentials", "accessKeyId"),
            asked_name=text(document, "requestParameters", "roleSessionName"),
        )

    @property
    def ids(self) -> frozenset[str]:
        """What tells it from others: its own id, and the one that it shares with the event in another account."""
        own = text(self.entry, "EventId")
        return frozenset(filter(None, (own, text(self.document, "sharedEventID"))))

    @property
    def error(self) -> str | None:
        """AWS's code, where the request was refused; sign-ins that failed have words instead, or just a result."""
        said = text(self.document, "errorCode") or text(self.document, "errorMessage")
        return said or (_FAILED if self._has_failed else None)

    @property
    def is_mere_attempt(self) -> bool:
        """Whether it is of a sign-in that failed or wasn't over: whoever it was, it had not proved to be the caller.

        https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
        """
        is_sign_in = (text(self.document, "eventSource") or "").startswith("signin.") or (
            text(self.document, "eventType") or ""
        ).lower() == "awsconsolesignin"
        failed = self._has_failed or (is_sign_in and self.error is not None)
        return failed or text(self.document, "eventName") in _BEFORE_SIGN_IN

    @property
    def _has_failed(self) -> bool:
        name = text(self.document, "eventName") or ""
        results = {text(self.document, part, name) for part in ("responseElements", "serviceEventDetails")}
        return _FAILED in results

    @property
    def at(self) -> datetime:
        """When it was, in UTC."""
        at = self.entry.get("EventTime")
        return at.astimezone(UTC) if isinstance(at, datetime) else datetime.min.replace(tzinfo=UTC)

    @property
    def resources(self) -> tuple[str, ...]:
        """The names of what it was done to, each once."""
        listed = [text(item, "ResourceName") for item in self.entry.get("Resources") or ()]
        more = self.document.get("resources")
        listed += [text(item, "ARN") for item in more] if isinstance(more, list) else []
        return tuple(dict.fromkeys(name for name in listed if name is not None))


def lookup_events(
    client: Any, pace: RateLimit, attribute: tuple[str, str] | None, start: datetime, end: datetime
) -> Iterator[TrailEvent]:
    """The events of one region, newest first.

    Args:
        client: A CloudTrail client of the region.
        pace: Of the account and region.
        attribute: The key and value that CloudTrail searches for; None: all events.
        start: From when on.
        end: Until when.

    Raises:
        ClientError: AWS refused, or throttled again and again.
    """
    request: dict[str, Any] = {"StartTime": start, "EndTime": end, "MaxResults": PAGE_SIZE}
    if attribute is not None:
        request["LookupAttributes"] = [{"AttributeKey": attribute[0], "AttributeValue": attribute[1]}]
    while True:
        page = _page(client, pace, request)
        yield from map(TrailEvent.of, page.get("Events", ()))
        if not page.get("NextToken"):
            return
        request["NextToken"] = page["NextToken"]


def _page(client: Any, pace: RateLimit, request: Mapping[str, Any]) -> Mapping[str, Any]:
    attempt = 0
    while True:
        pace.wait(2.0**attempt - 1)
        attempt += 1
        try:
            return client.lookup_events(**request)  # type: ignore[no-any-return]  # clients are made from models
        except Exception as error:
            if not is_throttling(error_code(error)) or attempt == _TRIES:
                raise
