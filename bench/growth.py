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

from bench import contenders
from bench.__main__ import stub
from bench.scenarios import Figures, more_accounts

SIZES = (10, 100, 1_000, 5_000)
RUNS = 3
WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 640, 260, 60, 34, 36


def measure(accounts: int) -> Figures:
    """One run in this process: each account is assumed and gets an s3 client."""
    contenders.ACCOUNTS = accounts + 1
    return more_accounts(contenders.XSession(), services=("s3",), accounts=accounts)


def middle(runs: Sequence[Figures]) -> Figures:
    """The median of each figure."""
    return {name: sorted(run[name] for run in runs)[len(runs) // 2] for name in runs[0]}


# An image knows the color scheme of the system, not that of the page: it brings a background to be read on.
BACKGROUND = """<style>
svg { fill: #3a3f55; color: #3a3f55 } .page { fill: #f6f7fb }
@media (prefers-color-scheme: dark) { svg { fill: #ced2e4; color: #ced2e4 } .page { fill: #262a3b } }
</style>
<rect class="page" width="100%" height="100%"/>"""


def plot(title: str, values: Sequence[float], top: float) -> str:
    """A bar for each number of accounts, as SVG."""
    floor, step = HEIGHT - BOTTOM, (WIDTH - LEFT) / len(values)
    parts = [
        f'<text x="{LEFT}" y="20" font-weight="bold">{title}</text>',
        f'<line x1="{LEFT}" y1="{floor}" x2="{WIDTH}" y2="{floor}" stroke="currentColor"/>',
    ]
    for number, (accounts, value) in enumerate(zip(SIZES, values, strict=True)):
        x, tall = LEFT + step * (number + 0.2), (floor - TOP - 16) * value / top
        middle_x = x + step * 0.3
        parts += [
            f'<rect x="{x:.0f}" y="{floor - tall:.0f}" width="{step * 0.6:.0f}" height="{tall:.0f}" fill="#7986cb"/>',
            f'<text x="{middle_x:.0f}" y="{floor - tall - 5:.0f}" text-anchor="middle">{value:,.3g}</text>',
            f'<text x="{middle_x:.0f}" y="{floor + 18}" text-anchor="middle">{accounts:,} accounts</text>',
        ]
    return "\n".join(parts)


def drawing(results: Sequence[Figures]) -> str:
    """Both plots, one above the other."""
    charts = (("ms for each account: AssumeRole and an s3 client", "ms"), ("KB for each account", "KB"))
    drawn = []
    for number, (title, name) in enumerate(charts):
        values = [result[name] for result in results]
        drawn.append(f'<g transform="translate(0 {HEIGHT * number})">\n{plot(title, values, max(values))}\n</g>')
    size = f'viewBox="0 0 {WIDTH} {HEIGHT * len(charts)}" width="{WIDTH}"'
    inner = "\n".join(drawn)
    font = 'font-family="sans-serif" font-size="13"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {font}>\n{BACKGROUND}\n{inner}\n</svg>\n'


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
