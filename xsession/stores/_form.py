"""Credentials as JSON, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from xsession.credentials import Credentials

_TIMES = ("expiry", "issued_at")


def to_json(credentials: Credentials) -> dict[str, Any]:
    """What is known of credentials, the secret among it."""
    values = {item.name: getattr(credentials, item.name) for item in fields(Credentials)}
    for name in _TIMES:
        if values[name] is not None:
            values[name] = values[name].isoformat()
    return {name: value for name, value in values.items() if value is not None}


def from_json(value: Mapping[str, Any]) -> Credentials:
    """Credentials that `to_json` wrote, be it that of a version which knows more of them.

    Raises:
        ValueError: A time is none.
        TypeError: Something is missing.
    """
    known = {item.name for item in fields(Credentials)}
    values = {name: item for name, item in value.items() if name in known}
    for name in _TIMES:
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    return Credentials(**values)
