"""Listens on one address, in one thread for all clients: slow ones hold up nobody, and too many push out the oldest."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable
from functools import partial

from ._answer import refusal_answer
from ._cold_reads import ColdReads
from ._connection import Connection, ConnectionState, Later, Respond
from ._request import Refusal

HOST = "127.0.0.1"
MAX_CONNECTIONS = 256
_BACKLOG = 128
_ACCEPTED_AT_ONCE = 32
_END_SECONDS = 5.0
_NO_THREAD = refusal_answer(Refusal(503, "ServiceUnavailable", "the process can have no more threads"))
_FAILED = refusal_answer(Refusal(500, "InternalError", "the request could not be answered"))


class Listener:
    """Listens on a port until it is ended.

    Args:
        respond: Makes the answer of the head of a request, in the listener's thread; it must not wait for anything.
        now: A monotonic clock, in seconds.
        host: The IP address.
        port: The port; 0: a free one.

    Raises:
        OSError: The port is taken, the address is not of this machine, or no port or file descriptor is left.
    """

    def __init__(
        self, respond: Respond, now: Callable[[], float] = time.monotonic, *, host: str = HOST, port: int = 0
    ) -> None:
        self._respond = respond
        self._now = now
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._server = socket.create_server((host, port), family=family, backlog=_BACKLOG)
        self._server.setblocking(False)
        self.port: int = self._server.getsockname()[1]
        self._woken, self._waker = socket.socketpair()
        self._woken.setblocking(False)
        self._waker.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._server, selectors.EVENT_READ)
        self._selector.register(self._woken, selectors.EVENT_READ)
        # In the order in which they came.
        self._connections: dict[socket.socket, Connection] = {}
        self._reads = ColdReads[bytes](self._settle)
        self._settled: deque[tuple[Hashable, bytes]] = deque()
        self._ends = False
        self._thread = threading.Thread(target=self._run, name="xsession-serve", daemon=True)

    def start(self) -> None:
        """Starts its thread.

        Raises:
            RuntimeError: There can be no more threads.
        """
        try:
            self._thread.start()
        except RuntimeError:
            self.leave()
            raise

    def end(self) -> None:
        """Has the thread close everything and end; answers that are not sent yet are not sent any more."""
        self._ends = True
        self._reads.forget()
        self._wake()

    def wait(self) -> None:
        """Waits until it has ended."""
        self._thread.join(_END_SECONDS)

    def leave(self) -> None:
        """Closes what a forked child has a copy of, and leaves the connections themselves to the parent."""
        self._ends = True
        # Not unregistered: the parent's selector would lose them too.
        self._selector.close()
        for item in (self._server, self._woken, self._waker, *list(self._connections)):
            item.close()
        self._connections = {}

    def _settle(self, key: Hashable, response: bytes) -> None:
        # In the thread that read it.
        self._settled.append((key, response))
        self._wake()

    def _wake(self) -> None:
        try:
            self._waker.send(b"\0")
        except OSError:
            # Full: it is woken already. Closed: there is nobody to wake.
            return

    def _run(self) -> None:
        try:
            while not self._ends:
                self._turn()
        finally:
            self.leave()

    def _turn(self) -> None:
        deadline = min((item.deadline for item in self._connections.values()), default=None)
        timeout = None if deadline is None else max(0.0, deadline - self._now())
        for key, _ in self._selector.select(timeout):
            if key.fileobj is self._server:
                self._accept()
            elif key.fileobj is self._woken:
                self._hear()
            elif (connection := self._connections.get(key.data)) is not None:
                self._drive(connection, connection.proceed)
        now = self._now()
        for connection in [item for item in self._connections.values() if item.deadline <= now]:
            self._drop(connection)

    def _accept(self) -> None:
        for _ in range(_ACCEPTED_AT_ONCE):
            try:
                client, _address = self._server.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                # Most likely too many files are open: one fewer, or a moment for others to close theirs.
                if not self._drop_oldest():
                    time.sleep(0.01)
                return
            if len(self._connections) >= MAX_CONNECTIONS:
                self._drop_oldest()
            connection = self._connections[client] = Connection(client, self._safely, self._now)
            self._selector.register(client, selectors.EVENT_READ, client)
            # Most clients have sent all by now.
            self._drive(connection, connection.proceed)

    def _hear(self) -> None:
        self._woken.recv(4_096)
        while self._settled:
            key, response = self._settled.popleft()
            for connection in [item for item in self._connections.values() if item.awaits(key)]:
                self._drive(connection, partial(connection.answer, response))

    def _drive(self, connection: Connection, step: Callable[[], bool | None]) -> None:
        wrote = connection.writes
        if step() is False:
            self._drop(connection)
        elif connection.writes is not wrote:
            events = selectors.EVENT_WRITE if connection.writes else selectors.EVENT_READ
            self._selector.modify(connection.socket, events, connection.socket)

    def _drop_oldest(self) -> bool:
        """Closes the connection that came first, of those that wait for nothing of ours; returns whether it did."""
        idle = (item for item in self._connections.values() if item.state is not ConnectionState.WAITING)
        oldest = next(idle, None) or next(iter(self._connections.values()), None)
        if oldest is not None:
            self._drop(oldest)
        return oldest is not None

    def _drop(self, connection: Connection) -> None:
        del self._connections[connection.socket]
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def _safely(self, head: bytes) -> bytes | Later:
        try:
            response = self._respond(head)
            begun = not isinstance(response, Later) or self._reads.begin(response.key, response.read)
        except Exception:  # noqa: BLE001 # one request must not end the thread; what is wrong may hold a secret
            return _FAILED
        return response if begun else _NO_THREAD
