"""Where the credentials of chains lie in a store that processes share, and what ends them for all of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime

from xsession import events
from xsession._base import Clock
from xsession.roles import Hop
from xsession.stores import MFA_KEY_PREFIX, SharedStore, stored_key

from ._source import Source
from ._stored_source import StoredSource


class StoredChains:
    """The names of sources, hops and MFA sessions in a store that processes share.

    Args:
        store: The store.
        clock: Both clocks.
        emit: Takes events.
    """

    def __init__(self, store: SharedStore, *, clock: Clock, emit: events.Hook) -> None:
        self.store = store
        self._clock = clock
        self._emit = emit
        self._said: set[str] = set()

    def source(self, source: Source) -> StoredSource:
        """The name of a source."""
        if source.stored is None:
            source.stored = StoredSource(source, self.store, self._not_kept)
        return source.stored

    def hop(self, hop: Hop, source: Source, before: StoredHop | None) -> StoredHop:
        """The name of a hop.

        Args:
            hop: The hop.
            source: Where its chain begins.
            before: The hop before; None: it is the first.
        """
        return StoredHop(hop, self.source(source), before, self)

    def mfa_key(self, serial: str, source: Source, may_read: bool, /) -> str | None:
        """The key of a device's MFA session; None: the source has no name, or none yet.

        Args:
            serial: The device.
            source: The long-term credentials.
            may_read: Whether those may be read, and STS be asked whose they are.
        """
        stored = self.source(source)
        key = stored.confirmed() if may_read else stored.key()
        return None if key is None else MFA_KEY_PREFIX + hashlib.sha256(json.dumps([key, serial]).encode()).hexdigest()

    def end_role(self, role_arn: str, source_identity: str | None) -> None:
        """Ends what was issued of a role up to now, in all processes.

        Args:
            role_arn: The role.
            source_identity: Only sessions that have it; None: all.
        """
        self.store.mark(self._clock.wall(), role_arn=role_arn, source_identity=source_identity)

    def end(self, key: str) -> None:
        """Ends what was issued under a key up to now, in all processes: the mark comes first."""
        self.store.mark(self._clock.wall(), key=key)
        self.store.delete(key)

    def waited_in_vain(self, seconds: float) -> None:
        """Says once that another process was waited for, and refreshed nothing."""
        self._say(
            f"another process has been refreshing for {seconds:.0f} s, and was waited for no longer",
            "see which of the processes that use the store hangs",
        )

    def _not_kept(self, reason: str) -> None:
        self._say(
            f"what this source leads to is not kept in the store: {reason}",
            "pass profile_name= in place of session=, so that other processes can tell that it is the same source",
        )

    def _say(self, message: str, hint: str) -> None:
        if message in self._said:
            return
        self._said.add(message)
        at = datetime.fromtimestamp(self._clock.wall(), UTC)
        self._emit(events.NeedsAttention(at=at, account=None, role_arn=None, hop=None, message=message, hint=hint))


class StoredHop:
    """Where one hop's credentials lie.

    Args:
        hop: The hop, as a part of the key.
        source: Where its chain begins.
        before: The hop before; None: it is the first.
        chains: What it belongs to.
    """

    def __init__(self, hop: Hop, source: StoredSource, before: StoredHop | None, chains: StoredChains) -> None:
        self._hop = hop
        self._source = source
        self._before = before
        self.chains = chains

    @property
    def role_arn(self) -> str:
        """The role."""
        return self._hop.role.role_arn

    @property
    def caller(self) -> str | None:
        """The key id that signs for it, of several that its source may have; None: the hop before signs, or nobody."""
        is_first = self._before is None and not self._hop.role.has_web_identity
        return self._source.access_key_id if is_first else None

    def key(self) -> str | None:
        """Its key as far as the store knows the source; makes no network call."""
        return self._key(self._source.key)

    def confirmed(self) -> str | None:
        """Its key, when it is about to be assumed; as `StoredSource.confirmed`."""
        # Behind the first hop, it is that hop whose credentials sign: its source may be gone by now.
        return (None if self._before is None else self.key()) or self._key(self._source.confirmed)

    def _key(self, of_source: Callable[[], str | None]) -> str | None:
        role = self._hop.role
        before = None
        if not role.has_web_identity:
            before = of_source() if self._before is None else self._before._key(of_source)  # noqa: SLF001 # its own kind
        return stored_key(role, before, self._source.sts_endpoint)
