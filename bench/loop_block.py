"""How long awaiting credentials holds up an event loop: `python -m bench.loop_block [ACCOUNTS]`.

A heart beats in the loop every millisecond while many cold accounts are awaited at once; how late its beats come is
what counts. The stub answers in a process of its own, after 20 ms. Reading needs no aiobotocore: what `aio()` awaits
is awaited here.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import boto3

from bench.scenarios import control, count
from xsession import CrossAccountSession

ROUNDS = 7


async def latest_beat(work: Callable[[], Awaitable[object]]) -> tuple[float, float]:
    """How late a beat came at worst while the work was awaited, and the most CPU time that the loop spent between two.

    Both in ms; the second does not count what other processes, and other threads of this one, took from it.
    """
    worst = busiest = 0.0

    async def beat() -> None:
        nonlocal worst, busiest
        while True:
            due, spent = time.perf_counter() + 0.001, time.thread_time()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - due)
            busiest = max(busiest, time.thread_time() - spent)

    heart = asyncio.create_task(beat())
    await asyncio.sleep(0.05)
    worst = busiest = 0.0
    await work()
    await asyncio.sleep(0.005)
    heart.cancel()
    return worst * 1e3, busiest * 1e3


def cold(accounts: int) -> tuple[float, float, float]:
    """The latest beat, the loop's most CPU time and the whole time, in ms, for so many cold accounts."""
    names = [f"a{number}" for number in range(accounts + 1)]
    roles = {name: f"arn:aws:iam::{number:012}:role/R" for number, name in enumerate(names, 1)}
    source = boto3.Session("AKIDBENCH", "secret", region_name="us-east-1")
    with CrossAccountSession(roles, session=source) as xs:
        own = [xs[name].get_credentials() for name in names]
        # The first one has the client of STS made, and models read, which is one call of C for a large file.
        asyncio.run(own.pop().awaited())  # type: ignore[attr-defined]
        began = time.perf_counter()
        worst = asyncio.run(latest_beat(lambda: asyncio.gather(*(one.awaited() for one in own))))  # type: ignore[attr-defined]
        took = (time.perf_counter() - began) * 1e3
    return *worst, took


def main() -> None:
    """Print the medians and the worst."""
    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    command = [sys.executable, "-m", "bench.stub"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stub:
        assert stub.stdout is not None
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{int(stub.stdout.readline())}"
        cold(2)
        rounds, idle = [], []
        for _ in range(ROUNDS):
            # Beside each round: what else the machine does makes beats late as well.
            idle.append(asyncio.run(latest_beat(lambda: asyncio.sleep(0.5)))[0])
            control(latency=0.02)
            rounds.append(cold(accounts))
            assert count("AssumeRole") == accounts + 1
        late, busy, took = (sorted(values) for values in zip(*rounds, strict=True))
        idle.sort()
        assert stub.stdin is not None
        stub.stdin.close()
    print(f"{accounts} cold accounts, {ROUNDS} rounds; ms")
    for name, beats in (("latest beat", late), ("of a loop that is idle", idle)):
        print(f"{name}: least {beats[0]:.1f}, median {beats[len(beats) // 2]:.1f}, worst {beats[-1]:.1f}")
    print(f"CPU time of the loop between two beats, at most: median {busy[len(busy) // 2]:.1f}, worst {busy[-1]:.1f}")
    print(f"all accounts there after: median {took[len(took) // 2]:.0f}")


if __name__ == "__main__":
    main()
