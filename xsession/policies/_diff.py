"""A unified diff of two documents in JSON, without external ids; where much differs, in linear time."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Sequence

from ._external_ids import ExternalIds

_MOST_PAIRS = 250_000
_CONTEXT = 3


def unified(before_name: str, before: str, after_name: str, after: str) -> str:
    """A unified diff of two JSON documents, or of nothing and one, without the external ids in them."""
    ids = ExternalIds()
    old, new = (
        json.dumps(ids.hidden(json.loads(text)), indent=2).splitlines() if text else [] for text in (before, after)
    )
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    if (len(old) - head - tail) * (len(new) - head - tail) <= _MOST_PAIRS:
        return "\n".join(difflib.unified_diff(old, new, before_name, after_name, lineterm=""))
    # difflib takes time by the square of the lines: all that differs is one block.
    start, end = max(head - _CONTEXT, 0), tail - min(tail, _CONTEXT)
    old_rows, new_rows = old[start : len(old) - end], new[start : len(new) - end]
    kept, left = head - start, tail - end
    return "\n".join(
        [
            f"--- {before_name}",
            f"+++ {after_name}",
            f"@@ -{start + 1},{len(old_rows)} +{start + 1},{len(new_rows)} @@",
            *(f" {line}" for line in old_rows[:kept]),
            *(f"-{line}" for line in old_rows[kept : len(old_rows) - left]),
            *(f"+{line}" for line in new_rows[kept : len(new_rows) - left]),
            *(f" {line}" for line in old_rows[len(old_rows) - left :]),
        ]
    )


def _common(old: Sequence[str], new: Sequence[str]) -> int:
    """How many lines the two have in common at their beginning."""
    pairs: Iterable[tuple[str, str]] = zip(old, new, strict=False)
    return next((number for number, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))
