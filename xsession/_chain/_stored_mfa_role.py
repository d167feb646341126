"""The session of a role behind MFA that a source's own profile names, for all processes: its code works once."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

from xsession.accounts import SourceDescriptor
from xsession.credentials import Credentials
from xsession.stores import MFA_KEY_PREFIX, SharedStore


class StoredMfaRole:
    """Where a store has the session of one source, which no other source's settings, key or device lead to.

    Args:
        store: The store.
        descriptor: Names the source; None: nothing does just now.
        sts_endpoint: Names the STS that issues it; None: AWS's own.
    """

    def __init__(
        self,
        store: SharedStore,
        descriptor: Callable[[], SourceDescriptor | None],
        sts_endpoint: Callable[[], str | None],
    ) -> None:
        self._store = store
        self._descriptor = descriptor
        self._sts_endpoint = sts_endpoint

    def find(self) -> Credentials | None:
        """What this process or another one got with a code, and is good still."""
        key = self._key()
        return None if key is None else self._store.get(key)

    def keep(self, credentials: Credentials) -> None:
        """Keeps what a code was spent on."""
        key = self._key()
        if key is not None:
            self._store.put(key, credentials)

    def forget(self, access_key_id: str) -> None:
        """Has all processes forget what AWS rejected."""
        key = self._key()
        if key is not None:
            self._store.delete(key, access_key_id)

    def _key(self) -> str | None:
        described = self._descriptor()
        if described is None or not described.is_role:
            return None
        name = json.dumps(["source", described.digest, self._sts_endpoint()])
        return MFA_KEY_PREFIX + hashlib.sha256(name.encode()).hexdigest()
