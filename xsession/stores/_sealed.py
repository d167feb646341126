"""Entries as they lie on the disk: AES-GCM under the master key, bound to what they were put under.

A line of JSON that says how to read the rest, then the nonce, then what is sealed. That line and the key are
associated data, so an entry that was moved, renamed or edited doesn't open.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

FORMAT = 1
_NONCE_BYTES = 12
_NAME_CHARACTERS = 40


class UnusableEntryError(Exception):
    """An entry can't be opened; says why."""


class Seal:
    """Names, seals and opens entries under one master key.

    Args:
        secret: The master key.
    """

    def __init__(self, secret: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 # an extra's

        self.key_id = key_id(secret)
        self._names = _derived(secret, "names")
        self._cipher = AESGCM(_derived(secret, "entries"))

    def name(self, kind: str, key: str) -> str:
        """The file name of an entry, from which nobody learns its key.

        Args:
            kind: What it is; the name ends with it.
            key: What it is put under.
        """
        digest = _hmac(self._names, f"{kind}\0{key}".encode()).hex()
        return f"{digest[:_NAME_CHARACTERS]}.{kind}"

    def seal(self, kind: str, key: str, value: object, account_id: str | None = None) -> bytes:
        """An entry.

        Args:
            kind: What it is.
            key: What it is put under.
            value: What JSON has.
            account_id: The account that it is bound to.
        """
        header = json.dumps({"format": FORMAT, "key_id": self.key_id, "account_id": account_id}).encode()
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(nonce, json.dumps(value).encode(), _bound(header, kind, key))
        return header + b"\n" + nonce + sealed

    def open(self, kind: str, key: str, entry: bytes) -> Any:
        """What was sealed.

        Args:
            kind: What it should be.
            key: What it should be put under.
            entry: All of it.

        Raises:
            UnusableEntryError: It is anything else.
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 # an extra's

        header, _, rest = entry.partition(b"\n")
        said = _said(header)
        if not isinstance(said.get("format"), int):
            msg = "it is empty, cut off or damaged"
            raise UnusableEntryError(msg)
        if said["format"] != FORMAT:
            msg = f"it has format {said['format']}, of another version of xsession; this one reads {FORMAT}"
            raise UnusableEntryError(msg)
        if said.get("key_id") != self.key_id:
            msg = "it was sealed with another master key"
            raise UnusableEntryError(msg)
        try:
            opened = self._cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], _bound(header, kind, key))
        except (InvalidTag, ValueError):
            msg = "it is damaged, or was moved or edited"
            raise UnusableEntryError(msg) from None
        return json.loads(opened)


def key_id(secret: bytes) -> str:
    """What a master key is called, from which nobody learns it."""
    return _derived(secret, "id").hex()[:16]


def _derived(secret: bytes, purpose: str) -> bytes:
    return _hmac(secret, f"xsession store {purpose}".encode())


def _hmac(secret: bytes, text: bytes) -> bytes:
    # Python's own loads OpenSSL once more.
    from cryptography.hazmat.primitives import hashes, hmac  # noqa: PLC0415 # an extra's

    digest = hmac.HMAC(secret, hashes.SHA256())
    digest.update(text)
    return digest.finalize()


def _bound(header: bytes, kind: str, key: str) -> bytes:
    return b"\0".join((header, kind.encode(), key.encode()))


def _said(header: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(header)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
