from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from xsession.cli._ending_signals import EndedError, EndingSignals

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are different there")


@pytest.mark.parametrize(("number", "error"), [(signal.SIGTERM, EndedError), (signal.SIGINT, KeyboardInterrupt)])
def test_a_signal_is_an_error_while_there_is_nothing_to_end(number: signal.Signals, error: type[BaseException]) -> None:
    """As at the question for an MFA code, which is to be left at once; and its handler is the former one after that."""
    before = signal.getsignal(number)
    with pytest.raises(error), EndingSignals():
        os.kill(os.getpid(), number)
    assert signal.getsignal(number) == before


@pytest.mark.parametrize(("number", "error"), [(signal.SIGHUP, EndedError), (signal.SIGINT, KeyboardInterrupt)])
def test_what_is_under_way_is_ended_first(number: signal.Signals, error: type[BaseException]) -> None:
    """The signal is an error where it may be one."""
    ended: list[int] = []
    with EndingSignals() as signals:
        signals.end = lambda: ended.append(1)
        signals.check()
        os.kill(os.getpid(), number)
        assert ended == [1]
        with pytest.raises(error):
            signals.check()


def test_what_a_parent_ignores_stays_ignored() -> None:
    """As nohup has it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with EndingSignals() as signals:
            os.kill(os.getpid(), signal.SIGHUP)
            signals.check()
    finally:
        signal.signal(signal.SIGHUP, before)


def test_the_signal_comes_again_where_the_end_takes_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then what must not go on is ended, and the process."""
    steps: list[object] = []
    monkeypatch.setattr("xsession.cli._ending_signals._PATIENCE", 0.0)
    monkeypatch.setattr("xsession.cli._ending_signals.end_as", steps.append)
    with EndingSignals() as signals:
        signals.end = lambda: steps.append("end")
        signals.kill = lambda: steps.append("kill")
        os.kill(os.getpid(), signal.SIGTERM)
        while len(steps) < 3:
            time.sleep(0.001)
    assert steps == ["end", "kill", -signal.SIGTERM]
