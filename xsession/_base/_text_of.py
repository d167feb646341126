"""What foreign values say."""

from __future__ import annotations


def text_of(value: object) -> str:
    """What an error or another value says, or that it can't."""
    try:
        return str(value)
    except (Exception, SystemExit) as why:  # noqa: BLE001 # its own code
        return f"str() raised {type(why).__name__}"
