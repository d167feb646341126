from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from xsession.events import Event, Hooks, LoggingHook, NeedsAttention, RefreshStarted

AT = datetime(2030, 1, 1, tzinfo=UTC)
ROLE = "arn:aws:iam::222222222222:role/R"
STARTED = RefreshStarted(at=AT, account="vegeta", role_arn=ROLE, hop=1, background=True)
ATTENTION = NeedsAttention(at=AT, account=None, role_arn=ROLE, hop=1, message="login ended", hint=None)


def test_the_logging_hook_writes_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """The event's name and its values; those that are None are left out."""
    with caplog.at_level(logging.DEBUG, "xsession"):
        LoggingHook()(STARTED)
    assert [record.getMessage() for record in caplog.records] == [
        f"RefreshStarted account=vegeta role_arn={ROLE} hop=1 background=True"
    ]


def test_what_needs_a_look_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """With logging set up as usual, only those events show."""
    with caplog.at_level(logging.WARNING, "xsession"):
        LoggingHook()(STARTED)
        LoggingHook()(ATTENTION)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_every_hook_hears_of_an_event_even_after_one_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """A broken hook is logged and changes nothing."""
    heard: list[Event] = []

    def broken(_event: Event) -> None:
        msg = "oops"
        raise ValueError(msg)

    Hooks((broken, heard.append))(STARTED)
    assert heard == [STARTED]
    assert "failed on RefreshStarted" in caplog.text
