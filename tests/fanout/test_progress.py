from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.worlds import World
from xsession import ConfigError, Outcome
from xsession.fanout import Progress, as_progress, fan_out
from xsession.fanout._progress import aside

ITEMS = {"four": 4, "zero": 0, "\x1b[2J": 1}


def divide(number: int) -> float:
    """Fails for zero."""
    return 4 / number


class Terminal(io.StringIO):
    """Standard error that a person looks at, or that nobody does."""

    def __init__(self, *, looked_at: bool) -> None:
        super().__init__()
        self._looked_at = looked_at

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._looked_at


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Terminal]:
    """Puts a terminal, a file or a notebook in the place of standard error; some packages may be missing."""

    def put(*missing: str, looked_at: bool = True, notebook: bool = False) -> Terminal:
        terminal = Terminal(looked_at=looked_at)
        monkeypatch.delenv("CI", raising=False)
        monkeypatch.setattr(sys, "stderr", terminal)
        shell = SimpleNamespace(kernel=object()) if notebook else None
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
        for name in missing:
            monkeypatch.setitem(sys.modules, name, None)
        return terminal

    return put


def test_a_progress_is_told_begin_outcomes_and_end() -> None:
    """All in the caller's thread."""
    told: list[object] = []

    class Teller:
        def begin(self, total: int) -> None:
            told.append((total, threading.current_thread()))

        def advance(self, outcome: Outcome[Any]) -> None:
            told.append((outcome.account, threading.current_thread()))

        def end(self) -> None:
            told.append(("end", threading.current_thread()))

    teller: Progress = Teller()
    assert fan_out(divide, {"four": 4}, max_workers=2, progress=teller).ok
    here = threading.current_thread()
    assert told == [(1, here), ("four", here), ("end", here)]


def test_a_progress_is_told_of_an_early_end() -> None:
    """A bar that stays open would write over what follows."""
    told: list[str] = []

    class Teller:
        def begin(self, total: int) -> None:
            told.append(f"{total}")

        def advance(self, _outcome: Outcome[Any]) -> None:
            raise KeyboardInterrupt

        def end(self) -> None:
            told.append("end")

    with pytest.raises(KeyboardInterrupt):
        fan_out(divide, ITEMS, max_workers=1, progress=Teller())
    assert told == ["3", "end"]


def test_a_bar_at_a_terminal_has_the_total_and_the_failures(stderr: Callable[..., Terminal]) -> None:
    """tqdm's."""
    terminal = stderr()
    fan_out(divide, ITEMS, max_workers=1, progress=True)
    assert "3/3" in terminal.getvalue()
    assert "failed=1" in terminal.getvalue()


def test_a_bar_makes_room_for_what_others_write(stderr: Callable[..., Terminal]) -> None:
    """It is cleared before, and there again afterwards; other progress has nothing to clear."""
    terminal = stderr()
    bar = as_progress(True)
    bar.begin(2)
    bar.advance(Outcome("four", 1, None, 0.1))
    with aside(bar):
        before = terminal.getvalue()
        assert before.endswith("\r")
        terminal.write("a line\n")
    assert terminal.getvalue().removeprefix(before).startswith("a line\n\r")
    bar.end()
    with aside(as_progress(None)):
        pass


@pytest.mark.parametrize("place", [{"looked_at": True}, {"looked_at": False, "notebook": True}])
def test_without_tqdm_there_are_lines(stderr: Callable[..., Terminal], place: dict[str, bool]) -> None:
    """In a terminal and in a notebook; names that others chose stay text."""
    terminal = stderr("tqdm", **place)
    fan_out(divide, ITEMS, max_workers=1, progress=True)
    assert terminal.getvalue().splitlines() == [
        "1/3  four: ok",
        "2/3  zero: failed: ZeroDivisionError",
        r"3/3  \x1b[2J: ok",
    ]


def test_a_notebook_without_ipywidgets_has_the_bar_of_a_terminal(stderr: Callable[..., Terminal]) -> None:
    """And no warning."""
    terminal = stderr("ipywidgets", looked_at=False, notebook=True)
    fan_out(divide, ITEMS, max_workers=1, progress=True)
    assert "3/3" in terminal.getvalue()


def test_elsewhere_it_is_silent(stderr: Callable[..., Terminal]) -> None:
    """A log file is no place for bars; nor is there one where none was asked for, or no standard error at all."""
    file = stderr(looked_at=False)
    fan_out(divide, ITEMS, max_workers=1, progress=True)
    assert file.getvalue() == ""
    terminal = stderr()
    for no in (None, False):
        fan_out(divide, ITEMS, max_workers=1, progress=no)
    assert terminal.getvalue() == ""


def test_without_standard_error_it_is_silent(stderr: Callable[..., Terminal], monkeypatch: pytest.MonkeyPatch) -> None:
    """As under pythonw."""
    stderr()
    monkeypatch.setattr(sys, "stderr", None)
    fan_out(divide, ITEMS, max_workers=1, progress=True)


def test_what_can_not_be_told_is_refused_before_the_network(world: World) -> None:
    """No account is reached, and nobody is asked for a code."""
    wrong: Any = "yes"
    for call in (world.session().verify, world.session().warm):
        with pytest.raises(ConfigError, match="progress 'yes' is not valid"):
            call(progress=wrong)
    assert world.aws.calls == []


def test_a_progress_stays_what_it_is() -> None:
    """So it may be checked early and handed on."""
    told = as_progress(None)
    assert as_progress(told) is told


def test_lines_in_the_log_come_every_ten_seconds(
    stderr: Callable[..., Terminal], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal of CI has no bar either."""
    terminal = stderr()
    monkeypatch.setenv("CI", "true")
    told = as_progress(True, log=True)
    now = [0.0]
    told._clock = lambda: now[0]  # type: ignore[attr-defined]  # it is of the class that has one
    told.begin(100)
    with caplog.at_level("INFO", "xsession"):
        for number in range(100):
            now[0] += 0.5
            told.state(100, 7)  # type: ignore[attr-defined]  # likewise
            told.advance(Outcome("a", None, ValueError() if number < 3 else None, 0.1))
        told.end()
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 6
    assert lines[0] == "20 of 100 done, 3 failed, 7 under way, 40 s left"
    assert lines[-1] == "100 of 100 done, 3 failed"
    assert terminal.getvalue() == ""
