"""What a library is told of credentials: a key, its secret, its token and its end, all of one moment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from xsession.refresh import RefreshPolicy

if TYPE_CHECKING:
    from xsession.credentials import Credentials
    from xsession.serving import ContainerEndpoint

_UNKNOWN_END_SECONDS = 300.0
"""A source's own credentials say no end; botocore refreshes its own before they have less than twice this."""


class DataSession(Protocol):
    """An account's session, as far as data libraries need it."""

    @property
    def name(self) -> str:
        """The account's name."""

    @property
    def region_name(self) -> str | None:
        """The region of its clients."""

    def get_credentials(self) -> Any:
        """What has `current()`."""

    def client(self, service_name: Any) -> Any:
        """A new client."""

    def aio(self) -> Any:
        """Its aiobotocore session."""

    def endpoint(self) -> ContainerEndpoint:
        """Where programs ask for its credentials."""


def told_end(credentials: Credentials, now: float) -> datetime:
    """The end that a library is told: from then on a read waits for a refresh, so that it gets others.

    Args:
        credentials: What it is told the end of.
        now: The local wall clock, in seconds since 1970.
    """
    end = credentials.local_expiry
    if end is None:
        return datetime.fromtimestamp(now + _UNKNOWN_END_SECONDS, UTC)
    left = end.timestamp() - now
    windows = RefreshPolicy().windows(credentials.lifetime or max(left, 0.0), 1.0)
    # Where AWS issues no others, those that there are hold a little longer.
    told = max(end.timestamp() - windows.mandatory, min(end.timestamp() - windows.hard, now + 1.0))
    return datetime.fromtimestamp(told, UTC)
