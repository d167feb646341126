from __future__ import annotations

import os
import threading
from datetime import UTC, datetime

import pytest

from tests.support.forks import exit_code_of_child
from xsession.events import NeedsAttention, RefreshStarted
from xsession.testing import EventCapture

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STARTED = RefreshStarted(at=NOW, account="vegeta", role_arn=None, hop=1, background=True)
ATTENTION = NeedsAttention(at=NOW, account=None, role_arn=None, hop=None, message="look", hint=None)


def test_events_are_kept_by_kind() -> None:
    """In the order in which they came."""
    capture = EventCapture()
    for event in (STARTED, ATTENTION, STARTED):
        capture(event)
    assert capture.of(RefreshStarted) == [STARTED, STARTED]
    assert capture.wait_for(NeedsAttention) is ATTENTION
    capture.clear()
    assert capture.events == []


def test_an_event_can_be_waited_for() -> None:
    """It comes from another thread."""
    capture = EventCapture()
    thread = threading.Thread(target=capture, args=[STARTED])
    thread.start()
    assert capture.wait_for(RefreshStarted) is STARTED
    thread.join()


def test_what_does_not_come_is_an_error() -> None:
    """That names it."""
    with pytest.raises(TimeoutError, match="RefreshStarted"):
        EventCapture().wait_for(RefreshStarted, timeout=0.01)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # a thread is the point
def test_a_forked_child_can_use_it() -> None:
    """Whatever a thread of the parent was doing with it."""
    capture = EventCapture()
    assert exit_code_of_child(lambda: capture(STARTED), capture._arrived) == 0
