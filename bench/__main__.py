"""`make bench`: prints medians and ratios, writes build/bench.json and draws charts; never fails for a figure."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import platform
import re
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import trustme
from botocore.httpsession import get_cert_path

from bench import chart
from bench.contenders import BARE_POOL, BOTOCOVE, BOTOCOVE_32, CONTENDERS, FOR_RUN_ALONE, PUBLIC_PATH
from bench.scenarios import ALONE, OVER_TLS, RUN, SCENARIOS, Figures

OURS = "xsession"
PACKAGES = {**{name: name for name in CONTENDERS}, "plain boto3": "boto3", PUBLIC_PATH: OURS, BARE_POOL: OURS}
PACKAGES[BOTOCOVE_32] = BOTOCOVE

TARGETS = {
    "one more account, s3": ">= 40x ms, >= 500x KB; public path: >= 10x ms, >= 25x KB",
    "one more account, 5 services": ">= 120x ms, >= 500x KB",
    "fan-out, 32 threads, 20 ms": ">= 45x ms per account, <= 70 MB",
    f"fan-out, 32 threads, 20 ms, {OVER_TLS}": ">= 50x ms per account",
    RUN: "<= 1.15x the ms per call of the bare pool, >= 27x of the others; <= 105 MB, and flat",
    "the same client again": "<= 0.4 us",
    "read fresh credentials": "<= 0.15 us",
    "CPU of a request": ">= 1.00x with one client, >= 1.25x with 200 in turn, against plain boto3",
    "900 s sessions, 100 requests": "1 call",
    "STS down, 5 min left, 20 threads": "0 failed",
    "first client and request, new process": "<= 1.05 of plain boto3",
    "import": "<= 10 ms for the import; the session is brought when it is named",
}


def main() -> None:
    """Measures all scenarios for all libraries that are installed."""
    options = arguments()
    present = {name: found for name, package in PACKAGES.items() if (found := installed(package))}
    versions = {**present, "botocore": installed("botocore")}
    print(f"Python {platform.python_version()}, {', '.join(f'{name} {number}' for name, number in versions.items())}")
    print(
        f"medians of {options.runs} runs, each in a process of its own; x: the best of the others divided by xsession\n"
    )
    results: dict[str, dict[str, Figures]] = {}
    with stub() as plain, stub(tls=True) as tls:
        for scenario in [*SCENARIOS, *ALONE]:
            if options.only and not any(re.search(part, scenario) for part in options.only):
                continue
            runs: dict[str, list[Figures]] = {
                name: [] for name in present if name not in FOR_RUN_ALONE or scenario == RUN
            }
            # In turn, so that a noisy minute of the machine hits all alike.
            for _ in range(options.runs):
                for name, figures in runs.items():
                    figures.append(measure(scenario, name, options.size, tls if OVER_TLS in scenario else plain))
            results[scenario] = {name: medians(measured) for name, measured in runs.items()}
            show(scenario, results[scenario])
    record = {**circumstances(), "versions": versions, "runs": options.runs, "results": results}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    print(f"\n{options.json}")
    if options.charts:
        print(*chart.write(record, options.charts), sep="\n")


def arguments() -> argparse.Namespace:
    """The command line's."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each is measured")
    parser.add_argument("--size", type=float, default=1.0, help="share of the accounts and repetitions")
    parser.add_argument("--quick", action="store_true", help="one run of a tenth")
    parser.add_argument("--only", action="append", help="scenarios whose name this pattern finds; may be given again")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures go")
    parser.add_argument("--charts", type=Path, metavar="FOLDER", help="where their charts go; else none are drawn")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.size = 1, 0.1
    return options


def circumstances() -> dict[str, str]:
    """When, where and how it was measured."""
    cpuinfo = Path("/proc/cpuinfo")
    named = re.search(r"model name\s*: (.*)", cpuinfo.read_text()) if cpuinfo.exists() else None
    model = named[1] if named else platform.machine()
    given = shlex.join(sys.argv[1:]).replace("'", '"').replace("$", "$$")  # as make takes it
    return {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "machine": f"{os.cpu_count()} cores, {model}, {platform.system()}, Python {platform.python_version()}",
        "command": f"make bench ARGS='{given}'" if given else "make bench",
    }


@contextmanager
def stub(*, tls: bool = False) -> Iterator[dict[str, str]]:
    """Runs the AWS stub; gives the environment of processes that use it."""
    with tempfile.TemporaryDirectory() as folder:
        bundle = certificates(Path(folder)) if tls else {}
        command = [sys.executable, "-m", "bench.stub", *([f"{folder}/server.pem"] if tls else [])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            assert server.stdin is not None
            port = int(server.stdout.readline())
            # With PYTHON's, every import might compile again what other programs find compiled.
            others = ("AWS_", "XSESSION_", "PYTHON")
            mine = {name: value for name, value in os.environ.items() if not name.startswith(others)}
            try:
                yield {
                    **mine,
                    **bundle,
                    "AWS_ENDPOINT_URL": f"http{'s' if tls else ''}://127.0.0.1:{port}",
                    "AWS_ACCESS_KEY_ID": "AKIABENCH",
                    "AWS_SECRET_ACCESS_KEY": "secret",
                    "AWS_REGION": "eu-west-1",
                    "AWS_DEFAULT_REGION": "eu-west-1",
                    "AWS_EC2_METADATA_DISABLED": "true",
                    "TQDM_DISABLE": "1",
                    "AWS_CONFIG_FILE": os.devnull,
                    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
                }
            finally:
                server.stdin.close()


def certificates(folder: Path) -> dict[str, str]:
    """A certificate for the stub, and the environment of processes that trust it.

    The bundle is that of a company with a CA of its own: botocore's, with one more certificate in it.
    """
    ca = trustme.CA()
    issued = ca.issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    bundle = folder / "bundle.pem"
    bundle.write_bytes(Path(str(get_cert_path(True))).read_bytes() + b"\n" + ca.cert_pem.bytes())
    return {"AWS_CA_BUNDLE": str(bundle)}


def measure(scenario: str, who: str, size: float, environ: dict[str, str]) -> Figures:
    """One run in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.scenarios", scenario, who, str(size)]
    if who == PUBLIC_PATH:
        environ = {**environ, "XSESSION_FAST_CLIENTS": "0"}
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
    figures: Figures = json.loads(done.stdout)
    return figures


def medians(runs: list[Figures]) -> Figures:
    """The median of each figure."""
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def show(scenario: str, results: dict[str, Figures]) -> None:
    """Prints one scenario."""
    print(scenario)
    for who, figures in results.items():
        shown = "  ".join(
            f"{value:>10,.3g} {name}" if value < 100 else f"{value:>10,.0f} {name}" for name, value in figures.items()
        )
        print(f"  {who:<26}{shown}")
    others = [figures for who, figures in results.items() if who not in (OURS, PUBLIC_PATH, BARE_POOL)]
    for who in (PUBLIC_PATH, OURS):
        if who in results and others:
            ratios = (
                f"{min(other[name] for other in others) / value:>9,.1f}x {name}"
                for name, value in results[who].items()
                if value and all(name in other for other in others)
            )
            print(f"  {f'x, {who}':<26}{'  '.join(ratios)}")
    if BARE_POOL in results:
        ratio = results[OURS]["ms per call"] / results[BARE_POOL]["ms per call"]
        print(f"  {'of the bare pool':<26}{ratio:>9,.2f}x ms per call")
    print(f"  {'target':<26}  {TARGETS[scenario]}")


def installed(package: str) -> str | None:
    """The version of a package; None: it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
