"""What data libraries cost: `make bench-data`, or `python -m bench.data [--runs N] [LIBRARY ...]`.

For each library: how often the role is assumed while one job reads all the time over three expiries; how long the
accessor takes; and the time to the first byte as an account against the same path with static keys, and against the
library's own S3 client where that is other code. Warm, with sessions of an hour, in turn; medians. What answers is a
process of its own.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import boto3

from bench.data_libraries import BUCKET, LIBRARIES, REGION, Library, Read
from bench.scenarios import control, count
from xsession import CrossAccountSession

WARM_UP = 5
LIFETIME = 8.0
"""Seconds, of the sessions in a job."""
EXPIRIES = 3
PAUSE = 0.1
"""Seconds between two reads of a job."""
ROLE = "arn:aws:iam::222222222222:role/Bench"


def put(url: str, key: str, body: bytes) -> None:
    """Gives the stub an object."""
    request = urllib.request.Request(f"{url}/{BUCKET}/{key}", data=body, method="PUT")
    with urllib.request.urlopen(request):
        pass


def fill(url: str) -> None:
    """The same rows as CSV, as Parquet and as a Delta table."""
    import deltalake  # noqa: PLC0415 # of the data environment
    import pyarrow as pa  # noqa: PLC0415 # likewise
    import pyarrow.parquet as pq  # noqa: PLC0415 # likewise

    table, file = pa.table({"name": ["goku", "vegeta"] * 500, "level": list(range(1_000))}), io.BytesIO()
    pq.write_table(table, file)
    put(url, "levels.parquet", file.getvalue())
    put(url, "levels.csv", table.to_pandas().to_csv(index=False).encode())
    with tempfile.TemporaryDirectory() as folder:
        deltalake.write_deltalake(f"{folder}/table", table)
        for path in Path(folder).rglob("*"):
            if path.is_file():
                put(url, path.relative_to(folder).as_posix(), path.read_bytes())


@contextmanager
def account_of(name: str = "vegeta") -> Iterator[CrossAccountSession]:
    """A session that knows one account."""
    with CrossAccountSession({name: ROLE}, session=boto3.Session("AKIDBENCH", "secret", region_name=REGION)) as xs:
        yield xs


def milliseconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1e3


def in_turn(reads: Sequence[Read], runs: int) -> list[list[float]]:
    """The milliseconds of each run of each read; what disturbs the machine disturbs all alike."""
    times: list[list[float]] = [[] for _ in reads]
    for run in range(runs + WARM_UP):
        # Each is the first one as often as the others: it finds the caches of processor and kernel cold.
        for read, took in list(zip(reads, times, strict=True))[:: 1 if run % 2 else -1]:
            spent = milliseconds(read)
            if run >= WARM_UP:
                took.append(spent)
    return times


def ratio(ours: Sequence[float], others: Sequence[float]) -> str:
    """The median of the ratios of what was measured one after the other."""
    return f"{statistics.median(our / other for our, other in zip(ours, others, strict=True)):.2f}x"


def assumed_in_a_job(library: Library) -> int:
    """How often the role is assumed while one job outlives so many sessions."""
    control(lifetime=LIFETIME)
    with account_of() as xs:
        read = library.through(library.accessor(xs["vegeta"]))
        ends = time.monotonic() + LIFETIME * EXPIRIES + 1
        while time.monotonic() < ends:
            read()
            time.sleep(PAUSE)
    return count("AssumeRole")


def row(name: str, library: Library, url: str, runs: int, *, job: bool) -> str:
    """A library's row of the table."""
    assumed = str(assumed_in_a_job(library)) if job else ""
    control(lifetime=3_600)
    reads = [library.through(library.static(url))]
    if library.native is not None:
        try:
            reads.append(library.through(library.native(url)))
        except ImportError:
            print(f"{name}: its own S3 client is not installed", file=sys.stderr)
    with account_of() as xs:
        reads.insert(0, library.through(library.accessor(xs["vegeta"])))
        ours, static, *native = in_turn(reads, runs)
        accessor = statistics.median(milliseconds(lambda: library.accessor(xs["vegeta"])) for _ in range(runs))
    package = name.partition(",")[0]
    figures = [
        name.replace(package, f"{package} {version(package)}"),
        assumed,
        *(f"{value:.2f}" for value in (accessor, statistics.median(ours), statistics.median(static))),
        ratio(ours, static),
        *(ratio(ours, times) for times in native),
    ]
    return f"| {' | '.join(figures)} |{'' if native else ' |'}"


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(prog="make bench-data", description=__doc__)
    parser.add_argument("libraries", nargs="*", metavar="LIBRARY", help="one of " + ", ".join(LIBRARIES))
    parser.add_argument("--runs", type=int, default=30, help="how often each read is measured")
    parser.add_argument("--no-jobs", action="store_true", help="leaves out the jobs, of half a minute each")
    options = parser.parse_args()
    for variable in [variable for variable in os.environ if variable.startswith("AWS_")]:
        del os.environ[variable]
    command = [sys.executable, "-m", "bench.stub"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stub:
        assert stub.stdin is not None
        assert stub.stdout is not None
        url = f"http://127.0.0.1:{int(stub.stdout.readline())}"
        os.environ |= {"AWS_ENDPOINT_URL": url, "AWS_EC2_METADATA_DISABLED": "true"}
        fill(url)
        print(f"Python {platform.python_version()}, {os.cpu_count()} cores, medians of {options.runs}\n")
        print(
            f"| library | AssumeRole over {EXPIRIES} expiries | accessor, ms | first byte, ms | with static keys, ms "
            "| to static keys | to its own client |"
        )
        print("|---|---:|---:|---:|---:|---:|---:|")
        for name in options.libraries or LIBRARIES:
            print(row(name, LIBRARIES[name], url, options.runs, job=not options.no_jobs), flush=True)
        stub.stdin.close()


if __name__ == "__main__":
    main()
