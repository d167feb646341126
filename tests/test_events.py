from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime

import pytest

from xsession.events import Event, GrantFailed, Hooks, LoggingHook, NeedsAttention, RefreshStarted, Revoked

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


def test_who_lost_access_is_info(caplog: pytest.LogCaptureFixture) -> None:
    """So that a program which logs at INFO has it in its log."""
    event = Revoked(
        at=AT,
        account="vegeta",
        role_arn=ROLE,
        hop=1,
        revocation_id="1a",
        using="warden",
        grant_id=None,
        source_identity=None,
        before=None,
        enforced=True,
    )
    with caplog.at_level(logging.DEBUG, "xsession"):
        LoggingHook()(event)
    assert [record.levelname for record in caplog.records] == ["INFO"]


def test_a_grant_that_failed_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    """With the grant's id; that it was asked for is a detail."""
    failed = GrantFailed(
        at=AT, account="vegeta", role_arn=ROLE, hop=1, grant_id="1a", access_key_id=None, code=None, message="no"
    )
    with caplog.at_level(logging.INFO, "xsession"):
        LoggingHook()(failed)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "grant_id=1a" in caplog.text


def test_a_value_can_not_forge_a_line(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever others wrote stays within its own."""
    event = NeedsAttention(at=AT, account=None, role_arn=ROLE, hop=1, message="x\nGranted to=frieza", hint=None)
    LoggingHook()(event)
    assert "message=x\\nGranted to=frieza" in caplog.text


class Log:
    """A hook that can refuse.

    Args:
        heard: Where it writes.
        full: Whether it refuses.
    """

    def __init__(self, heard: list[Event], *, full: bool = False) -> None:
        self.heard, self.full = heard, full

    def __call__(self, _event: Event, /) -> None:
        """Is not called for what is to be written down."""
        raise AssertionError

    def write(self, event: Event) -> None:
        """Writes, or refuses."""
        if self.full:
            msg = "no space left"
            raise OSError(msg)
        self.heard.append(event)


def test_what_must_be_written_down_is_written_before_others_hear_of_it() -> None:
    """Each hook takes it once."""
    written: list[Event] = []
    order: list[int] = []
    Hooks((lambda _event: order.append(len(written)), Log(written))).record(STARTED)
    assert (written, order) == ([STARTED], [1])


def test_nobody_hears_of_what_could_not_be_written_down() -> None:
    """The error reaches who wanted it."""
    heard: list[Event] = []
    with pytest.raises(OSError, match="no space left"):
        Hooks((heard.append, Log([], full=True))).record(STARTED)
    assert heard == []


def test_what_has_happened_is_written_down_by_whoever_can(caplog: pytest.LogCaptureFixture) -> None:
    """One that can't is logged, and keeps nobody else from it."""
    written: list[Event] = []
    heard: list[Event] = []
    Hooks((Log([], full=True), Log(written), heard.append)).record_by_all(STARTED)
    assert written == heard == [STARTED]
    assert "failed on RefreshStarted" in caplog.text


def test_every_hook_hears_of_an_event_even_after_one_that_raises(caplog: pytest.LogCaptureFixture) -> None:
    """A broken hook is logged and changes nothing."""
    heard: list[Event] = []

    def broken(_event: Event) -> None:
        msg = "oops"
        raise ValueError(msg)

    Hooks((broken, heard.append))(STARTED)
    assert heard == [STARTED]
    assert "failed on RefreshStarted" in caplog.text


@pytest.mark.parametrize("kind", [asyncio.CancelledError, GeneratorExit, KeyboardInterrupt, SystemExit, ValueError])
def test_a_hook_changes_nothing_else_whatever_it_raises(
    kind: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """In a worker's thread: the other hooks hear of the event, and who sent it goes on."""
    heard: list[Event] = []

    def hook(_event: Event) -> None:
        raise kind

    def send() -> None:
        Hooks([hook, heard.append])(STARTED)
        heard.append(STARTED)

    thread = threading.Thread(target=send)
    thread.start()
    thread.join()
    assert heard == [STARTED, STARTED]
    assert "failed on RefreshStarted" in caplog.text


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_what_ends_the_program_goes_on_in_the_main_thread(kind: type[BaseException]) -> None:
    """Ctrl-C, or the handler of SIGTERM, may have come while a hook ran."""

    def hook(_event: Event) -> None:
        raise kind

    with pytest.raises(kind):
        Hooks([hook])(STARTED)


def test_a_cancelled_hook_is_no_cancelled_caller() -> None:
    """In the main thread too: a hook awaits nothing, so it is its own."""

    def hook(_event: Event) -> None:
        raise asyncio.CancelledError

    Hooks([hook])(STARTED)
