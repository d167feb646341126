"""Keeps credentials fresh: when they are replaced, by whom, and what a reader gets meanwhile."""

from typing import TYPE_CHECKING

from xsession._base.lazy import lazy

if TYPE_CHECKING:
    from ._awaiting import ThreadCalls as ThreadCalls
    from ._awaiting import read_in_loop as read_in_loop
    from ._cell import Cell as Cell
    from ._failure import Label as Label
    from ._lanes import SHARED_LANES as SHARED_LANES
    from ._lanes import Lane as Lane
    from ._lanes import Lanes as Lanes
    from ._policy import MAX_TRY_SECONDS as MAX_TRY_SECONDS
    from ._policy import RefreshPolicy, RefreshState
    from ._reader import Reader as Reader
    from ._rejections import Endpoint as Endpoint
    from ._rejections import Rejection as Rejection
    from ._rejections import RejectionMemory as RejectionMemory
    from ._rejections import no_rejections as no_rejections
    from ._snapshot import Deadline as Deadline
    from ._snapshot import Issued as Issued
    from ._snapshot import Snapshot as Snapshot
    from ._status import HopStatus, Status
    from ._this_thread import given_up_with as given_up_with
    from ._this_thread import is_given_up as is_given_up
    from ._workers import SHARED_WORKERS as SHARED_WORKERS
    from ._workers import Workers as Workers

__all__ = ["HopStatus", "RefreshPolicy", "RefreshState", "Status"]

__getattr__, __dir__ = lazy(
    __name__,
    {
        "_awaiting": ("ThreadCalls", "read_in_loop"),
        "_cell": ("Cell",),
        "_failure": ("Label",),
        "_lanes": ("SHARED_LANES", "Lane", "Lanes"),
        "_policy": ("MAX_TRY_SECONDS", "RefreshPolicy", "RefreshState"),
        "_reader": ("Reader",),
        "_rejections": ("Endpoint", "Rejection", "RejectionMemory", "no_rejections"),
        "_snapshot": ("Deadline", "Issued", "Snapshot"),
        "_status": ("HopStatus", "Status"),
        "_this_thread": ("given_up_with", "is_given_up"),
        "_workers": ("SHARED_WORKERS", "Workers"),
    },
)
