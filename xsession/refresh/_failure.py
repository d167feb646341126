"""What goes wrong with a refresh, and what its readers are told."""

from __future__ import annotations

from datetime import UTC, datetime

from xsession._base import frozen, without_text
from xsession.errors import (
    CredentialsError,
    CredentialsTimeoutError,
    DeadlinePassedError,
    SessionClosedError,
    XSessionError,
)


@frozen
class Label:
    """What events and errors call a hop.

    Args:
        account: The account; None for a hop that several accounts may share.
        role_arn: The role.
        hop: Its place in the chain, counted from 1.
    """

    account: str | None
    role_arn: str
    hop: int


@frozen
class Failure:
    """The failed tries since the last success.

    Args:
        error: The last one's error.
        count: How many there were.
        next_try: The boot clock's reading, in seconds, before which STS is not asked again.
    """

    error: XSessionError
    count: int
    next_try: float

    def described(self, now: float) -> XSessionError:
        """The error for one more caller, which says how often it was tried and when it will be again."""
        error = self.error.for_caller()
        if self.count > 1 or error.retryable:
            tries = "1 try" if self.count == 1 else f"{self.count} tries"
            wait = max(0.0, self.next_try - now)
            error.note = f"failed after {tries}, the next in {wait:.1f} s at the earliest"
        return error


def closed(label: Label) -> SessionClosedError:
    """The session is closed."""
    return SessionClosedError.closed(role_arn=label.role_arn, hop=label.hop)


def deadline_passed(label: Label, wall: float, reason: str | None) -> DeadlinePassedError:
    """The deadline has passed.

    Args:
        label: The hop.
        wall: The deadline, in seconds since 1970.
        reason: Why the credentials were ended before their time; None: they were not.
    """
    ended = f"{datetime.fromtimestamp(wall, UTC):%Y-%m-%d %H:%M:%S} UTC"
    msg = f"the deadline of these credentials has passed: {ended}"
    if reason is not None:
        msg = f"these credentials ended at {ended}: {reason}"
    return DeadlinePassedError(msg, role_arn=label.role_arn, hop=label.hop, hint="ask for a new grant")


def overdue(label: Label, limit: float, *, source: bool = False) -> CredentialsTimeoutError:
    """STS hangs, or the source does.

    Args:
        label: The hop.
        limit: Seconds that it had.
        source: Whether it was the source that was waited for.
    """
    if source:
        msg = f"the source gave no credentials within {limit:.0f} s"
        hint = "see what its process, its login or its own metadata service waits for"
        return CredentialsTimeoutError(msg, hop=0, retryable=True, hint=hint)
    msg = f"STS gave no answer within {limit:.0f} s"
    return CredentialsTimeoutError(msg, role_arn=label.role_arn, hop=label.hop, retryable=True)


def out_of_patience(label: Label, patience: float) -> CredentialsTimeoutError:
    """A reader has waited for as long as it may.

    Args:
        label: The hop.
        patience: Seconds that it waited.
    """
    msg = f"no credentials within {patience:.0f} s; the refresh goes on"
    return CredentialsTimeoutError(msg, role_arn=label.role_arn, hop=label.hop, retryable=True)


def waits_for_itself(label: Label) -> CredentialsError:
    """A hook, or a function that the refresh calls, needs the very credentials that are being refreshed."""
    msg = "the refresh of these credentials waits for the thread that asks for them here"
    hint = "do not use an account's clients in hooks and functions that its own refresh calls"
    return CredentialsError(msg, role_arn=label.role_arn, hop=label.hop, retryable=True, hint=hint)


def useless(label: Label, problem: str) -> CredentialsError:
    """STS answered, and its answer is of no use."""
    return CredentialsError(problem, role_arn=label.role_arn, hop=label.hop, retryable=True)


def unexpected(label: Label, error: BaseException) -> CredentialsError:
    """Something was raised that is not an error of ours; it has no cause, since that may hold a secret."""
    msg = f"refreshing failed: {without_text(error)}"
    return CredentialsError(msg, role_arn=label.role_arn, hop=label.hop, retryable=True)
