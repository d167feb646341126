"""How a command that works in many accounts shows what it knows so far."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from xsession.escape import for_terminal

from ._output import console, is_terminal, say

if TYPE_CHECKING:
    from rich.progress import Progress

    from xsession import Outcome


class OutcomeLines:
    """A line for each outcome as soon as it is known; and where a person looks, a bar until all are.

    Args:
        lines: Whether there are lines; without, such as for JSON, there is the bar alone.
    """

    def __init__(self, *, lines: bool) -> None:
        self._lines = lines
        self._bar: Progress | None = None
        self._with_lines = False

    def begin(self, total: int) -> None:
        """Shows the bar: below the lines where these go to a terminal, else on standard error."""
        self._with_lines = self._lines and is_terminal(sys.stdout)
        if total > 1 and (self._with_lines or is_terminal(sys.stderr)):
            from rich.progress import Progress  # noqa: PLC0415 # nobody else pays for it

            self._bar = Progress(
                console=console(stderr=not self._with_lines),
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._bar.add_task("accounts", total=total)
            self._bar.start()

    def advance(self, outcome: Outcome[Any]) -> None:
        """Shows one more outcome, and below it what a person should know besides."""
        if self._lines:
            self._say(f"{outcome.account}: {outcome.in_words}")
            for note in outcome.notes:
                self._say(f"  {note}")
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])

    def end(self) -> None:
        """Takes the bar away."""
        if self._bar is not None:
            self._bar.stop()

    def _say(self, line: str) -> None:
        if self._bar is not None and self._with_lines:
            self._bar.console.print(for_terminal(line), soft_wrap=True)
        else:
            say(line)
