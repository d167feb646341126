"""Draws what `make bench` measured; `python -m bench.chart RECORD.json FOLDER` draws it again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from bench.contenders import BARE_POOL, PUBLIC_PATH

WIDTH, LEFT, RIGHT, TOP, STEP, BAR = 400, 178, 68, 62, 26, 16

PANELS = {
    "one-more-account": ("one more account, s3", "ms", "ms", "One more account", "AssumeRole and an s3 client; ms"),
    "memory": ("one more account, s3", "KB", "KB", "Its memory", "the same account and client; KB"),
    "fan-out": (
        "fan-out, 32 threads, 20 ms",
        "ms per account",
        "ms",
        "Many accounts at once",
        "32 threads, a call of 20 ms in each; ms for each",
    ),
}
"""A chart's file: its scenario, its figure and unit, its title and what is under it."""

# An image knows the scheme of the system and not that of the page, so it brings a background for what it has chosen.
STYLE = """
  .page { fill: #f6f7fb } .name { fill: #3a3f55 } .title { fill: #14172a }
  .ours { fill: #4051b5 } .other { fill: #8b90a6 }
  @media (prefers-color-scheme: dark) {
    .page { fill: #262a3b } .name { fill: #ced2e4 } .title { fill: #ffffff }
    .ours { fill: #8f9df5 } .other { fill: #7d829b }
  }"""


def in_words(record: Mapping[str, Any]) -> str:
    """What one more account costs, beside the best of the others."""
    measured = record["results"]["one more account, s3"]
    own = measured["xsession"]
    others = [figures for who, figures in measured.items() if not who.startswith("xsession")]
    ms, kb = (min(figures[name] for figures in others) for name in ("ms", "KB"))
    return (
        f"{shown(own['ms'])} ms and {shown(own['KB'])} KB, where the best of the others take {shown(ms)} ms "
        f"and {shown(kb)} KB"
    )


def write(record: Mapping[str, Any], folder: Path) -> list[Path]:
    """Writes the charts of those scenarios that were measured, and the record that they were drawn from."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, (scenario, *_) in PANELS.items():
        if scenario in record["results"]:
            path = folder / f"{name}.svg"
            path.write_text(drawing(record, name), encoding="utf-8")
            written.append(path)
    kept = folder / "bench.json"
    kept.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    return [*written, kept]


def shown(value: float) -> str:
    """Three digits, as `make bench` prints them."""
    return f"{value:,.3g}" if value < 100 else f"{value:,.0f}"


def drawing(record: Mapping[str, Any], name: str) -> str:
    """A bar for each library, ours last, as SVG."""
    scenario, figure, unit, title, subtitle = PANELS[name]
    measured = record["results"][scenario]
    values = {who: measured[who][figure] for who in measured if who not in (PUBLIC_PATH, BARE_POOL)}
    bars = [bar(TOP + STEP * row, who, value, max(values.values())) for row, (who, value) in enumerate(values.items())]
    bars.insert(0, f'<text class="name" x="16" y="46" font-size="12">{escape(subtitle)}</text>')
    spoken = "; ".join(f"{who} {shown(value)} {unit}" for who, value in values.items())
    described = f"{subtitle}. {spoken}. {record['date']}, {record['machine']}, {record['command']}."
    return picture(title, described, (WIDTH, TOP + STEP * len(values) + 8), bars)


def bar(y: float, who: str, value: float, widest: float) -> str:
    """One library's."""
    kind, weight = ("ours", ' font-weight="bold"') if who == "xsession" else ("other", "")
    long = max(1.5, (WIDTH - LEFT - RIGHT) * value / widest)
    return (
        f'<text class="name" x="{LEFT - 10}" y="{y + 12}" text-anchor="end"{weight}>{escape(who)}</text>\n'
        f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{long:.1f}" height="{BAR}" rx="2"/>\n'
        f'<text class="name" x="{LEFT + long + 6:.1f}" y="{y + 12}"{weight}>{shown(value)}</text>'
    )


def picture(title: str, described: str, size: tuple[int, int], parts: Iterable[str]) -> str:
    """An SVG of our style, with the words for those who don't see it."""
    width, height = size
    inner = "\n".join(parts)
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" \
aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="13">
<title id="t">{escape(title)}</title>
<desc id="d">{escape(described)}</desc>
<style>{STYLE}
</style>
<rect class="page" width="{width}" height="{height}" rx="6"/>
<text class="title" x="16" y="27" font-size="15" font-weight="bold">{escape(title)}</text>
{inner}
</svg>
"""


if __name__ == "__main__":
    record_file, target = sys.argv[1:]
    measured = json.loads(Path(record_file).read_text(encoding="utf-8"))
    print(*write(measured, Path(target)), in_words(measured), sep="\n")
