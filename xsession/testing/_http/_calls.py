"""What was asked of the local AWS."""

from __future__ import annotations

import threading

from xsession._base import frozen


@frozen
class Call:
    """One request.

    Args:
        service: "sts", "s3", ...
        operation: "AssumeRole", "GetObject", ...
        access_key_id: The key that it was signed with.
        account_id: The account of that key; None: the key is unknown.
        region_name: The region that it was signed for.
        status: The HTTP status of the answer; 0: there was none.
        error_code: AWS's code, where it was refused.
        role_arn: The role, for AssumeRole.
    """

    service: str
    operation: str
    access_key_id: str
    account_id: str | None
    region_name: str
    status: int
    error_code: str | None = None
    role_arn: str | None = None


class CallLog:
    """The requests so far."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: list[Call] = []

    def add(self, call: Call) -> None:
        """Records a request."""
        with self._lock:
            self._calls.append(call)

    def all(self) -> list[Call]:
        """All requests, in the order of their answers."""
        with self._lock:
            return list(self._calls)

    def clear(self) -> None:
        """Forgets them."""
        with self._lock:
            self._calls.clear()
