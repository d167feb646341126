"""The master key of a store: made once, kept in the keyring, or in a file where the machine has none.

Which of the two it is stands in the folder, and never changes by itself.
"""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from xsession._base import Latch, frozen, renew_after_fork, under_lock, write_private_file
from xsession.errors import KeyFileWarning

from ._folder import KEY_FAILURE, Signature, StoreFolder
from ._keyring import PATIENCE_SECONDS, SERVICE, KeyringError, backend_of, find_keyring, in_time, open_keyring
from ._locks import ProcessLocks
from ._reports import StoreReports
from ._sealed import FORMAT, Seal, key_id

FILE = "key.json"
_LOCK = "key.lock"
_LOCK_SECONDS = 15.0
_KEY_BYTES = 32


class MasterKeyError(Exception):
    """The master key can't be obtained; says why."""


@frozen
class _Loaded:
    """What was found.

    Args:
        signature: That of the file which says where the key is.
        seal: Works with the key; None: it could not be obtained.
    """

    signature: Signature | None
    seal: Seal | None


class MasterKey:
    """The master key of a store, read once in a process.

    Args:
        folder: The store's.
        locks: The store's.
        reports: Takes problems.
        keyring_only: Whether it never lies in a file.
    """

    def __init__(self, folder: StoreFolder, locks: ProcessLocks, reports: StoreReports, *, keyring_only: bool) -> None:
        self._folder = folder
        self._locks = locks
        self._reports = reports
        self._keyring_only = keyring_only
        self._loaded: _Loaded | None = None
        self._lies_in_new_file = False
        # One entry: the thread that loads it, and what the others wait for.
        self._loading: dict[str, tuple[int, Latch]] = {}
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Has a forked child wait for no thread of the parent's."""
        self._loading = {}

    def seal(self, *, make: bool = False) -> Seal | None:
        """What works with the key; None: there is no key, or it can't be obtained, which was told.

        Args:
            make: Whether it is made where there is none.
        """
        loaded = self._loaded
        signature = self._folder.signature(FILE)
        # The folder may have been removed, or the key by `clear`.
        if loaded is not None and loaded.signature == signature:
            return loaded.seal
        if signature is None and not make:
            return None
        mine = threading.get_ident(), Latch()
        thread, latch = self._loading.setdefault("now", mine)
        if latch is mine[1]:
            with under_lock():
                try:
                    self._load()
                finally:
                    self._loading.pop("now", None)
                    latch.set()
        elif thread != mine[0]:  # else a signal handler came in, whose own thread loads it
            latch.wait(_LOCK_SECONDS + 2 * PATIENCE_SECONDS)
        return None if self._loaded is None else self._loaded.seal

    def forget_unusable(self) -> None:
        """Removes what says where the key is, if the key can't be obtained."""
        if self._folder.is_usable() and self._folder.signature(FILE) is not None and self.seal() is None:
            self._folder.remove(FILE)
            self._loaded = None

    def _load(self) -> None:
        if not self._folder.is_usable(make=True):
            self._loaded = None
            return
        seal, tried = None, self._folder.signature(FILE)
        try:
            seal = Seal(self._secret())
            tried = self._folder.signature(FILE)
        except (MasterKeyError, KeyringError) as error:
            hint = "unlock the keyring; or remove this folder, and a new key is made"
            self._reports.tell("there is no master key", str(error), path=self._folder.path, hint=hint)
        # Not tried again before the file changes: a keyring that hangs would hold up each call.
        self._loaded = _Loaded(tried, seal)
        # Here, where no frame has the key: a warning may be an error, with a traceback.
        if self._lies_in_new_file:
            self._lies_in_new_file = False
            self._say_that_it_lies_in_a_file()

    def _secret(self) -> bytes:
        found = self._read()
        if found is not None:
            return found
        before = self._folder.signature(KEY_FAILURE)
        with self._locks.hold(_LOCK, _LOCK_SECONDS):
            found = self._read()
            if found is not None:
                return found
            if self._folder.signature(KEY_FAILURE) not in (None, before):
                # Else all that start at once would wait for it, each in its turn. That one had to wait for long says
                # nothing: so it has on a busy machine.
                msg = "the keyring did not answer another process"
                raise MasterKeyError(msg)
            try:
                return self._make()
            except KeyringError:
                self._note_failure()
                raise

    def _read(self) -> bytes | None:
        was_there = self._folder.signature(FILE) is not None
        found = self._folder.read(FILE, others=0o077)
        if found is None:
            # One that came or went meanwhile is another process's doing, and no damage.
            if not was_there or self._folder.signature(FILE) is None:
                return None
            msg = f"{FILE} can't be used"
            raise MasterKeyError(msg)
        said = _said(found[0])
        if said.get("format") != FORMAT:
            msg = f"{FILE} is damaged, or of another version of xsession"
            raise MasterKeyError(msg)
        secret = _from_keyring(said) if said.get("kept_in") == "keyring" else _bytes(said.get("key"))
        if secret is None or key_id(secret) != said.get("key_id"):
            msg = f"the key that {FILE} names is not there any more"
            raise MasterKeyError(msg)
        return secret

    def _make(self) -> bytes:
        secret = os.urandom(_KEY_BYTES)
        keyring = find_keyring()
        if keyring is not None:
            said = _put_into_keyring(keyring, secret)
        elif self._keyring_only:
            msg = "this machine has no keyring"
            raise MasterKeyError(msg)
        else:
            said = {"kept_in": "file", "key": secret.hex()}
        return self._write({"format": FORMAT, "key_id": key_id(secret), **said}, secret)

    def _note_failure(self) -> None:
        with suppress(OSError):
            write_private_file(self._place(KEY_FAILURE), b"")

    def _write(self, document: Mapping[str, Any], secret: bytes) -> bytes:
        try:
            write_private_file(self._place(FILE), json.dumps(document).encode(), sync=True, replace=False)
        except FileExistsError:
            # Where locks don't work, another process was faster.
            found = self._read()
            if found is None:
                msg = f"{FILE} was removed meanwhile"
                raise MasterKeyError(msg) from None
            return found
        except OSError as error:
            self._folder.tell_unwritten(error)
            msg = f"{FILE} can't be written"
            raise MasterKeyError(msg) from None
        self._lies_in_new_file = "key" in document
        return secret

    def _place(self, name: str) -> Path:
        path = self._folder.path
        if path is None:  # pragma: no cover # nothing gets here without a folder
            msg = "there is no folder"
            raise MasterKeyError(msg)
        return path / name

    def _say_that_it_lies_in_a_file(self) -> None:
        words = "this machine has no keyring, so the key of stored credentials lies in a file beside them"
        hint = "keep this user's files from others; where a keyring was set up, remove the folder"
        self._reports.tell("the master key is in a file", words, path=self._folder.path, hint=hint)
        warnings.warn(f"{words}: {self._folder.path}; {hint}", KeyFileWarning, stacklevel=2)


def _from_keyring(said: Mapping[str, Any]) -> bytes | None:
    keyring = open_keyring(str(said.get("backend")))
    return _bytes(in_time(lambda: keyring.get_password(SERVICE, str(said.get("key_id")))))


def _put_into_keyring(keyring: Any, secret: bytes) -> dict[str, str]:
    name = key_id(secret)

    def put() -> str | None:
        keyring.set_password(SERVICE, name, secret.hex())
        kept: str | None = keyring.get_password(SERVICE, name)
        return kept

    if in_time(put) != secret.hex():
        msg = "the keyring does not keep what it is given"
        raise MasterKeyError(msg)
    return {"kept_in": "keyring", "backend": backend_of(keyring)}


def _bytes(text: object) -> bytes | None:
    try:
        return bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _said(document: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(document)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
