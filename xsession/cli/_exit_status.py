"""What the command line's exit statuses mean, and which one an error has."""

from __future__ import annotations

from enum import IntEnum

import xsession

_LOGIN = "run: aws "


class ExitStatus(IntEnum):
    """One number for each thing that a script may want to tell apart; `exec` ends with its child's own."""

    OK = 0
    FAILED = 1
    USAGE = 2
    SOME_FAILED = 3
    ALL_FAILED = 4
    NEEDS_PERSON = 5
    REFUSED = 6
    DIFFERS = 7
    INTERRUPTED = 130
    READER_GONE = 141


def status_of(error: BaseException) -> ExitStatus:
    """The exit status of a command that ended with an error.

    Args:
        error: The error.
    """
    if isinstance(error, xsession.errors.ConfigError | xsession.errors.UnknownAccountError):
        return ExitStatus.USAGE
    if isinstance(error, xsession.errors.XSessionError):
        from xsession._aws import is_denied  # noqa: PLC0415 # what succeeds needs no list of codes

        if isinstance(error, xsession.errors.MfaError) or _wants_a_login(error):
            return ExitStatus.NEEDS_PERSON
        if is_denied(error.code):
            return ExitStatus.REFUSED
    return ExitStatus.FAILED


def status_of_many(failed: int, total: int) -> ExitStatus:
    """The exit status of a command that did the same in many accounts.

    Args:
        failed: In how many it failed.
        total: How many there were.
    """
    if not failed:
        return ExitStatus.OK
    return ExitStatus.ALL_FAILED if failed == total else ExitStatus.SOME_FAILED


def _wants_a_login(error: xsession.errors.XSessionError) -> bool:
    return isinstance(error, xsession.errors.SourceCredentialsError) and (error.hint or "").startswith(_LOGIN)
