"""The one event loop on which the coroutines of a run go."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError
from contextlib import suppress
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from xsession._base import renew_after_fork
from xsession.errors import RunError


class EventLoop:
    """An event loop in a daemon thread of its own, which is there from the first coroutine on, until it is closed."""

    def __init__(self) -> None:
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Gives a forked child none: it does not have the thread."""
        self._lock = threading.RLock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    def settled(self, value: Any) -> Any:
        """What a function's result comes to: of a generator a list, of a coroutine what it returns."""
        # By its type: what a value says of its class is its own code.
        kind = type(value)
        if issubclass(kind, GeneratorType):
            return list(value)
        if issubclass(kind, AsyncGeneratorType):
            return self._run(_listed(value))
        return self._run(value) if issubclass(kind, CoroutineType) else value

    def close(self) -> None:
        """Cancels all coroutines, and ends the thread."""
        with self._lock:
            self._closed = True
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)

    def _run(self, coroutine: Any) -> Any:
        with self._lock:
            if self._closed:
                coroutine.close()
                msg = "the run has ended"
                raise RunError(msg)
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=self._serve, args=(self._loop,), name="xsession-event-loop", daemon=True
                ).start()
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except CancelledError as error:
            msg = "the coroutine was cancelled"
            raise RunError(msg) from error

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            while not self._closed:
                # What ends a thread, such as sys.exit(), is what came of its own coroutine; asyncio ends the loop too.
                with suppress(SystemExit, KeyboardInterrupt):
                    loop.run_forever()
            left = asyncio.all_tasks(loop)
            for task in left:
                task.cancel()
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


async def _listed(values: Any) -> list[Any]:
    return [value async for value in values]
