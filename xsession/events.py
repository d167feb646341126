"""What happened, as values, and the hooks that are told.

A hook is any callable that takes one event. Hooks are called one after the other in the thread in which the event
happened, never under a lock; one that raises, whatever it raises, is logged and changes nothing else. But in the main
thread, KeyboardInterrupt and SystemExit go on: they may come from Ctrl-C or a signal handler.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from functools import partial
from typing import Literal, Protocol, TypeAlias

from ._base import after_locks, frozen

__all__ = [
    "ClockStepped",
    "Event",
    "GrantFailed",
    "GrantRequested",
    "Granted",
    "Hook",
    "Invalidated",
    "InvalidationReason",
    "LoggingHook",
    "NeedsAttention",
    "RefreshFailed",
    "RefreshStarted",
    "RefreshSucceeded",
    "Revoked",
    "ServedStale",
    "StoreProblem",
    "StoreProblemKind",
]

logger = logging.getLogger("xsession")
logger.addHandler(logging.NullHandler())


@frozen(kw_only=True)
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


@frozen(kw_only=True)
class RefreshStarted(Event):
    """STS is about to be asked for new credentials.

    Args:
        background: True where no caller waits for them.
    """

    background: bool


@frozen(kw_only=True)
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


@frozen(kw_only=True)
class RefreshFailed(Event):
    """No new credentials came; those held, if any, stay in use.

    Args:
        code: AWS's error code, where AWS answered.
        message: What went wrong.
        retryable: Whether it may go away by itself.
        next_try: Seconds until STS is asked again at the earliest.
        remaining: Seconds that the credentials held are valid for; 0: none are.
    """

    code: str | None
    message: str
    retryable: bool
    next_try: float
    remaining: float


@frozen(kw_only=True)
class ServedStale(Event):
    """A caller got credentials that should have been replaced already, but are still valid.

    Args:
        remaining: Seconds that they are valid for.
    """

    remaining: float


@frozen(kw_only=True)
class ClockStepped(Event):
    """The wall clock moved against the one that never steps.

    Args:
        seconds: How far it moved; positive: forward.
    """

    seconds: float


InvalidationReason: TypeAlias = Literal[
    "asked",
    "rejected by a service",
    "denied explicitly by a service",
    "rejected by STS",
    "revoked",
    "the source has other credentials",
]
"""Why credentials were thrown away before their time.

* `"asked"`: your program called `invalidate`.
* `"rejected by a service"`: a service answered that it doesn't accept them, such as with ExpiredToken.
* `"denied explicitly by a service"`: a service answered with an explicit deny, and
  `RefreshPolicy.reassume_on_explicit_deny` is set.
* `"rejected by STS"`: STS didn't accept them as the caller of the next role in the chain.
* `"revoked"`: this process revoked the role's sessions.
* `"the source has other credentials"`: the source is another identity now, so what its old credentials led to is not
  used any more.
"""


@frozen(kw_only=True)
class Invalidated(Event):
    """Credentials were thrown away before their time.

    Args:
        access_key_id: The key id that will not be used any more; None where none was held.
        reason: Why, one of six fixed strings: "asked", "rejected by a service", "denied explicitly by a service",
            "rejected by STS", "revoked" or "the source has other credentials"; see `InvalidationReason`.
    """

    access_key_id: str | None
    reason: InvalidationReason


@frozen(kw_only=True)
class NeedsAttention(Event):
    """Something that only a person can fix, such as a login that ended or a missing MFA code.

    Args:
        message: What is wrong.
        hint: What to do.
    """

    message: str
    hint: str | None


@frozen(kw_only=True)
class GrantRequested(Event):
    """A grant is about to be made: STS is asked for its credentials next.

    Args:
        grant_id: Its id.
        who: The ARN of who makes it.
        to: Whom it is for.
        reason: Why.
        policy: The session policy that narrows it, as JSON.
        policy_arns: The managed policies that narrow it.
        deadline: Until when it is to hold.
        role_session_name: The name of its sessions.
    """

    grant_id: str
    who: str
    to: str
    reason: str | None
    policy: str
    policy_arns: tuple[str, ...]
    deadline: datetime
    role_session_name: str


@frozen(kw_only=True)
class Granted(Event):
    """A grant was made: another person was given credentials.

    Args:
        grant_id: Its id.
        who: The ARN of who made it.
        to: Whom it was made to.
        reason: Why.
        policy: The session policy that narrows it, as JSON.
        policy_arns: The managed policies that narrow it.
        deadline: Until when it holds.
        role_session_name: The name of its sessions.
        source_identity: The source identity of its sessions, where they have one.
        access_key_id: The key id of its first session.
        expiry: When AWS ends that session.
    """

    grant_id: str
    who: str
    to: str
    reason: str | None
    policy: str
    policy_arns: tuple[str, ...]
    deadline: datetime
    role_session_name: str
    source_identity: str | None
    access_key_id: str
    expiry: datetime | None


@frozen(kw_only=True)
class GrantFailed(Event):
    """A grant that was requested was not made, or was taken back before it was handed over, whatever was said before.

    Args:
        grant_id: Its id.
        access_key_id: The key id of the session that was thrown away; None: none is known.
        code: AWS's error code, where AWS answered.
        message: What went wrong.
    """

    grant_id: str
    access_key_id: str | None
    code: str | None
    message: str


@frozen(kw_only=True)
class Revoked(Event):
    """Sessions of a role were revoked.

    Args:
        revocation_id: The revocation's id; its policy on the role is named after it.
        using: The account whose identity did it; None: AWS was not asked.
        grant_id: The grant that was revoked; None: not one grant alone.
        source_identity: The person whose sessions were revoked; None: all.
        before: Sessions issued before this moment; None: whenever they are issued.
        enforced: Whether AWS refuses them; False: they were ended in this process alone.
    """

    revocation_id: str | None
    using: str | None
    grant_id: str | None
    source_identity: str | None
    before: datetime | None
    enforced: bool


StoreProblemKind: TypeAlias = Literal[
    "an entry can't be used",
    "the master key is in a file",
    "there is no master key",
    "the folder can't be used",
    "the disk can't be written to",
    "locks don't work",
]
"""What a store can't do.

