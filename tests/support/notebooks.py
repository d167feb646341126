"""What IPython and Jupyter make of objects and cells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def printed(shown: Any) -> str:
    """What IPython prints of an object in a terminal."""
    parts: list[str] = []
    shown._repr_pretty_(SimpleNamespace(text=parts.append), False)
    return "".join(parts)
