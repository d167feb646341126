"""What a person is told of an error, or of a store that can't do all that it should."""

from __future__ import annotations

from xsession.errors import XSessionError
from xsession.events import Event, StoreProblem

from ._exit_status import ExitStatus, status_of


def in_words(error: BaseException, command: str = "") -> tuple[str, str | None, ExitStatus]:
    """What happened, what to do, and the exit status.

    Args:
        error: The error.
        command: The command with which to run it again, where it is an error of ours.
    """
    if isinstance(error, XSessionError):
        bare = error.for_caller()
        bare.hint = None
        return str(bare), error.hint, status_of(error)
    if isinstance(error, BrokenPipeError):
        return str(error), None, ExitStatus.READER_GONE
    if isinstance(error, OSError):
        return str(error), None, ExitStatus.FAILED
    if isinstance(error, KeyboardInterrupt):
        return "interrupted", None, ExitStatus.INTERRUPTED
    again = f"run it again as `xsession --debug {command or '...'}` to see where"
    return f"{type(error).__name__}: {error}", again, ExitStatus.FAILED


def store_problem_in_words(event: Event) -> list[str]:
    """What a store can't do, and what to do: a line each; none where the event is about something else."""
    if not isinstance(event, StoreProblem):
        return []
    return [f"store: {event.message}{f': {event.path}' if event.path else ''}", *filter(None, [event.hint])]
