"""How time and memory grow with the number of accounts: prints the table of the documentation and draws its plot.

`python -m bench.growth [FOLDER]`; without a folder, nothing is drawn.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench import chart, contenders
from bench.__main__ import stub
from bench.scenarios import Figures, more_accounts

SIZES = (10, 100, 1_000, 5_000)
RUNS = 3
WIDTH, HEIGHT, HEAD, LEFT, TOP, BOTTOM = 400, 200, 34, 16, 26, 30


def measure(accounts: int) -> Figures:
    """One run in this process: each account is assumed and gets an s3 client."""
    contenders.ACCOUNTS = accounts + 1
    return more_accounts(contenders.XSession(), services=("s3",), accounts=accounts)


def middle(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return {name: sorted(run[name] for run in runs)[len(runs) // 2] for name in runs[0]}


def plot(title: str, values: Sequence[float], y: int) -> str:
    """A bar for each number of accounts, below that many pixels."""
    floor, step, top = HEIGHT - BOTTOM, (WIDTH - LEFT) / len(values), max(values)
    parts = [f'<g transform="translate(0 {y})" class="name">', f'<text x="16" y="18">{title}</text>']
    for number, (accounts, value) in enumerate(zip(SIZES, values, strict=True)):
        x, tall = LEFT + step * (number + 0.15), (floor - TOP - 16) * value / top
        middle_x = x + step * 0.35
        parts += [
            f'<rect class="ours" x="{x:.0f}" y="{floor - tall:.0f}" width="{step * 0.7:.0f}" height="{tall:.0f}"/>',
            f'<text x="{middle_x:.0f}" y="{floor - tall - 5:.0f}" text-anchor="middle">{value:,.3g}</text>',
            f'<text x="{middle_x:.0f}" y="{floor + 18}" text-anchor="middle">{accounts:,}</text>',
        ]
    return "\n".join([*parts, "</g>"])


def drawing(results: Sequence[Figures]) -> str:
    """Both plots, one above the other."""
    charts = (("ms for each account: AssumeRole and an s3 client", "ms"), ("KB for each account", "KB"))
    values = {title: [result[name] for result in results] for title, name in charts}
    plots = [plot(title, found, HEAD + HEIGHT * number) for number, (title, found) in enumerate(values.items())]
    described = "; ".join(
        f"{title}: "
        + ", ".join(f"{value:,.3g} with {accounts:,} accounts" for accounts, value in zip(SIZES, found, strict=True))
        for title, found in values.items()
    )
    return chart.picture("How it grows with accounts", f"{described}.", (WIDTH, HEAD + HEIGHT * len(charts)), plots)


def main() -> None:
    """Measures each size in processes of its own."""
    results = []
    print("| accounts | ms for each | KB for each |\n|---:|---:|---:|")
    with stub() as environ:
        for accounts in SIZES:
            command = [sys.executable, "-W", "ignore", "-m", "bench.growth", "--once", str(accounts)]
            runs = [json.loads(subprocess.check_output(command, env=environ)) for _ in range(RUNS)]
            results.append(middle(runs))
            print(f"| {accounts:,} | {results[-1]['ms']:.2f} | {results[-1]['KB']:.1f} |", flush=True)
    for folder in sys.argv[1:2]:
        Path(folder, "growth.svg").write_text(drawing(results), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--once"]:
        os.environ.setdefault("AWS_REGION", contenders.REGION)
        print(json.dumps(measure(int(sys.argv[2]))))
    else:
        main()
