"""What is measured, each for each library in a process of its own: `python -m bench.scenarios NAME WHO`."""

from __future__ import annotations

import gc
import json
import os
import resource
import ssl
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.contenders import CONTENDERS, REGION, BarePool, Botocove, Contender, XSession

Figures = dict[str, float]

OVER_TLS = "over TLS"
PEAK = "peak MB of"
RUN = "run, accounts x 8 regions, 32 threads, 20 ms"
REGIONS = (
    "eu-west-1", "eu-west-2", "eu-west-3", "eu-central-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
)  # fmt: skip
FIVE = ("s3", "ec2", "dynamodb", "sts", "iam")


def scaled(number: int, size: float) -> int:
    """That share of a number, and something at least."""
    return max(2, int(number * size))


def rss() -> int:
    """The bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def asked(path: str) -> Any:
    """The stub's answer to a request that is none of AWS's."""
    context = ssl.create_default_context(cafile=os.environ.get("AWS_CA_BUNDLE"))
    return urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/{path}", context=context)


def control(**settings: float) -> None:
    """Sets the stub."""
    query = "&".join(f"{name}={value}" for name, value in settings.items())
    with asked(f"control?{query}"):
        pass


def count(operation: str) -> int:
    """How many calls of an operation the stub has had since it was set."""
    with asked("counts") as answer:
        return int(json.load(answer).get(operation, 0))


def credentials_of(client: Any) -> Any:
    """What a client asks at each signing; there is no public way to it that all libraries have."""
    return client._request_signer._credentials  # noqa: SLF001


def frozen(client: Any) -> Any:
    """The credentials that a client signs with; gets them where they are not there yet."""
    return credentials_of(client).get_frozen_credentials()


def more_accounts(contender: Contender, *, services: tuple[str, ...], accounts: int) -> Figures:
    """Each account after the first: AssumeRole and a client of each service."""
    held = [contender.client(service, 1) for service in services]
    frozen(held[0])
    gc.collect()
    before, began = rss(), time.perf_counter()
    for account in range(2, accounts + 2):
        clients = [contender.client(service, account) for service in services]
        frozen(clients[0])
        held += clients
    seconds = time.perf_counter() - began
    gc.collect()
    return {"ms": seconds / accounts * 1e3, "KB": (rss() - before) / accounts / 1024}


def one_service(contender: Contender, size: float) -> Figures:
    """One more account with an s3 client."""
    return more_accounts(contender, services=("s3",), accounts=scaled(contender.accounts[0], size))


def five_services(contender: Contender, size: float) -> Figures:
    """One more account with five clients."""
    return more_accounts(contender, services=FIVE, accounts=scaled(contender.accounts[1], size))


def fan_out(contender: Contender, size: float) -> Figures:
    """Accounts in 32 threads, one call each with 20 ms of latency; 500 for xsession, and 96 for what takes minutes."""
    accounts = scaled(contender.at_once, size)
    control(latency=0.02)
    began = time.perf_counter()
    with ThreadPoolExecutor(32) as pool:
        list(pool.map(lambda account: contender.client("s3", account).list_buckets(), range(1, accounts + 1)))
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"ms per account": seconds / accounts * 1e3, f"{PEAK} {accounts}": peak}


def run(contender: Contender, size: float) -> Figures:
    """300 accounts x 8 regions in 32 threads, a call each with 20 ms of latency; 12 accounts for what takes minutes.

    xsession's `run`, botocove's decorator, or a plain pool.
    """
    accounts = scaled(300 if isinstance(contender, XSession) else 12, size)
    control(latency=0.02)
    began, calls = time.perf_counter(), 0
    after_first = 0
    for _ in answers(contender, accounts):
        calls += 1
        if calls == min(100, accounts // 3) * len(REGIONS):
            after_first = rss()
    seconds = time.perf_counter() - began
    assert calls == accounts * len(REGIONS)
    return {
        "ms per call": seconds / calls * 1e3,
        f"{PEAK} {accounts}": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "MB more after the first third": (rss() - after_first) / 2**20,
    }


def answers(contender: Contender, accounts: int) -> Iterator[object]:
    """What came of each call."""
    if isinstance(contender, Botocove):
        yield from contender.everywhere(lambda session: session.client("s3").list_buckets() and None, accounts, REGIONS)
        return
    if isinstance(contender, XSession) and not isinstance(contender, BarePool):
        names = [f"a{account}" for account in range(1, accounts + 1)]
        for outcome in contender.session.run(list_buckets, names, regions=REGIONS, max_workers=32):
            assert outcome.ok, outcome
            yield outcome
        return
    pairs = [(account, region) for account in range(1, accounts + 1) for region in REGIONS]
    with ThreadPoolExecutor(32) as pool:
        yield from pool.map(lambda pair: contender.client("s3", *pair).list_buckets() and None, pairs)


def list_buckets(session: Any) -> None:
    """One call."""
    session.get_client("s3").list_buckets()


def hot_client(contender: Contender, size: float) -> Figures:
    """The same client once more."""
    repeats = scaled(200_000 if is_ours(contender) else 300, size)
    contender.client("s3", 1)
    if is_ours(contender):
        get: Callable[..., Any] = contender.session.get_client  # type: ignore[attr-defined]  # what users write
        began = time.perf_counter()
        for _ in range(repeats):
            get("s3", account="a1")
    else:
        began = time.perf_counter()
        for _ in range(repeats):
            contender.client("s3", 1)
    return {"us": (time.perf_counter() - began) / repeats * 1e6}


def fresh_credentials(contender: Contender, size: float) -> Figures:
    """What a client asks its credentials at each signing, while they are fresh."""
    get, repeats = credentials_of(contender.client("s3", 1)).get_frozen_credentials, scaled(200_000, size)
    get()
    began = time.perf_counter()
    for _ in range(repeats):
        get()
    return {"us": (time.perf_counter() - began) / repeats * 1e6}


def request_cpu(contender: Contender, size: float) -> Figures:
    """CPU of one request with one client, and with 200 in turn."""
    clients = [contender.client("s3", account) for account in range(1, scaled(200, size) + 1)]
    return {"us": cpu(clients[:1], size), f"us, {len(clients)} in turn": cpu(clients, size)}


def cpu(clients: list[Any], size: float) -> float:
    """CPU microseconds of one request."""
    repeats = max(1, int(1_000 * size) // len(clients))
    for client in clients:
        client.list_buckets()
    began = time.process_time()
    for _ in range(repeats):
        for client in clients:
            client.list_buckets()
    return (time.process_time() - began) / (repeats * len(clients)) * 1e6


def short_sessions(contender: Contender, _size: float) -> Figures:
    """AssumeRole calls of 100 requests with sessions of 900 seconds."""
    control(lifetime=900)
    client = contender.client("s3", 1)
    for _ in range(100):
        client.list_buckets()
    return {"calls": count("AssumeRole")}


def outage(contender: Contender, _size: float) -> Figures:
    """STS fails while credentials are good for five more minutes: failed requests of 20 threads."""
    control(lifetime=300)
    client = contender.client("s3", 1)
    frozen(client)
    control(lifetime=300, failing=1)

    def ask(_number: int) -> int:
        try:
            client.list_buckets()
        except Exception:  # noqa: BLE001 # counted
            return 1
        return 0

    began = time.perf_counter()
    with ThreadPoolExecutor(20) as pool:
        failed = sum(pool.map(ask, range(20)))
    return {"failed of 20": failed, "s": time.perf_counter() - began}


def first_client(who: str, _size: float) -> Figures:
    """A first client with its first request, in a new process."""
    use = "from bench import contenders as c; c.ACCOUNTS = 1; "
    return {"ms": run_python(f"{use} c.CONTENDERS[{who!r}]().client('s3', 1).list_buckets()")}


def imports(who: str, size: float) -> Figures:
    """Milliseconds that a library's import takes on top of boto3's; ours brings the session when it is named."""
    package = {"plain boto3": "boto3"}.get(who, who.partition(",")[0].replace("-", "_"))
    repeats = range(max(1, int(10 * size)))
    figures = {"ms": statistics.median(import_time(package) for _ in repeats)}
    if package == "xsession":
        use = (
            "import time, boto3; began = time.perf_counter(); from xsession import CrossAccountSession; "
            "print((time.perf_counter() - began) * 1e3)"
        )
        figures["ms, CrossAccountSession"] = statistics.median(
            float(subprocess.run([sys.executable, "-c", use], capture_output=True, text=True, check=True).stdout)
            for _ in repeats
        )
    return figures


def import_time(package: str) -> float:
    """Milliseconds that the import of a package takes, by Python's own account."""
    command = [sys.executable, "-X", "importtime", "-c", f"import boto3, {package}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = [line.split("|") for line in done.stderr.splitlines()]
    took = {line[2].rstrip(): int(line[1]) for line in lines[1:] if line[0].startswith("import time:")}
    return took[f" {package}"] / 1e3


def run_python(code: str) -> float:
    """Milliseconds that a Python takes for it."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return (time.perf_counter() - began) * 1e3


def is_ours(contender: Contender) -> bool:
    """Whether it is quick enough for the large numbers."""
    return hasattr(contender, "session")


SCENARIOS: dict[str, Callable[[Contender, float], Figures]] = {
    "one more account, s3": one_service,
    "one more account, 5 services": five_services,
    "fan-out, 32 threads, 20 ms": fan_out,
    f"fan-out, 32 threads, 20 ms, {OVER_TLS}": fan_out,
    RUN: run,
    "the same client again": hot_client,
    "read fresh credentials": fresh_credentials,
    "CPU of a request": request_cpu,
    "900 s sessions, 100 requests": short_sessions,
    "STS down, 5 min left, 20 threads": outage,
}


ALONE: dict[str, Callable[[str, float], Figures]] = {
    "first client and request, new process": first_client,
    "import": imports,
}
"""Scenarios that begin before the library is imported."""


def main() -> None:
    """Measures once and prints JSON."""
    name, who, size = sys.argv[1], sys.argv[2], float(sys.argv[3])
    control(latency=0, lifetime=3_600, failing=0)
    os.environ.setdefault("AWS_REGION", REGION)
    if name in ALONE:
        print(json.dumps(ALONE[name](who, size)))
    else:
        print(json.dumps(SCENARIOS[name](CONTENDERS[who](), size)))


if __name__ == "__main__":
    main()
