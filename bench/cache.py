"""Whether the cache of clients stays as it is: many `get_client` calls over more accounts than it keeps clients.

`python -m bench.cache [CALLS]`: prints memory, threads and open files as it goes; no request is sent.
"""

from __future__ import annotations

import random
import sys
import threading
import time
from pathlib import Path

import boto3

from bench import contenders
from bench.scenarios import rss
from xsession import CrossAccountSession, Role

ACCOUNTS = 5_000


def main() -> None:
    """Runs it."""
    calls = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    source = boto3.Session("AKIABENCH", "secret", region_name=contenders.REGION)
    accounts = {f"a{number}": Role(contenders.role_arn(number)) for number in range(1, ACCOUNTS + 1)}
    names, chosen = list(accounts), random.Random(1)
    xs = CrossAccountSession(accounts, session=source)
    held = [xs.get_client("s3", account=name) for name in names[:10]]
    began = time.perf_counter()
    print(f"{'calls':>10} {'MB':>8} {'threads':>8} {'files':>6} {'us per call':>12}")
    for number in range(1, calls + 1):
        xs.get_client("s3", account=chosen.choice(names))
        if number % (calls // 10) == 0:
            files, threads = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
            each = (time.perf_counter() - began) / number * 1e6
            print(f"{number:>10,} {rss() / 2**20:>8.1f} {threads:>8} {files:>6} {each:>12.1f}", flush=True)
    assert all(xs.get_client("s3", account=name) is client for name, client in zip(names, held, strict=False))


if __name__ == "__main__":
    main()
