"""One client of the endpoint: reads its request, waits for the answer, sends it, and lets the client hang up."""

from __future__ import annotations

import enum
import socket
from collections.abc import Callable, Hashable

from xsession._base import frozen

from ._answer import refusal_answer
from ._request import END_OF_HEAD, MAX_HEAD_BYTES, TOO_LARGE

Respond = Callable[[bytes], "bytes | Later"]


@frozen
class Later:
    """The answer is not known yet.

    Args:
        key: What it is about; of several with the same one, the first one's function is called for all.
        read: Makes the answer, and may take its time; raises nothing.
    """

    key: Hashable
    read: Callable[[], bytes]


class ConnectionState(enum.Enum):
    """What a connection is at; the value is the seconds that it may take."""

    READING = 5.0
    WAITING = 60.0
    WRITING = 5.1
    # Closed at once, the kernel would throw away an answer whose client is still sending.
    DRAINING = 1.0


class Connection:
    """One connection, driven by the listener; never waits.

    Args:
        client: The socket.
        respond: Called with the head of the request.
        now: A monotonic clock, in seconds.
    """

    def __init__(self, client: socket.socket, respond: Respond, now: Callable[[], float]) -> None:
        client.setblocking(False)
        self.socket = client
        self._respond = respond
        self._now = now
        self._received = b""
        self._unsent = b""
        self._awaited: Hashable = None
        self._enter(ConnectionState.READING)

    @property
    def writes(self) -> bool:
        """Whether it wants to know when it may write, instead of when there is something to read."""
        return self.state is ConnectionState.WRITING

    def awaits(self, key: Hashable) -> bool:
        """Whether it waits for the answer of that key."""
        return self.state is ConnectionState.WAITING and self._awaited == key

    def proceed(self) -> bool:
        """Does what can be done now; returns whether the connection goes on."""
        try:
            if self.state is ConnectionState.WRITING:
                self._send()
                return True
            part = self.socket.recv(MAX_HEAD_BYTES)
        except (BlockingIOError, InterruptedError):
            return True
        except OSError:
            return False
        if not part:
            return False
        if self.state is ConnectionState.READING:
            self._received += part
            self._read()
        return True

    def answer(self, response: bytes) -> None:
        """Sends the answer; what does not fit yet, later."""
        self._received, self._awaited = b"", None
        self._unsent = response
        self._enter(ConnectionState.WRITING)
        try:
            self._send()
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.deadline = self._now()

    def _read(self) -> None:
        head, end, _ = self._received.partition(END_OF_HEAD)
        if len(head) > MAX_HEAD_BYTES:
            self.answer(refusal_answer(TOO_LARGE))
        elif end:
            response = self._respond(head)
            if isinstance(response, Later):
                self._received, self._awaited = b"", response.key
                self._enter(ConnectionState.WAITING)
            else:
                self.answer(response)

    def _send(self) -> None:
        self._unsent = self._unsent[self.socket.send(self._unsent) :]
        if not self._unsent:
            self._enter(ConnectionState.DRAINING)
            self.socket.shutdown(socket.SHUT_WR)

    def _enter(self, state: ConnectionState) -> None:
        self.state = state
        self.deadline = self._now() + state.value
