"""What is awaited for clients of event loops: the sessions of S3 Express."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any, ClassVar

from xsession._botocore import register_in_loop
from xsession._botocore._express import bound_sessions


class Cache:
    """As aiobotocore's: one session for each bucket, made by the client."""

    made: ClassVar[Counter[str]] = Counter()

    def __init__(self, client: object, credential_cls: object) -> None:
        self._client = client
        self._credential_cls = credential_cls
        self._sessions: dict[str, str] = {}

    async def get_credentials(self, bucket: str) -> str:
        """The bucket's session."""
        if bucket not in self._sessions:
            self.made[bucket] += 1
            self._sessions[bucket] = f"{bucket} {self.made[bucket]}"
        return self._sessions[bucket]


class Credentials:
    """As an account's for event loops."""

    def __init__(self) -> None:
        self.current: object = object()

    async def awaited_issue(self) -> object:
        """What stands for the current ones."""
        return self.current


class Events:
    """Keeps the last handler of an event."""

    def __init__(self) -> None:
        self.handlers: dict[str, Any] = {}

    def register(self, event_name: str, handler: Any) -> None:
        """Keeps it."""
        self.handlers[event_name] = handler

    register_first = register_last = register


def test_a_session_of_s3_express_ends_with_what_it_was_made_with() -> None:
    """Until then it is made once for each bucket; and one that the service rejects is made again."""
    Cache.made.clear()
    events, cache, credentials = Events(), Cache(None, None), Credentials()
    register_in_loop(events)

    async def session(bucket: str = "b") -> tuple[str, Any]:
        context: dict[str, Any] = {"signing": {"identity_cache": cache}}
        request, signer = SimpleNamespace(context=context), SimpleNamespace(_credentials=credentials)
        events.handlers["before-sign.s3"](request=request, request_signer=signer)
        bound: Any = bound_sessions(context)
        return await bound.get_credentials(bucket), bound

    async def main() -> None:
        assert [(await session())[0] for _ in range(3)] == ["b 1"] * 3
        assert (await session("other"))[0] == "other 1"
        credentials.current = object()
        name, bound = await session()
        assert name == "b 2"
        assert bound.rejected()
        assert (await session())[0] == "b 3"

    asyncio.run(main())


def test_a_request_that_needs_no_such_session_has_none() -> None:
    """Nor has one whose credentials are not ours."""
    events = Events()
    register_in_loop(events)
    for context, credentials in (({}, Credentials()), ({"signing": {"identity_cache": Cache(None, None)}}, None)):
        before = str(context)
        signer = SimpleNamespace(_credentials=credentials)
        events.handlers["before-sign.s3"](request=SimpleNamespace(context=context), request_signer=signer)
        assert str(context) == before
