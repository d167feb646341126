"""One call of a function: the account is reached, the function called, and whatever comes of it an outcome."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

from xsession._base import text_of
from xsession.errors import CallTimeoutError, RunError

from ._category import SKIPPED, category
from ._event_loop import EventLoop
from ._outcomes import Outcome, Phase
from ._plan import Task, Unit

T = TypeVar("T")
Reached = TypeVar("Reached")


class Calls(Generic[Reached, T]):
    """Makes the calls of a run; each may be made in a thread of its own.

    Args:
        func: Called with what reaching an account brought.
        reach: Reaches the account of a unit: gets its credentials.
        regions_of: The regions that an account has enabled.
    """

    def __init__(
        self,
        func: Callable[[Reached], Any],
        reach: Callable[[Unit], Reached],
        regions_of: Callable[[Reached], tuple[str, ...]] | None = None,
    ) -> None:
        self._func = func
        self._reach = reach
        self._regions_of = regions_of
        self._loop = EventLoop()

    def __call__(self, task: Task) -> Outcome[Any]:
        """Makes one call; raises nothing."""
        began, unit = time.monotonic(), task.unit
        phase: Phase = "reach"
        try:
            reached = self._reach(unit)
            if task.selects and self._regions_of is not None:
                phase = "select"
                value = self._regions_of(reached)
            else:
                phase = "call"
                value = self._loop.settled(self._func(reached))
        # Each error without this frame, and out of its variables: nobody waits for the garbage collector.
        except Exception as error:  # noqa: BLE001 # one call's failure must not end the others'
            with suppress(BaseException):  # its own code
                error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next
            return failed(unit, _sound(error), phase, time.monotonic() - began)
        except BaseException as error:  # noqa: BLE001 # such as sys.exit() in the function
            ended = RunError(f"the function raised {type(error).__name__}: {text_of(error)}", account=unit.account)
            return failed(unit, ended, phase, time.monotonic() - began)
        return Outcome(unit.account, value, None, time.monotonic() - began, region=unit.region)

    def close(self) -> None:
        """Cancels the coroutines that still run."""
        self._loop.close()


def _sound(error: Exception) -> Exception:
    """The error, or another one in its place where `str` fails: whoever reads an outcome must not."""
    try:
        str(error)
    except (Exception, SystemExit):  # noqa: BLE001 # the error's own code
        return RunError(f"the function raised {type(error).__name__}: {text_of(error)}")
    return error


def failed(unit: Unit, error: Exception, phase: Phase, seconds: float = 0.0) -> Outcome[Any]:
    """The outcome of a call that failed.

    Args:
        unit: What was to be done.
        error: Why it was not.
        phase: How far it came.
        seconds: How long it took.
    """
    found = category(error, unit.region)
    return Outcome(unit.account, None, error, seconds, (), unit.region, phase, found, skipped=found in SKIPPED)


def timed_out(unit: Unit, seconds: float, what: str = "the call") -> Outcome[Any]:
    """The outcome of a call that took longer than it may."""
    msg = f"{what} took longer than {seconds:g} s"
    error = CallTimeoutError(msg, account=unit.account, retryable=True, hint="give it more with timeout=")
    return failed(unit, error, "call", seconds)


def too_many_hang(unit: Unit, calls: int) -> Outcome[Any]:
    """The outcome of a call that is not made, since too many others do not end."""
    msg = f"not called: {calls} calls are past their time limit and have not ended"
    return failed(unit, CallTimeoutError(msg, account=unit.account), "select")