* `"an entry can't be used"`: it is damaged, was moved or edited, comes from a newer version, or from the future.
* `"the master key is in a file"`: the machine has no keyring, so whoever reads the user's files can read the entries.
* `"there is no master key"`: the keyring is locked, slow or fails. The store is this process's memory.
* `"the folder can't be used"`: it belongs to another user, or others may read it. The store is this process's memory.
* `"the disk can't be written to"`: it is full or read-only. What can't be written stays in this process's memory.
* `"locks don't work"`: as on some network drives. Processes may refresh at the same time.
"""


@frozen(kw_only=True)
class StoreProblem(Event):
    """A store that several processes share can't do all that it should; requests go on without.

    Each is told once in a process.

    Args:
        problem: What it can't do, one of six fixed strings; see `StoreProblemKind`.
        message: Why.
        path: The file or folder.
        hint: What to do.
    """

    problem: StoreProblemKind
    message: str
    path: str | None
    hint: str | None


# Told at once: what traces a refresh opens and closes a span by them, in the refresh's own context. No thread waits for
# a lock meanwhile that would not wait for the refresh.
_OF_A_REFRESH = (RefreshStarted, RefreshSucceeded, RefreshFailed)


class Hook(Protocol):
    """Gets every event; quick, since it runs where the event happened."""

    def __call__(self, event: Event, /) -> None:
        """Takes one event."""


class LoggingHook:
    """Writes each event as one line to the logger "xsession".

    What needs a look is a warning, who was given or lost access is INFO, the rest is DEBUG.
    """

    _WARNINGS = (RefreshFailed, ServedStale, ClockStepped, NeedsAttention, GrantFailed, StoreProblem)
    _NOTICES = (Granted, Revoked)

    def __call__(self, event: Event, /) -> None:
        """Logs one event."""
        level = logging.INFO if isinstance(event, self._NOTICES) else logging.DEBUG
        level = logging.WARNING if isinstance(event, self._WARNINGS) else level
        if logger.isEnabledFor(level):
            from .escape import for_terminal  # noqa: PLC0415 # most programs log nothing of this

            values = ((item.name, getattr(event, item.name)) for item in fields(event) if item.name != "at")
            shown = " ".join(f"{name}={for_terminal(str(value))}" for name, value in values if value is not None)
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
        """Calls every hook with the event, as soon as this thread has no lock."""
        if isinstance(event, _OF_A_REFRESH):
            self._tell(self._hooks, event)
        else:
            after_locks(partial(self._tell, self._hooks, event))

    def record(self, event: Event) -> None:
        """Writes down with every hook that can refuse, such as `AuditLog`, then tells all others.

        Args:
            event: What must not happen unless it is written down.

        Raises:
            Exception: What a hook's `write` raises; then no other hook is told.
        """
        others = []
        for hook in self._hooks:
            write = getattr(hook, "write", None)
            if write is None:
                others.append(hook)
            else:
                write(event)
        self._tell(others, event)

    def record_by_all(self, event: Event) -> None:
        """Writes down with every hook that can, whichever of them refuses, and tells all others.

        Args:
            event: What has happened, and must be said of what some of them may have on record.
        """
        self._tell([getattr(hook, "write", hook) for hook in self._hooks], event)

    @staticmethod
    def _tell(hooks: Iterable[Hook], event: Event) -> None:
        for hook in hooks:
            try:
                hook(event)
            except BaseException as error:
                # Python raises these two in the main thread itself, where Ctrl-C or a signal handler ends the program.
                ends = isinstance(error, KeyboardInterrupt | SystemExit)
                if ends and threading.current_thread() is threading.main_thread():
                    raise
                logger.exception("hook %r failed on %s", hook, type(event).__name__)
