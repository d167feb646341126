"""Who did what in an account, by CloudTrail."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._search import Activities, Activity
    from ._search import ask as ask

__all__ = ["Activities", "Activity"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_search": ("Activities", "Activity", "ask"),
    },
)
