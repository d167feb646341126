"""What a source is called in a store that processes share: by whose credentials it has, and which STS knows them."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from xsession._base import made_once
from xsession.accounts import SourceDescriptor, source_key
from xsession.credentials import Identity
from xsession.errors import ConfigError, CredentialsError
from xsession.stores import SharedStore

from ._source import Source
from ._stored_mfa_role import StoredMfaRole

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

# For how long one process waits for another that reads the same source.
_TURN_SECONDS = 10.0


class StoredSource:
    """Names a source in a store, so that each process of a machine finds the same entries.

    What a descriptor leads to is only where to look. What is kept is named by the principal of the very key that
    signed for it, so that nobody's entries ever get another one's name.

    Args:
        source: The source.
        store: Remembers whose credentials a descriptor stands for.
        unnamed: Called with the reason where the source has no name.
    """

    def __init__(self, source: Source, store: SharedStore, unnamed: Callable[[str], None]) -> None:
        self._source = source
        self._store = store
        self._unnamed = unnamed
        # The key id whose principal was found out last, and that principal.
        self._principal: tuple[str, str] | None = None
        self._known: tuple[int, str] | None = None
        source.session.take_turns(partial(store.refreshing, patience=_TURN_SECONDS))
        source.session.kept_role = StoredMfaRole(store, lambda: source.session.descriptor, lambda: self.sts_endpoint)

    def forget(self) -> None:
        """Has the name looked for again: the source has other credentials."""
        self._known = self._principal = None

    @property
    def access_key_id(self) -> str | None:
        """The key id that was read last; None: none was."""
        seen = self._source.session.seen
        return None if seen is None else seen[0].access_key

    def key(self) -> str | None:
        """Its name as far as the store knows it; makes no network call, and does not read its credentials."""
        session = self._source.session
        if self._known is not None and self._known[0] == session.found:
            return self._known[1]
        descriptor = session.descriptor
        return None if descriptor is None else descriptor.source_key(self.sts_endpoint, self._store.principal)

    def confirmed(self) -> str | None:
        """Its name, when its credentials are about to be used; STS is asked whose they are where nobody knows it yet.

        Returns:
            The name; None: it has none, and nothing that it leads to is kept.

        Raises:
            SourceCredentialsError: It has no credentials.
            MfaError: It needs a code.
        """
        session = self._source.session
        frozen, found = self._source.frozen(), session.found
        if session.is_passed_in and not session.is_static:
            self._unnamed("its credentials come from a boto3 session that may get them from anywhere")
            return None
        descriptor = session.descriptor
        who = self._principal_of(frozen, descriptor)
        if who is None:
            return None
        if descriptor is not None and descriptor.access_key_id is None:
            self._store.put_principal(descriptor.principal_key(self.sts_endpoint), who)
        self._known = found, source_key(who, self.sts_endpoint)
        return self._known[1]

    def _principal_of(self, frozen: ReadOnlyCredentials, described: SourceDescriptor | None) -> str | None:
        key_id, is_session = frozen.access_key or "", bool(frozen.token)
        if is_session and (described is None or described.access_key_id is not None):
            # Nobody knows what that session carries on: what it leads to is its own.
            return f"key {key_id}"
        if self._principal is not None and self._principal[0] == key_id:
            return self._principal[1]
        name = SourceDescriptor.of_key(key_id, is_session=is_session).principal_key(self.sts_endpoint)
        who = self._store.principal(name) or self._asked(frozen, name, described)
        self._principal = None if who is None else (key_id, who)
        return who

    def _asked(self, frozen: ReadOnlyCredentials, name: str, described: SourceDescriptor | None) -> str | None:
        # In turn with other threads too; no lock of ours, since what takes the store's events may wait for them.
        with self._store.refreshing(name, _TURN_SECONDS):
            who = self._store.principal(name)
            if who is None:
                with suppress(CredentialsError):  # the call that they are for is told why, and knows what to do
                    who = _who(self._source.identity(frozen), described)
                    self._store.put_principal(name, who)
            return who

    @made_once
    def sts_endpoint(self) -> str | None:
        """The STS endpoint that is asked with its credentials; None: AWS's own."""
        try:
            return self._source.core.sts_endpoint
        except ConfigError:
            # Whoever makes clients says so, too; what is kept until then is found by no other process.
            return f"unknown {uuid.uuid4()}"


def _who(identity: Identity, described: SourceDescriptor | None) -> str:
    # In the session of a login, its name is the person. That of a role which a profile assumes is made up or written
    # down: what it carries on is that of the credentials which began it.
    if described is not None and described.is_role:
        return f"{identity.principal} {described.digest}"
    return identity.arn
