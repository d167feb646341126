"""Forked children that do the same at the same time, each a process of its own."""

from __future__ import annotations

import json
import os
import select
import signal
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

_LONGEST_SECONDS = 120


class Children:
    """Children of this process, which begin together and answer with what JSON has.

    Args:
        count: How many.
        work: Called in each, with its number.
    """

    def __init__(self, count: int, work: Callable[[int], Any]) -> None:
        self._start, self._go = os.pipe()
        self.pids: list[int] = []
        self._answers: list[int] = []
        for number in range(count):
            answer, tell = os.pipe()
            pid = os.fork()
            if pid == 0:
                os.close(self._go)
                signal.alarm(_LONGEST_SECONDS)
                _answer_with(work, number, self._start, tell)
            os.close(tell)
            self.pids.append(pid)
            self._answers.append(answer)
        os.close(self._start)

    def begin(self) -> None:
        """Lets all begin."""
        os.close(self._go)

    def answers(self) -> list[Any]:
        """What each answered: a value, or `{"error": ...}`; None: it was killed."""
        found = []
        for pid, answer in zip(self.pids, self._answers, strict=True):
            with open(answer, "rb") as file:  # noqa: PTH123 # a pipe
                said = file.read()
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
            found.append(json.loads(said) if said else None)
        return found

    def kill(self, number: int) -> None:
        """Kills one by SIGKILL."""
        os.kill(self.pids[number], signal.SIGKILL)

    def has_answered(self, number: int, seconds: float = 0.0) -> bool:
        """Whether one has answered, or does within some seconds."""
        return bool(select.select([self._answers[number]], [], [], seconds)[0])


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What the children answered that began together."""
    children = Children(count, work)
    children.begin()
    return children.answers()


def _answer_with(work: Callable[[int], Any], number: int, start: int, tell: int) -> None:
    try:
        os.read(start, 1)
        answer = work(number)
    except BaseException as error:  # noqa: BLE001 # the parent is told
        answer = {"error": str(error), "type": type(error).__name__, "trace": traceback.format_exc()}
    try:
        os.write(tell, json.dumps(answer).encode())
    finally:
        os._exit(0)
