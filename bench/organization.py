"""What a scan of a whole organization costs, on a fake clock: `python -m bench.organization [ACCOUNTS] [REGIONS]`.

The run and its journal are the real ones; calls take as long as they would, and no longer wait for it.
"""

from __future__ import annotations

import heapq
import sys
import tempfile
import time
from collections import deque
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import Any

from bench.scenarios import rss
from xsession.fanout import Outcome, Run, Task, as_progress
from xsession.fanout._journal import Journal
from xsession.fanout._journal_format import Header
from xsession.fanout._limits import Limits
from xsession.fanout._plan import Plan
from xsession.fanout._run import RunOptions

WORKERS = 32
CALL_SECONDS = 0.12
ASSUME_SECONDS = 0.08
SESSION_SECONDS = 3_600
ACCOUNTS_PER_PAGE = 20
# The default quota of requests with AWS credentials, for the caller's account and each region; other operations of STS,
# such as GetCallerIdentity, share it: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
STS_PER_SECOND = 600
VALUE = {"instances": 12, "running": 7, "oldest": "2021-04-01T00:00:00+00:00", "types": ["m5.large", "t3.micro"]}


class FakeThreads:
    """Threads on a fake clock: a call takes as long as a request does, the first one in an account AssumeRole too."""

    def __init__(self) -> None:
        self.now = 0.0
        self.assumed: dict[str, float] = {}
        self.assumptions = self.left = 0
        self.hanging = ()
        self._waiting: deque[Task] = deque()
        self._running: list[tuple[float, int, Task]] = []
        self._number = 0

    def submit(self, task: Task) -> None:
        """Has a call made."""
        self._waiting.append(task)

    def next(self, _seconds: float) -> tuple[Task, Outcome[Any]] | None:
        """The next outcome; the clock goes on until then."""
        while self._waiting and len(self._running) < WORKERS:
            task = self._waiting.popleft()
            self._number += 1
            heapq.heappush(self._running, (self.now + self._seconds(task), self._number, task))
        if not self._running:
            return None
        self.now, _, task = heapq.heappop(self._running)
        return task, Outcome(task.unit.account, VALUE, None, CALL_SECONDS, (), task.unit.region)

    def cancel(self) -> list[Task]:
        """Takes back what has not begun."""
        taken = list(self._waiting)
        self._waiting.clear()
        return taken

    def abandon(self) -> list[Task]:
        """There is none that hangs."""
        return []

    def close(self) -> None:
        """There is nothing to end."""

    def _seconds(self, task: Task) -> float:
        account = task.unit.account
        if self.now - self.assumed.get(account, -SESSION_SECONDS) < SESSION_SECONDS:
            return CALL_SECONDS
        self.assumed[account] = self.now
        self.assumptions += 1
        return CALL_SECONDS + ASSUME_SECONDS


def main() -> None:
    """Prints what it comes to."""
    accounts, regions = map(int, sys.argv[1:3] or (10_000, 17))
    threads = FakeThreads()
    header = Header(principal="p", function="f", code="c", arguments="a", started=datetime.now(UTC))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scan.jsonl"
        journal = Journal(path, header, max_age=None, retry_failed=True, wall=time.time)
        plan = Plan([f"account-{number:05}" for number in range(accounts)], [f"eu-west-{n}" for n in range(regions)])
        run: Run[Any] = Run(
            plan,
            threads,
            Limits(WORKERS, WORKERS, None),
            record=journal,
            told=as_progress(None),
            options=RunOptions(clock=lambda: threads.now),
        )
        before, began, calls = rss(), time.perf_counter(), sum(1 for _ in run)
        seconds, more = time.perf_counter() - began, (rss() - before) / 2**20
        size = path.stat().st_size / 2**20
    pages = ceil(accounts / ACCOUNTS_PER_PAGE)
    print(f"{accounts:,} accounts x {regions} regions, {WORKERS} threads, {CALL_SECONDS * 1e3:.0f} ms a call")
    print(f"  calls of the function      {calls:>12,}")
    print(f"  ListAccounts               {pages:>12,}")
    print(f"  DescribeRegions, enabled   {accounts:>12,}")
    print(
        f"  AssumeRole                 {threads.assumptions:>12,}  ({threads.assumptions / threads.now:.1f} a second)"
    )
    print(f"  hours                      {threads.now / 3600:>12.2f}")
    print(f"  hours at STS's limit alone {threads.assumptions / STS_PER_SECOND / 3600:>12.4f}")
    print(f"  MB of journal              {size:>12.1f}")
    print(f"  MB of memory more          {more:>12.1f}")
    print(f"  us of our own for a call   {seconds / calls * 1e6:>12.0f}")


if __name__ == "__main__":
    main()
