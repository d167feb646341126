"""Runs of a function over accounts that are names alone: no session, no AWS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from xsession.fanout import Run, Unit, as_progress
from xsession.fanout._calls import Calls
from xsession.fanout._limits import Limits
from xsession.fanout._plan import Plan
from xsession.fanout._record import NoRecord
from xsession.fanout._run import RunOptions
from xsession.fanout._threads import ThreadPool


def run(  # what the tests vary
    func: Callable[[Unit], Any],
    accounts: int = 3,
    regions: Any = None,
    *,
    workers: int = 4,
    max_accounts: int | None = None,
    timeout: float | None = None,
    regions_of: Callable[[Unit], tuple[str, ...]] | None = None,
    progress: Any = None,
    record: Any = None,
    **options: Any,
) -> Run[Any]:
    """A run whose function gets the unit."""
    calls: Calls[Unit, Any] = Calls(func, lambda unit: unit, regions_of)
    names = [f"a{number}" for number in range(accounts)]
    return Run(
        Plan(names, regions),
        ThreadPool(calls, workers, timeout),
        Limits(workers, workers, max_accounts),
        record=NoRecord() if record is None else record,
        told=as_progress(progress),
        options=RunOptions(first_wait=0.001, timeout=timeout, **options),
    )


def throttled() -> ClientError:
    """AWS gets too many requests."""
    return ClientError({"Error": {"Code": "Throttling", "Message": "slow down"}}, "X")


def threads_left() -> list[str]:
    """Threads of runs that are alive."""
    ours = {"xsession-event-loop", "xsession-run"}
    return [thread.name for thread in threading.enumerate() if thread.name in ours]


def wait_for(condition: Callable[[], bool]) -> None:
    """Waits until something is so."""
    until = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.002)
