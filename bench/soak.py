"""`make soak`: 64 threads use 108 accounts of 1 to 6 hops whose credentials live for seconds, while STS fails.

The local AWS rejects expired and unknown credentials, and makes a share of STS's answers late, throttled, 500, reset,
missing or garbage; now and then STS is away altogether, for less than what is left of the credentials. Ends with 1 if a
caller saw a failure, or a request was signed with credentials that had ended. One that was signed in time can still
come too late where the other side is busy: it is signed again, and counted apart.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from bench.scenarios import rss
from xsession import CrossAccountSession, RoleChain
from xsession.events import Event, RefreshSucceeded

SECOND = 1e3
_OUTAGE_SHARE = 0.15
_MOST_READS = 1_000_000


class Watch:
    """Looks at each request when it has been signed: had its credentials ended?

    Args:
        wall: Seconds since 1970.
    """

    _KEY_ID = re.compile(r"Credential=([^/]+)")

    def __init__(self, wall: Callable[[], float] = time.time) -> None:
        self._wall = wall
        self._ends: dict[str, float] = {}
        self._late = 0
        # Hooks hear of credentials a moment after others may use them.
        self._unheard: list[tuple[str, float]] = []

    @property
    def expired(self) -> int:
        """How many requests were signed with credentials that had ended."""
        return self._late + sum(when >= self._ends[key_id] for key_id, when in self._unheard)

    def __call__(self, event: Event, /) -> None:
        """Hears which credentials there are."""
        if isinstance(event, RefreshSucceeded) and event.expiry is not None:
            self._ends[event.access_key_id] = event.expiry.timestamp()

    def signed(self, request: Any, **_event: Any) -> None:
        """Looks at one request."""
        key_id = self._KEY_ID.search(str(request.headers.get("Authorization")))
        if key_id is None:
            return
        now, end = self._wall(), self._ends.get(key_id[1])
        if end is None:
            self._unheard.append((key_id[1], now))
        elif now >= end:
            self._late += 1


class Server:
    """The process on the other side.

    Args:
        process: It.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lock = threading.Lock()
        self.about: dict[str, Any] = self._answer()

    def say(self, command: str) -> Counter[str]:
        """Has it do something; gives its counts."""
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(f"{command}\n")
            self._process.stdin.flush()
            return Counter(self._answer())

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@contextmanager
def server(lifetime: float) -> Iterator[Server]:
    """Runs it within the block."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.soak_server", str(lifetime)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        try:
            yield Server(process)
        finally:
            process.stdin.close()


@dataclass
class Load:
    """What the threads do and see.

    Args:
        xs: The session.
        names: The accounts.
        pause: Seconds between two requests of a thread, on average: the other side has no cores of its own.
    """

    xs: CrossAccountSession
    names: list[str]
    pause: float
    stop: threading.Event = field(default_factory=threading.Event)
    requests: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    reads: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self) -> None:
        """One thread: uses one account after the other."""
        order = random.Random()
        while not self.stop.wait(order.uniform(0, 2 * self.pause)):
            self.use(order.choice(self.names))

    def use(self, name: str) -> str | None:
        """Reads an account's credentials, then sends a request with them; the account's id, None: it failed."""
        client = self.xs.get_client("sts", name)
        get = self.xs[name].get_credentials().get_frozen_credentials
        began = time.perf_counter()
        try:
            get()
            seconds = time.perf_counter() - began
            account_id = str(client.get_caller_identity()["Account"])
        except Exception as error:  # noqa: BLE001 # counted and shown
            with self._lock:
                self.failures[f"{type(error).__name__}: {error}"[:300]] += 1
            return None
        with self._lock:
            self.requests += 1
            if len(self.reads) < _MOST_READS:
                self.reads.append(seconds)
            else:
                # A sample: an hour has millions.
                self.reads[random.randrange(_MOST_READS)] = seconds
        return account_id


def threads() -> int:
    """Ours that keep credentials fresh."""
    return sum(thread.name.startswith("xsession-") for thread in threading.enumerate())


def quantile(values: list[float], share: float) -> float:
    """In milliseconds."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] * SECOND if values else 0.0


def main() -> int:
    """Runs the soak and reports."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("seconds", type=float, nargs="?", default=60.0)
    parser.add_argument("--lifetime", type=float, default=8.0, help="seconds that credentials live")
    parser.add_argument("--faults", type=float, default=0.3, help="share of STS's answers that fail")
    parser.add_argument("--threads", type=int, default=64)
    parser.add_argument("--pause", type=float, default=0.25, help="seconds between two requests of a thread")
    options = parser.parse_args()
    with server(options.lifetime) as aws:
        return soak(aws, options)


def soak(aws: Server, options: argparse.Namespace) -> int:
    """All of it, with the other side running."""
    os.environ.update(aws.about["environ"])
    accounts = {name: RoleChain(*roles) for name, roles in aws.about["accounts"].items()}
    arns = [tuple(role.role_arn for role in chain) for chain in accounts.values()]
    roles = {chain[: hop + 1] for chain in arns for hop in range(len(chain))}
    print(f"{len(accounts)} accounts, {len(roles)} roles, lifetime {options.lifetime:g} s, faults {options.faults:.0%}")
    watch = Watch()
    with CrossAccountSession(accounts, region_name="eu-west-1", hooks=[watch]) as xs:
        xs.warm(max_workers=32).raise_for_errors()
        for name in accounts:
            xs.get_client("sts", name).meta.events.register_last("request-created.sts", watch.signed)
        gc.collect()
        memory, before = rss(), aws.say(f"faults {options.faults}")
        load = Load(xs, list(accounts), options.pause)
        workers = [threading.Thread(target=load.run, daemon=True) for _ in range(options.threads)]
        began = time.monotonic()
        for worker in workers:
            worker.start()
        outages, at_start, most = 0, threads(), 0
        while (left := began + options.seconds - time.monotonic()) > 0:
            most = max(most, threads())
            if left > options.lifetime and options.seconds - left > (2 * outages + 1) * options.lifetime:
                outages += 1
                aws.say(f"outage {_OUTAGE_SHARE * options.lifetime}")
            load.stop.wait(min(left, 0.1))
        load.stop.set()
        for worker in workers:
            worker.join(60)
        seconds = time.monotonic() - began
        counts = aws.say("faults 0")
        counts.subtract(before)
        gc.collect()
        grown, at_end = rss() - memory, threads()
    least = len(roles) * seconds / options.lifetime
    print(f"requests                    {load.requests:,} in {seconds:.0f} s, {outages} outages of STS")
    print(f"failures seen by callers    {sum(load.failures.values())}")
    print(f"signed with expired keys    {watch.expired}, with unknown keys {counts['unknown']}")
    print(f"signed in time, came late   {counts['expired'] - watch.expired}")
    print(
        f"AssumeRole                  {counts['assume_role_ok']:,} answered of {counts['assume_role']:,} tries; "
        f"the least possible {least:,.0f}: {counts['assume_role_ok'] / least:.2f}x"
    )
    print(
        f"get_frozen_credentials      p50 {quantile(load.reads, 0.5):.4f} ms, p99 {quantile(load.reads, 0.99):.4f} ms, "
        f"max {quantile(load.reads, 1):.1f} ms"
    )
    print(f"threads that refresh        {at_start} at the start, {most} at most, {at_end} at the end")
    print(f"memory                      {memory / 2**20:.0f} MB at the start, {grown / 2**20:+.1f} MB at the end")
    for failure, count in load.failures.most_common(10):
        print(f"  {count} x {failure}")
    return 1 if load.failures or watch.expired else 0


if __name__ == "__main__":
    sys.exit(main())
