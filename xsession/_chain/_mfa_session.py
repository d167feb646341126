"""A session of long-term credentials that has passed MFA.

A code works once. So it is spent on a session of the long-term credentials (GetSessionToken), and that session assumes
the roles, for as long as it lives. People are asked in the thread of a caller that waits, never by a refresh.
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_configure-api-require.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from xsession._base import Clock
from xsession._botocore import SigningCredentials, code_missing, signing_credentials
from xsession.refresh import Issued
from xsession.stores import Store, as_shared

from ._assume_role import SETTLING_SECONDS, signed_by
from ._hop_fetch import issued_earlier
from ._source import Source

if TYPE_CHECKING:
    from botocore.credentials import ReadOnlyCredentials

# A role that is assumed at the last moment must still reach STS.
_MARGIN_SECONDS = 30.0


class MfaSession:
    """A session of long-term credentials that has passed MFA: it assumes the roles that ask for its device.

    It is not refreshed; when it ends, a caller is asked for the next code.

    Args:
        serial: The device.
        source: The long-term credentials, and the STS that makes the call.
        store: Asked where none is held, and told of what was issued.
        key: What tells it from others here; the store's key, where there is no other.
        stored_key: The key in a store that processes share, which the source may not have yet; the argument says
            whether its credentials may be read for that.
        clock: Both clocks.
    """

    def __init__(
        self,
        serial: str,
        source: Source,
        *,
        store: Store,
        key: str,
        stored_key: Callable[[bool], str | None] | None = None,
        clock: Clock,
    ) -> None:
        self.serial = serial
        self.source = source
        self.key = key
        self._store = store
        self._stored_key = stored_key
        self._clock = clock
        self._held: tuple[Issued, SigningCredentials] | None = None
        self._looked_in_store = False

    @property
    def is_usable(self) -> bool:
        """Whether it is good for one more role."""
        return self._usable() is not None

    def begin(self, code: str, *, seconds: int, region_name: str) -> None:
        """Spends a code on a new session.

        Args:
            code: Of the device.
            seconds: How long the session lives.
            region_name: The region whose STS is asked.

        Raises:
            CredentialsError: STS refused or failed.
        """
        sts = self.source.sts
        issued = signed_by(
            self.source,
            lambda frozen: sts.session_token(
                frozen, self.serial, code, seconds=seconds, region_name=region_name, methods=self.methods
            ),
        )
        self._hold(issued)
        key = self._key_in_store(may_read=True)
        if key is not None:
            self._store.put(key, issued.credentials)

    def frozen(self) -> ReadOnlyCredentials:
        """The session's credentials.

        Raises:
            MfaError: There is none, or it has ended.
        """
        held = self._usable()
        if held is None:
            raise code_missing(self.serial)
        return held

    def rejected(self, access_key_id: str) -> bool:
        """Throws them away; the next ones take a code, which `frozen` says."""
        held = self._held
        if held is not None and held[1].access_key == access_key_id:
            self.forget()
        return True

    def accepted(self) -> None:
        """Nothing is remembered of rejections: the next session takes a code."""

    @property
    def methods(self) -> frozenset[str]:
        """How the long-term credentials are obtained: that there is a session has no id."""
        return self.source.methods

    @property
    def quota_account_id(self) -> str:
        """The account of the long-term credentials."""
        return self.source.quota_account_id

    @property
    def is_held(self) -> bool:
        """Whether there is one, usable or not."""
        return self._held is not None

    @property
    def awaits_source(self) -> bool:
        """Whether what it waits for is the source: a process, a login or a person behind it, and not STS."""
        return False

    @property
    def settling(self) -> bool:
        """Whether it is so new that STS may not know it yet."""
        held = self._held
        return held is not None and self._clock.boot() - held[0].sent_boot < SETTLING_SECONDS

    def forget(self) -> None:
        """Throws the session away, in the store too."""
        key, held = self._key_in_store(may_read=False), self._held
        self.close()
        if key is not None:
            # Another process may have put the next one already.
            self._store.delete(key, None if held is None else held[1].access_key)

    def close(self) -> None:
        """Throws away what is in memory."""
        self._held = None

    def _usable(self) -> SigningCredentials | None:
        # Another process may have begun one meanwhile; in a store of this one's alone, it is looked for once.
        looks = self._stored_key is not None or not self._looked_in_store
        if looks and (self._held is None or not self._is_good(self._held[0])):
            self._looked_in_store = True
            self._hold(self._kept())
        held = self._held
        return held[1] if held is not None and self._is_good(held[0]) else None

    def _kept(self) -> Issued | None:
        key, shared = self._key_in_store(may_read=False), as_shared(self._store)
        kept = None if key is None else self._store.get(key)
        if key is None or kept is None or (shared is not None and shared.is_marked(key, None, None, kept.issued_at)):
            return None
        return issued_earlier(kept, None, self._clock)

    def _key_in_store(self, *, may_read: bool) -> str | None:
        return self.key if self._stored_key is None else self._stored_key(may_read)

    def _hold(self, issued: Issued | None) -> None:
        self._held = None if issued is None else (issued, signing_credentials(issued.credentials))

    def _is_good(self, issued: Issued) -> bool:
        credentials, lifetime = issued.credentials, issued.credentials.lifetime
        if lifetime is None or credentials.issued_at is None:
            return False
        usable = lifetime - min(_MARGIN_SECONDS, lifetime / 20)
        boot, wall = issued.sent_boot + usable, credentials.issued_at.timestamp() + usable
        return self._clock.boot() < boot and self._clock.wall() < wall
