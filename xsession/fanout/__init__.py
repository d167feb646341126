"""One function over many accounts: a result or an error for each, and who is told while it runs."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._fan_out import fan_out as fan_out
    from ._outcomes import FailureGroup, Outcome, Outcomes
    from ._progress import Progress, ProgressLike
    from ._progress import as_progress as as_progress

__all__ = ["FailureGroup", "Outcome", "Outcomes", "Progress", "ProgressLike"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_fan_out": ("fan_out",),
        "_outcomes": ("FailureGroup", "Outcome", "Outcomes"),
        "_progress": ("Progress", "ProgressLike", "as_progress"),
    },
)
