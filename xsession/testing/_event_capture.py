"""Keeps events for a test to look at."""

from __future__ import annotations

import threading
from typing import TypeVar

from xsession._base import public, renew_after_fork
from xsession.events import Event

E = TypeVar("E", bound=Event)


@public
class EventCapture:
    """A hook that keeps every event; pass it in `hooks=`."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self.events: list[Event] = []
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Makes the lock again, which a thread of the parent may hold."""
        self._arrived = threading.Condition()

    def __call__(self, event: Event, /) -> None:
        """Takes one event."""
        with self._arrived:
            self.events.append(event)
            self._arrived.notify_all()

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind, in the order in which they came."""
        with self._arrived:
            return [event for event in self.events if isinstance(event, kind)]

    def wait_for(self, kind: type[E], timeout: float = 5.0) -> E:
        """The first event of a kind.

        Raises:
            TimeoutError: None came within `timeout` seconds.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: any(isinstance(event, kind) for event in self.events), timeout):
                msg = f"no {kind.__name__} within {timeout} s"
                raise TimeoutError(msg)
            return next(event for event in self.events if isinstance(event, kind))

    def clear(self) -> None:
        """Forgets all."""
        with self._arrived:
            self.events.clear()
