"""What a client sends, for as long as one waits for it."""

from __future__ import annotations

import io
import socket
from collections.abc import Callable


class TimedInput(io.RawIOBase):
    """The bytes of a connection; whoever sends them slowly holds up no thread.

    Args:
        connection: The connection.
        seconds: Within which all of it must have come.
        monotonic: A clock in seconds.
    """

    def __init__(self, connection: socket.socket, seconds: float, monotonic: Callable[[], float]) -> None:
        self._connection = connection
        self._monotonic = monotonic
        self._until = monotonic() + seconds
        self.has_ended = False
        """Whether the client will send no more."""

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # any buffer, says typeshed
        """Reads what is there, or waits for more.

        Raises:
            TimeoutError: It took too long.
        """
        left = self._until - self._monotonic()
        if left <= 0:
            msg = "the request did not come in time"
            raise TimeoutError(msg)
        self._connection.settimeout(left)
        count = self._connection.recv_into(buffer)
        self.has_ended = not count
        return count
