"""What happened, as values, and the hooks that hear of it.

A hook is any callable that takes one event. Hooks are called one after the other in the thread in which the event
happened, never under a lock; one that raises is logged and changes nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Protocol

logger = logging.getLogger("xsession")
logger.addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to the credentials of one hop.

    Args:
        at: When, by the local wall clock.
        account: The account; None for a hop that several accounts may share.
        role_arn: The role of the hop.
        hop: Its place in the chain, counted from 1.
    """

    at: datetime
    account: str | None
    role_arn: str | None
    hop: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshStarted(Event):
    """STS is about to be asked for new credentials.

    Args:
        background: True where no caller waits for them.
    """

    background: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSucceeded(Event):
    """New credentials are in use.

    Args:
        duration: Seconds that it took, the hops before included.
        access_key_id: The new key id, which CloudTrail knows them by.
        expiry: When AWS ends them.
        request_id: STS's request id.
        packed_policy_size: Percent of STS's packed limit in use, where policies or tags were sent.
    """

    duration: float
    access_key_id: str
    expiry: datetime | None
    request_id: str | None
    packed_policy_size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshFailed(Event):
    """No new credentials came; those held, if any, stay in use.

    Args:
        code: AWS's error code, where AWS answered.
        message: What went wrong.
        recoverable: Whether it may go away by itself.
        next_try: Seconds until STS is asked again at the earliest.
        remaining: Seconds that the credentials held are good for; 0: none are.
    """

    code: str | None
    message: str
    recoverable: bool
    next_try: float
    remaining: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedStale(Event):
    """A caller got credentials that should have been replaced by now, but are still valid.

    Args:
        remaining: Seconds that they are good for.
    """

    remaining: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockStepped(Event):
    """The wall clock moved against the one that never steps.

    Args:
        seconds: How far it moved; positive: forward.
    """

    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Invalidated(Event):
    """Credentials were thrown away before their time.

    Args:
        access_key_id: The key id that will not be used any more; None where none was held.
        reason: Why: "asked" by a caller, or AWS's code of the answer that rejected them.
    """

    access_key_id: str | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedsAttention(Event):
    """Something that only a person can mend, such as a login that ended or a missing MFA code.

    Args:
        message: What is wrong.
        hint: What to do.
    """

    message: str
    hint: str | None


class Hook(Protocol):
    """Hears of every event; quick, since it runs where the event happened."""

    def __call__(self, event: Event, /) -> None:
        """Takes one event."""


class LoggingHook:
    """Writes each event as one line to the logger "xsession": what needs a look as a warning, the rest at DEBUG."""

    _WARNINGS = (RefreshFailed, ServedStale, ClockStepped, NeedsAttention)

    def __call__(self, event: Event, /) -> None:
        """Logs one event."""
        level = logging.WARNING if isinstance(event, self._WARNINGS) else logging.DEBUG
        if logger.isEnabledFor(level):
            values = ((item.name, getattr(event, item.name)) for item in fields(event) if item.name != "at")
            shown = " ".join(f"{name}={value}" for name, value in values if value is not None)
            logger.log(level, "%s %s", type(event).__name__, shown)


class Hooks:
    """Hands each event to several hooks and keeps their failures away from the caller.

    Args:
        hooks: In the order in which they are called.
    """

    __slots__ = ("_hooks",)

    def __init__(self, hooks: Iterable[Hook]) -> None:
        self._hooks = tuple(hooks)

    def __call__(self, event: Event, /) -> None:
        """Calls every hook with the event."""
        for hook in self._hooks:
            try:
                hook(event)
            except Exception:
                logger.exception("hook %r failed on %s", hook, type(event).__name__)
