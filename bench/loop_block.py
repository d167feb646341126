"""How long awaiting credentials holds up an event loop: `python -m bench.loop_block [ACCOUNTS]`.

A heart beats in the loop every millisecond while many cold accounts are awaited at once; how late its beats come is
what counts. Beside each round, in the same run: a loop that is idle, since other programs make beats late as well; and
as many calls of STS by a botocore client in a pool of as many threads as we may take. The stub answers in a process of
its own, after 20 ms. Reading needs no aiobotocore: what `aio()` awaits is awaited here.
"""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import boto3

from bench.scenarios import control, count
from xsession import CrossAccountSession

ROUNDS = 7
THREADS = 64


class Beats(NamedTuple):
    """What a heart met, in ms.

    Args:
        late: How late a beat came at worst.
        spent: The most CPU time that the whole process spent between two: what others took from it doesn't count.
        took: How long all that was awaited took.
    """

    late: float
    spent: float
    took: float


async def beats(work: Callable[[], Awaitable[object]]) -> Beats:
    """What a heart meets while the work is awaited."""
    late = spent = 0.0

    async def beat() -> None:
        nonlocal late, spent
        while True:
            due, before = time.perf_counter() + 0.001, time.process_time()
            await asyncio.sleep(0.001)
            late = max(late, time.perf_counter() - due)
            spent = max(spent, time.process_time() - before)

    # A full collection takes as long as there are objects of others.
    gc.collect()
    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.05)
    late = spent = 0.0
    began = time.perf_counter()
    await work()
    took = time.perf_counter() - began
    await asyncio.sleep(0.005)
    heart.cancel()
    return Beats(late * 1e3, spent * 1e3, took * 1e3)


def cold(accounts: int) -> Beats:
    """So many cold accounts of one session."""
    names = [f"a{number}" for number in range(accounts + 1)]
    roles = {name: f"arn:aws:iam::{number:012}:role/R" for number, name in enumerate(names, 1)}
    source = boto3.Session("AKIDBENCH", "secret", region_name="us-east-1")
    with CrossAccountSession(roles, session=source) as xs:
        own = [xs[name].get_credentials() for name in names]
        # The first one has the client of STS made, and models read, which is one call of C for a large file.
        asyncio.run(own.pop().awaited())  # type: ignore[attr-defined]
        return asyncio.run(beats(lambda: asyncio.gather(*(one.awaited() for one in own))))  # type: ignore[attr-defined]


def bare(accounts: int) -> Beats:
    """So many calls of botocore's client, in threads."""
    sts = boto3.client("sts", "us-east-1", aws_access_key_id="AKIDBENCH", aws_secret_access_key="secret")

    def call(number: int) -> None:
        sts.assume_role(RoleArn=f"arn:aws:iam::{number:012}:role/R", RoleSessionName="bench")

    call(accounts + 1)
    with ThreadPoolExecutor(THREADS) as pool:

        async def work() -> None:
            loop = asyncio.get_running_loop()
            await asyncio.gather(*(loop.run_in_executor(pool, call, number) for number in range(1, accounts + 1)))

        return asyncio.run(beats(work))


def main() -> None:
    """Print the medians and the worst."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    command = [sys.executable, "-m", "bench.stub"]
    measured: dict[str, list[Beats]] = {"idle": [], f"botocore in {THREADS} threads": [], "awaited": []}
    works: list[Callable[[], Beats]] = [
        lambda: asyncio.run(beats(lambda: asyncio.sleep(0.5))),
        lambda: bare(accounts),
        lambda: cold(accounts),
    ]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stub:
        assert stub.stdout is not None
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{int(stub.stdout.readline())}"
        cold(2)
        for _ in range(ROUNDS):
            for (name, rounds), work in zip(measured.items(), works, strict=True):
                control(latency=0.02)
                rounds.append(work())
                assert count("AssumeRole") == (0 if name == "idle" else accounts + 1)
        assert stub.stdin is not None
        stub.stdin.close()
    print(f"{accounts} cold accounts, {ROUNDS} rounds; ms")
    print(f"{'':24}{'latest beat':>24}{'CPU time between two':>28}{'whole time':>13}")
    for name, rounds in measured.items():
        late, spent, took = (sorted(values) for values in zip(*rounds, strict=True))
        middle = len(rounds) // 2
        lateness = f"{late[middle]:.1f} ({late[0]:.1f} .. {late[-1]:.1f})"
        work_between = f"{spent[middle]:.1f} (.. {spent[-1]:.1f})"
        print(f"{name:24}{lateness:>24}{work_between:>28}{took[middle]:>13.0f}")
    theirs, ours = list(measured.values())[1:]
    ratios = sorted(their.late / our.late for their, our in zip(theirs, ours, strict=True))
    print(f"their latest beat to ours, round by round: {ratios[len(ratios) // 2]:.0f}x ({ratios[0]:.0f}x at least)")


if __name__ == "__main__":
    main()
