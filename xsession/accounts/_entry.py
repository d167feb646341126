"""One account as a file defines it, before it becomes an `Account`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xsession._base import frozen


@frozen
class Entry:
    """One account of a file.

    Args:
        name: Its name.
        options: The other arguments of `Account`.
        origin: The file, the line and the key or profile.
    """

    name: str
    options: Mapping[str, Any]
    origin: str
