"""One function over many accounts, in threads."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TypeVar

from ._outcomes import Outcome, Outcomes
from ._progress import ProgressLike, as_progress

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

    def attempt(name: str) -> Outcome[T]:
        began = time.monotonic()
        value, failure = None, None
        try:
            value = func(items[name])
        except Exception as error:  # noqa: BLE001 # one account's failure must not end the others'
            failure = error
        return Outcome(name, value, failure, time.monotonic() - began, notes(items[name]))

    told = as_progress(progress)
    with ThreadPoolExecutor(max(1, min(max_workers, len(items))), "xsession-fanout") as pool:
        told.begin(len(items))
        futures = [pool.submit(attempt, name) for name in items]
        try:
            for future in as_completed(futures):
                told.advance(future.result())
        finally:
            for future in futures:
                future.cancel()
            told.end()
        return Outcomes(future.result() for future in futures)
