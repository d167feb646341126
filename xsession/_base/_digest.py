"""SHA-256 as Python has it by itself: `hashlib` loads OpenSSL, which takes longer than all of our digests."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Protocol


class Digest(Protocol):
    """What has been digested."""

    def hexdigest(self) -> str:
        """It, in hexadecimal."""


def _sha256() -> Callable[[bytes], Digest]:
    # As the standard library's `random` does: https://github.com/python/cpython/blob/3.12/Lib/random.py
    with suppress(ImportError):  # since Python 3.12
        return _of("_sha2")
    with suppress(ImportError):
        return _of("_sha256")
    return _of("hashlib")


def _of(name: str) -> Callable[[bytes], Digest]:
    found: Callable[[bytes], Digest] = import_module(name).sha256
    return found


sha256 = _sha256()


def digest_of(value: object) -> str:
    """The digest of a value that JSON has a form for, in hexadecimal."""
    return sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
