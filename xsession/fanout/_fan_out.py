"""One function over many accounts, in threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from ._calls import Calls
from ._limits import Limits
from ._outcomes import Outcomes
from ._plan import Plan
from ._progress import ProgressLike, as_progress
from ._record import NoRecord
from ._run import Run, RunOptions
from ._threads import ThreadPool

T = TypeVar("T")
Item = TypeVar("Item")


def fan_out(
    func: Callable[[Item], T],
    items: Mapping[str, Item],
    *,
    max_workers: int,
    notes: Callable[[Item], tuple[str, ...]] = lambda _item: (),
    progress: ProgressLike[T] = None,
) -> Outcomes[T]:
    """Calls `func` for every item in threads.

    Args:
        func: Called once for each item; what it raises becomes that account's error.
        items: By account name.
        max_workers: How many threads at most.
        notes: What a person should know of an item, whatever comes of it.
        progress: Told of each outcome once it is known, in the caller's thread; what it raises ends the rest.
    """
    calls: Calls[Item, T] = Calls(func, lambda unit: items[unit.account])
    workers = max(1, max_workers)
    run: Run[T] = Run(
        Plan(tuple(items)),
        ThreadPool(calls, workers),
        Limits(workers, workers, None),
        record=NoRecord(),
        told=as_progress(progress),
        notes=lambda unit: notes(items[unit.account]),
        options=RunOptions(),
    )
    return run.collect()
