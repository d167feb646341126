"""What IPython and Jupyter make of objects and cells."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


def printed(shown: Any) -> str:
    """What IPython prints of an object in a terminal: it asks the first class that has a `__repr__` of its own."""
    parts: list[str] = []
    (asked, *_) = (cls for cls in type(shown).mro() if {"__repr__", "_repr_pretty_"} & vars(cls).keys())
    vars(asked)["_repr_pretty_"](shown, SimpleNamespace(text=parts.append), False)
    return "".join(parts)
