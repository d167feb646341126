"""Waiting in an event loop: for a latch, for a refresh, for what a thread does. Nothing here blocks the loop.

Whoever waits is woken by `call_soon_threadsafe`, from the thread that has the answer. No executor of the loop is used:
it may be busy, and the loop's end would wait for it. A waiter that is cancelled only detaches.
"""

from __future__ import annotations

import asyncio
import contextvars
import math
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from xsession._base import Latch, without_text
from xsession.errors import CredentialsError, SessionClosedError, XSessionError

from ._cell import Cell
from ._flight import Flight
from ._reader import Reader
from ._snapshot import Snapshot
from ._workers import Workers

T = TypeVar("T")

_READERS_A_TURN = 3


class _Wakeup:
    """Wakes one coroutine, from any thread.

    Args:
        loop: The coroutine's.
    """

    __slots__ = ("_future", "_loop")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._future: asyncio.Future[None] = loop.create_future()

    def release(self) -> None:
        """Wakes it; a closed loop has nobody to wake."""
        try:
            self._loop.call_soon_threadsafe(self.now)
        except RuntimeError:
            return

    def now(self) -> None:
        """Wakes it, in the loop's own thread."""
        if not self._future.done():
            self._future.set_result(None)

    async def wait(self) -> None:
        """Waits until it is woken."""
        await self._future


async def until_set(*latches: Latch, seconds: float = math.inf) -> None:
    """Waits until one of the latches is set, or so many seconds have passed."""
    if any(latch.is_set() for latch in latches):
        return
    loop = asyncio.get_running_loop()
    wake = _Wakeup(loop)
    timer = None if math.isinf(seconds) else loop.call_later(max(seconds, 0.0), wake.now)
    try:
        for latch in latches:
            latch.wake(wake)
        await wake.wait()
    finally:
        if timer is not None:
            timer.cancel()
        for latch in latches:
            latch.leave(wake)


class _Turns:
    """Lets so many readers of one loop begin in each of its turns: each takes a moment, and many come at once."""

    __slots__ = ("__weakref__", "_room", "_waiting")

    def __init__(self) -> None:
        self._room = _READERS_A_TURN
        self._waiting: deque[_Wakeup] = deque()

    async def take(self, loop: asyncio.AbstractEventLoop) -> None:
        """Waits until there is room in a turn."""
        if self._room == _READERS_A_TURN:
            loop.call_soon(self._end, loop)
        if self._room:
            self._room -= 1
            return
        place = _Wakeup(loop)
        self._waiting.append(place)
        await place.wait()

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        self._room = _READERS_A_TURN
        while self._room and self._waiting:
            self._waiting.popleft().now()
            self._room -= 1
        if self._room < _READERS_A_TURN:
            loop.call_soon(self._end, loop)


# Weak on both sides: who waits holds the loop, and a loop that is closed in the middle must not stay for ever.
_turns: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, weakref.ref[_Turns]] = weakref.WeakKeyDictionary()


async def _turn() -> None:
    """Waits for this reader's turn in the running loop."""
    loop = asyncio.get_running_loop()
    found = _turns.get(loop)
    turns = None if found is None else found()
    if turns is None:
        turns = _Turns()
        _turns[loop] = weakref.ref(turns)
    await turns.take(loop)


async def read_in_loop(cell: Cell[T], workers: Workers) -> Snapshot[T]:
    """The current credentials; refreshed first where they must be, while the loop goes on.

    Args:
        cell: What is read.
        workers: Start the refresh.

    Raises:
        CredentialsError: None could be obtained within the policy's patience; the cause is in it.
    """

    def launch(flight: Flight) -> None:
        # As soon as it is on its way: others who come meanwhile need not hand it over again.
        flight.launched = True
        workers.hand_over(lambda: cell.launch(flight))

    await _turn()
    steps = Reader(cell, launch=launch).steps()
    try:
        while True:
            latch, seconds = next(steps)
            await until_set(latch, seconds=seconds)
    except StopIteration as end:
        snapshot: Snapshot[T] = end.value
        return snapshot


class _ThreadCall(Generic[T]):
    """One call in a thread of its own.

    Args:
        work: What is called.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._context = contextvars.copy_context()
        self._work = work
        self._process = os.getpid()
        self.done = Latch()
        self.result: T | None = None
        self.error: XSessionError | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether its thread is at it: no thread of a parent process is."""
        return not self.done.is_set() and self._process == os.getpid()

    def start(self) -> None:
        """Starts the thread."""
        try:
            threading.Thread(target=self._run, name="xsession-call", daemon=True).start()
        except RuntimeError:  # no more threads
            self._run()

    def _run(self) -> None:
        try:
            self.result = self._context.run(self._work)
        except XSessionError as error:
            self.error = error.for_caller()
        except BaseException as error:  # noqa: BLE001 # whatever it is, those who wait must hear of it
            self.error = CredentialsError(f"reading credentials failed: {without_text(error)}")
        finally:
            self.done.set()


class ThreadCalls(Generic[T]):
    """Calls a function that may block, in a thread of its own; all who come meanwhile share the answer.

    Args:
        work: The function.
        workers: Start the thread.
        ended: Set when the session is closed: then nobody waits any longer.
    """

    def __init__(self, work: Callable[[], T], workers: Workers, ended: Latch) -> None:
        self._work = work
        self._workers = workers
        self._ended = ended
        self._call: _ThreadCall[T] | None = None

    async def answer(self) -> T:
        """What the function returns.

        Raises:
            XSessionError: The function did, or the session was closed meanwhile.
        """
        call = self._call
        if call is None or not call.is_under_way:
            call = self._call = _ThreadCall(self._work)
            self._workers.hand_over(call.start)
        await until_set(call.done, self._ended)
        if self._call is call and call.done.is_set():
            # The answer may be a secret.
            self._call = None
        if not call.done.is_set():
            raise SessionClosedError.closed()
        if call.error is not None:
            raise call.error.for_caller()
        return cast("T", call.result)
