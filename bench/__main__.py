"""`make bench`: prints medians and ratios, and writes build/bench.json; never fails for a figure."""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bench.contenders import CONTENDERS
from bench.scenarios import FIRST, SCENARIOS, Figures

OURS = "xsession"
PACKAGES = {"plain boto3": "boto3", **{name: name for name in CONTENDERS if name != "plain boto3"}}


def main() -> None:
    """Measures all scenarios for all libraries that are installed."""
    options = arguments()
    present = {name: found for name, package in PACKAGES.items() if (found := installed(package))}
    print(f"Python {platform.python_version()}, {', '.join(f'{name} {found}' for name, found in present.items())}")
    print(f"medians of {options.runs} runs, each in a process of its own; x: the best other divided by xsession\n")
    results: dict[str, dict[str, Figures]] = {}
    with stub() as environ:
        for scenario in [*SCENARIOS, FIRST]:
            if options.only and options.only not in scenario:
                continue
            runs: dict[str, list[Figures]] = {name: [] for name in present}
            # In turn, so that a noisy minute of the machine hits all alike.
            for _ in range(options.runs):
                for name in present:
                    runs[name].append(measure(scenario, name, options.size, environ))
            results[scenario] = {name: medians(figures) for name, figures in runs.items()}
            show(scenario, results[scenario])
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"versions": present, "runs": options.runs, "results": results}, indent=2))
    print(f"\n{options.json}")


def arguments() -> argparse.Namespace:
    """The command line's."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--runs", type=int, default=3, help="how often each is measured")
    parser.add_argument("--size", type=float, default=1.0, help="share of the accounts and repetitions")
    parser.add_argument("--quick", action="store_true", help="one run of a tenth")
    parser.add_argument("--only", help="scenarios whose name holds this text")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="where the figures go")
    options = parser.parse_args()
    if options.quick:
        options.runs, options.size = 1, 0.1
    return options


@contextmanager
def stub() -> Iterator[dict[str, str]]:
    """Runs the AWS stub; gives the environment of processes that use it."""
    with subprocess.Popen(
        [sys.executable, "-m", "bench.stub"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        port = int(server.stdout.readline())
        mine = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        try:
            yield {
                **mine,
                "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "AWS_ACCESS_KEY_ID": "AKIABENCH",
                "AWS_SECRET_ACCESS_KEY": "secret",
                "AWS_REGION": "eu-west-1",
                "AWS_DEFAULT_REGION": "eu-west-1",
                "AWS_EC2_METADATA_DISABLED": "true",
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            }
        finally:
            server.stdin.close()


def measure(scenario: str, who: str, size: float, environ: dict[str, str]) -> Figures:
    """One run in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "bench.scenarios", scenario, who, str(size)]
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
        print(f"  {who:<24}{shown}")
    others = [figures for who, figures in results.items() if who != OURS]
    if OURS in results and others:
        ratios = (
            f"{min(other[name] for other in others) / value:>9,.1f}x {name}"
            for name, value in results[OURS].items()
            if value
        )
        print(f"  {'x':<24}{'  '.join(ratios)}")


def installed(package: str) -> str | None:
    """The version of a package; None: it is not there."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
