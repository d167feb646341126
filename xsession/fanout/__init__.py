"""One function over many accounts: a result or an error for each, and who is told while it runs."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._category import Category
    from ._commands import Command, CommandResult, exit_status, load_function
    from ._fan_out import fan_out as fan_out
    from ._journal import read_journal
    from ._outcomes import FailureGroup, Outcome, Outcomes
    from ._plan import Task as Task
    from ._plan import Unit as Unit
    from ._plan import by_distinct_names as by_distinct_names
    from ._progress import Progress, ProgressLike
    from ._progress import as_progress as as_progress
    from ._rate import Rate as Rate
    from ._remote import Claim as Claim
    from ._remote import Reached as Reached
    from ._remote import Ticket as Ticket
    from ._run import Run
    from ._run_session import RunSession as RunSession
    from ._start import JournalOptions as JournalOptions
    from ._start import RunArguments as RunArguments
    from ._start import start as start

__all__ = [
    "Category",
    "Command",
    "CommandResult",
    "FailureGroup",
    "Outcome",
    "Outcomes",
    "Progress",
    "ProgressLike",
    "Run",
    "exit_status",
    "load_function",
    "read_journal",
]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_category": ("Category",),
        "_commands": ("Command", "CommandResult", "exit_status", "load_function"),
        "_fan_out": ("fan_out",),
        "_journal": ("read_journal",),
        "_outcomes": ("FailureGroup", "Outcome", "Outcomes"),
        "_plan": ("Task", "Unit", "by_distinct_names"),
        "_progress": ("Progress", "ProgressLike", "as_progress"),
        "_rate": ("Rate",),
        "_remote": ("Claim", "Reached", "Ticket"),
        "_run": ("Run",),
        "_run_session": ("RunSession",),
        "_start": ("JournalOptions", "RunArguments", "start"),
    },
)
