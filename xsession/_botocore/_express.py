"""The sessions of S3 Express: keys of their own, which a client gets for a bucket and signs with for five minutes.

botocore keeps them in the client and does not look at the client's credentials meanwhile. Here they are bound to the
credentials that they were made with: once those have ended, or are others, nothing is signed with them.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-express-create-session.html
"""

from __future__ import annotations

from typing import Any, Protocol

_MAX_BUCKETS = 100
_KEPT = "_xsession_sessions"
# What stands for the credentials that a session was made with, and the session.
_Entry = tuple[object, Any]


def register(events: Any) -> None:
    """Registers the handler on the event emitter that clients' emitters are made from."""
    # After botocore's own, which puts its cache into the context.
    events.register_last("before-sign.s3", _bind)


class RejectableSessions(Protocol):
    """Sessions that a request was signed with."""

    def rejected(self) -> bool:
        """Forgets the one that it was signed with; returns whether there was one."""


def bound_sessions(context: dict[str, Any]) -> RejectableSessions | None:
    """The sessions that a request was signed with; None: it was signed without one."""
    sessions: RejectableSessions | None = context.get("signing", {}).get("identity_cache")
    return sessions if hasattr(sessions, "rejected") else None


class BoundSessions:
    """Stands in for botocore's cache of one client's sessions, for one request.

    Args:
        cache: botocore's cache, which makes them.
        credentials: The client's credentials.
    """

    def __init__(self, cache: Any, credentials: Any) -> None:
        self._cache = cache
        self._credentials = credentials
        # In botocore's cache, so that they live as long as the client: each holds the cache that made it.
        self._kept: dict[str, _Entry] = vars(cache).setdefault(_KEPT, {})
        self._used: tuple[str, _Entry] | None = None

    def get_credentials(self, bucket: str) -> Any:
        """The session of a bucket; raises what the client's credentials raise where they have ended."""
        issue = self._credentials.issue()
        entry = self._kept.get(bucket)
        if entry is None or entry[0] is not issue:
            # Not by the cache's own method: that one remembers for all clients of the process.
            uncached: Any = super(type(self._cache), self._cache)
            made = uncached.get_credentials(bucket=bucket)
            entry = issue, made
            self._keep(bucket, entry)
        self._used = bucket, entry
        return entry[1]

    def rejected(self) -> bool:
        """Forgets the session that the request was signed with; returns whether there was one."""
        if self._used is None:
            return False
        bucket, entry = self._used
        if self._kept.get(bucket) is entry:
            self._kept.pop(bucket, None)
        return True

    def _keep(self, bucket: str, entry: _Entry) -> None:
        kept = self._kept
        kept.pop(bucket, None)
        for oldest in list(kept)[: max(0, len(kept) + 1 - _MAX_BUCKETS)]:
            kept.pop(oldest, None)
        kept[bucket] = entry


def _bind(request: Any, request_signer: Any, **_kwargs: Any) -> None:
    signing = request.context.get("signing") or {}
    cache = signing.get("identity_cache")
    credentials = getattr(request_signer, "_credentials", None)
    if cache is not None and not isinstance(cache, BoundSessions) and hasattr(credentials, "rejected"):
        signing["identity_cache"] = BoundSessions(cache, credentials)
