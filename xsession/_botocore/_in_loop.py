"""The handlers of our clients, for those of event loops: what takes time there is awaited."""

from __future__ import annotations

from functools import partial
from typing import Any

from . import _bearer_tokens as tokens
from . import _rejections as rejections

_KEPT = "_xsession_sessions"


def register_in_loop(events: Any) -> None:
    """Registers them on the event emitter that clients' emitters are made from."""
    rejections.register(events, _again_after)
    tokens.register(events)
    # After the library's own, which puts its cache into the context.
    events.register_last("before-sign.s3", _bind)


async def _again_after(response: Any, request_dict: dict[str, Any], endpoint: Any, **_kwargs: Any) -> float | None:
    """As the handler of boto3's clients; what may block is done aside."""
    credentials = rejections.noted_credentials(request_dict)
    if response is None or credentials is None:
        return None
    work = partial(rejections.again_after, response, request_dict, endpoint)
    if response[0].status_code < 400:
        return work()
    delay: float | None = await credentials.aside(work)
    return delay


class AwaitedSessions:
    """As `BoundSessions`, for a cache whose `get_credentials` is awaited, and which makes each session once.

    Args:
        cache: The library's, of one client.
        credentials: The client's credentials.
    """

    def __init__(self, cache: Any, credentials: Any) -> None:
        self._cache = cache
        self._credentials = credentials
        self._used: tuple[object, Any] | None = None

    async def get_credentials(self, bucket: str) -> Any:
        """The session of a bucket; raises what the client's credentials raise where they have ended."""
        issue = await self._credentials.awaited_issue()
        kept: tuple[object, Any] | None = vars(self._cache).get(_KEPT)
        if kept is None or kept[0] is not issue:
            # A cache of its own for each issue: what is on its way for the one before ends up in that one's.
            kept = vars(self._cache)[_KEPT] = issue, type(self._cache)(self._cache._client, self._cache._credential_cls)
        self._used = kept
        return await kept[1].get_credentials(bucket)

    def rejected(self) -> bool:
        """Forgets the sessions of the issue that the request was signed with; returns whether there was one."""
        if self._used is None:
            return False
        if vars(self._cache).get(_KEPT) is self._used:
            del vars(self._cache)[_KEPT]
        return True


def _bind(request: Any, request_signer: Any, **_kwargs: Any) -> None:
    signing = request.context.get("signing") or {}
    cache = signing.get("identity_cache")
    credentials = getattr(request_signer, "_credentials", None)
    if cache is not None and not isinstance(cache, AwaitedSessions) and hasattr(credentials, "awaited_issue"):
        signing["identity_cache"] = AwaitedSessions(cache, credentials)
