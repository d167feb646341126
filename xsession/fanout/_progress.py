"""Who is told while many accounts are worked in: a function, a bar, or lines of text."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, TypeAlias, TypeVar, runtime_checkable

from xsession._base import notebook_kernel, public
from xsession.errors import ConfigError
from xsession.escape import for_terminal

from ._outcomes import Outcome

T = TypeVar("T")

LOG_SECONDS = 10.0
"""How long it is at least from one line in the log to the next."""

logger = logging.getLogger("xsession")


@public
@runtime_checkable
class Progress(Protocol):
    """Told how it goes, all in the caller's thread. What it raises ends the rest."""

    def begin(self, total: int) -> None:
        """So many outcomes will come."""

    def advance(self, outcome: Outcome[Any]) -> None:
        """One more is known."""

    def end(self) -> None:
        """No more will come, whether all came or not."""


ProgressLike: TypeAlias = Progress | Callable[[Outcome[T]], object] | bool | None
"""What is told: a `Progress`, a function that takes each outcome, True for a bar where a person looks, or nothing."""


def as_progress(progress: ProgressLike[Any], *, log: bool = False) -> Progress:
    """The progress that an argument stands for.

    Args:
        progress: True: tqdm's bar in a notebook, or where standard error is a terminal; without tqdm, lines of text;
            elsewhere nothing, or lines in the log.
        log: Whether there are lines in the log where nobody looks.

    Raises:
        ConfigError: It is none of these.
    """
    if progress is None or progress is False:
        return _Function(lambda _outcome: None)
    if progress is True:
        return _shown(log=log)
    if isinstance(progress, Progress):
        return progress
    if callable(progress):
        return _Function(progress)
    raise ConfigError.invalid(progress, "progress", "True, a function that takes an outcome, or a Progress")


def aside(progress: Progress) -> AbstractContextManager[object]:
    """Has what shows progress make room while others write to the terminal."""
    make_room = getattr(progress, "aside", nullcontext)
    room: AbstractContextManager[object] = make_room()
    return room


class _Function:
    def __init__(self, function: Callable[[Outcome[Any]], object]) -> None:
        self._function = function

    def begin(self, total: int) -> None:
        pass

    def advance(self, outcome: Outcome[Any]) -> None:
        self._function(outcome)

    def end(self) -> None:
        pass


class _Bar:
    """tqdm's bar, with how many have failed so far.

    Args:
        tqdm: tqdm's class.
    """

    def __init__(self, tqdm: Any) -> None:
        self._tqdm = tqdm
        self._failed = self._under_way = 0

    def begin(self, total: int) -> None:
        self._bar = self._tqdm(total=total, unit="account")

    def state(self, total: int, under_way: int) -> None:
        self._bar.total = total
        self._under_way = under_way

    def advance(self, outcome: Outcome[Any]) -> None:
        self._failed += outcome.status == "failed"
        self._bar.set_postfix(failed=self._failed, under_way=self._under_way, refresh=False)
        self._bar.update()

    def end(self) -> None:
        self._bar.close()

    def aside(self) -> AbstractContextManager[object]:
        """Clears the bar while others write to the terminal."""
        return self._tqdm.external_write_mode()  # type: ignore[no-any-return]  # it is a class that was imported


class _Lines:
    """A line of text on standard error for each outcome."""

    def begin(self, total: int) -> None:
        self._total, self._done = total, 0

    def state(self, total: int, _under_way: int) -> None:
        self._total = total

    def advance(self, outcome: Outcome[Any]) -> None:
        self._done += 1
        where = outcome.account if outcome.region is None else f"{outcome.account} {outcome.region}"
        line = f"{self._done}/{self._total}  {where}: {outcome.in_words}"
        print(for_terminal(line), file=sys.stderr)  # noqa: T201 # what it is for

    def end(self) -> None:
        pass


class _LogLines:
    """A line in the log now and then: done, failed, under way, and how long it will take.

    Args:
        clock: Seconds of a clock that goes on evenly.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._done = self._failed = self._total = self._under_way = 0

    def begin(self, total: int) -> None:
        self._total = total
        self._began = self._last = self._clock()

    def state(self, total: int, under_way: int) -> None:
        self._total, self._under_way = total, under_way

    def advance(self, outcome: Outcome[Any]) -> None:
        self._done += 1
        self._failed += outcome.status == "failed"
        if self._clock() - self._last >= LOG_SECONDS:
            self._last = self._clock()
            left = (self._last - self._began) / self._done * (self._total - self._done)
            self._log(f", {self._under_way} under way, {left:.0f} s left")

    def end(self) -> None:
        self._log("")

    def _log(self, more: str) -> None:
        logger.info("%d of %d done, %d failed%s", self._done, self._total, self._failed, more)


def _shown(*, log: bool) -> Progress:
    in_notebook = notebook_kernel() is not None
    # Bars in a CI's log would be lines without an end.
    if not in_notebook and (os.environ.get("CI") == "true" or not (sys.stderr and sys.stderr.isatty())):
        return _LogLines() if log else as_progress(None)
    if find_spec("tqdm") is None:
        return _Lines()
    name = "tqdm.notebook" if in_notebook and find_spec("ipywidgets") is not None else "tqdm"
    return _Bar(import_module(name).tqdm)
