"""Signals that end a run and what it has started, and this process after that."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Self

from ._child_process import end_as

_ENDS = {"SIGINT": signal.default_int_handler, "SIGTERM": signal.SIG_DFL, "SIGHUP": signal.SIG_DFL}
_PATIENCE = 2.0


class EndedError(BaseException):
    """A signal is to end this process; no `Exception`, which a call's failure would be."""

    def __init__(self, number: int) -> None:
        self.number = number


class EndingSignals:
    """Has a signal end a run as its own end would: nothing of it goes on without credentials.

    Nothing is raised while there is something to clean up: Python ignores what is raised in a destructor or in the
    callback of a weak reference, and what is raised in a clean-up cuts that off. Where the end takes too long, as it
    does while the reader of our output hangs, the signal comes once more, and ends this process where it stands.

    Attributes:
        end: Ends what is under way, at any point of this thread; None: there is nothing yet, and the signal raises.
        kill: Ends what must not outlive this process.
    """

    def __init__(self) -> None:
        self.end: Callable[[], object] | None = None
        self.kill: Callable[[], object] = lambda: None
        self._number: int | None = None
        self._before: dict[int, object] = {}
        # Its put may be called by a signal's handler, at any point.
        self._came: SimpleQueue[int | None] = SimpleQueue()

    def __enter__(self) -> Self:
        threading.Thread(target=self._insist, name="xsession-signals", daemon=True).start()
        for name, default in _ENDS.items():
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) == default:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type] # as it was
        self._came.put(None)

    def check(self) -> None:
        """Ends the command if a signal came.

        Raises:
            KeyboardInterrupt: It was Ctrl-C's.
            EndedError: It was another one.
        """
        if self._number == signal.SIGINT:
            raise KeyboardInterrupt
        if self._number is not None:
            raise EndedError(self._number)

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if self._number is not None:
            self.kill()
            end_as(-self._number)
            return
        self._number = number
        self._came.put(number)
        if self.end is None:
            self.check()
        else:
            self.end()

    def _insist(self) -> None:
        number = self._came.get()
        if number is not None:
            try:
                self._came.get(timeout=_PATIENCE)
            except Empty:
                os.kill(os.getpid(), number)
