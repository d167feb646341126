"""The MFA sessions of one `CrossAccountSession`: one code for all accounts that ask for the same device."""

from __future__ import annotations

import hashlib
import json
import threading
import weakref
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from xsession._base import Clock, renew_after_fork
from xsession._botocore import SigningCredentials
from xsession._sts import sts_region
from xsession.refresh import Cell
from xsession.roles import MAX_CHAINED_DURATION_SECONDS, Defaults, Hop, Role
from xsession.stores import MFA_KEY_PREFIX, Store

from ._account_mfa import AccountMfa, RoleCode, SessionCode
from ._mfa_prompt import CodeUse, MfaPrompt
from ._mfa_session import MfaSession
from ._settings import MfaCode
from ._source import Source
from ._source_code import SourceCode, SourceMfa

if TYPE_CHECKING:
    from ._stored_chains import StoredChains

DEFAULT_MFA_DURATION_SECONDS = 43_200


class MfaSessions:
    """The MFA sessions of one `CrossAccountSession`, one for each source and device; and their prompt.

    Args:
        code: As `MfaPrompt` takes it.
        store: Where they are kept.
        clock: Both clocks.
        stored: Where they lie in a store that processes share; None: it is this process's alone.
    """

    def __init__(self, code: MfaCode | None, *, store: Store, clock: Clock, stored: StoredChains | None = None) -> None:
        self.prompt = MfaPrompt(code, clock, None if stored is None else stored.store)
        self._stored = stored
        self._store = store
        self._clock = clock
        self._sessions: dict[tuple[str, str], MfaSession] = {}
        self._passing: weakref.WeakValueDictionary[tuple[str, str], MfaSession] = weakref.WeakValueDictionary()
        # Re-entrant: a signal handler or `__del__` may come in at any point.
        self._lock = threading.RLock()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        self._lock = threading.RLock()

    def of(self, serial: str, source: Source) -> MfaSession:
        """The session of a device.

        Args:
            serial: The device.
            source: The long-term credentials.
        """
        # A source that a caller passed along is held only by what uses it.
        sessions = self._passing if source.is_passing else self._sessions
        # Of two threads that come here at once, both get the first one's: people are asked for one code.
        with self._lock:
            known = sessions.get((source.key, serial))
            if known is not None:
                return known
            digest = hashlib.sha256(json.dumps(["mfa", source.key, serial]).encode()).hexdigest()
            key = MFA_KEY_PREFIX + digest
            stored_key = None if self._stored is None else partial(self._stored.mfa_key, serial, source)
            made = MfaSession(serial, source, store=self._store, key=key, stored_key=stored_key, clock=self._clock)
            sessions[source.key, serial] = made
            return made

    def signer_of(self, role: Role, source: Source) -> MfaSession | None:
        """The session that assumes a role which asks for MFA; None: the role takes a code for itself.

        Args:
            role: The role.
            source: The long-term credentials.
        """
        # Behind a session, a role lives an hour at most: who asked for more for this very role gets that.
        seconds = role.duration_seconds
        longer = isinstance(seconds, int) and seconds > MAX_CHAINED_DURATION_SECONDS
        return None if longer else self.of(str(role.mfa_serial), source)

    def of_account(
        self,
        *,
        hops: Sequence[Hop],
        cells: Sequence[Cell[SigningCredentials]],
        keys: Sequence[str],
        source: Source,
        regions: tuple[str | None, ...],
        defaults: Defaults,
    ) -> AccountMfa:
        """The MFA of an account whose first role asks for it.

        Args:
            hops: Its hops, in order.
            cells: Their credentials.
            keys: Their keys.
            source: Where its chain begins.
            regions: The session's and the source's region, as the STS region after the role's own.
            defaults: Say which program prints codes, and how long a session lives.
        """
        first = hops[0].role
        session = None if first.mfa_serial is None else self.signer_of(first, source)
        use: CodeUse
        if first.mfa_serial is None:
            use = SourceCode(source)
        elif session is None:
            use = RoleCode(str(first.mfa_serial), keys[0], cells[0], source)
        else:
            seconds = defaults.mfa_duration_seconds
            use = SessionCode(
                session,
                seconds=seconds if isinstance(seconds, int) else DEFAULT_MFA_DURATION_SECONDS,
                region_name=sts_region(first, *regions),
            )
        command = _command(defaults)
        return AccountMfa(hops, cells, use, prompt=self.prompt, command=command)

    def of_source(self, source: Source, defaults: Defaults) -> SourceMfa:
        """The MFA that a source's own profile asks for.

        Args:
            source: The source.
            defaults: Say which program prints codes.
        """
        return SourceMfa(source, self.prompt, _command(defaults))

    def holds(self, identity: str) -> bool:
        """Whether a source's credentials were exchanged for a session that is held."""
        return any(session.is_held for (source, _serial), session in self._all() if source == identity)

    def forget(self, identity: str) -> None:
        """Throws away those of a source, in the store too."""
        for (source, _serial), session in self._all():
            if source == identity:
                session.forget()

    def close(self) -> None:
        """Throws away what is in memory: a store that outlives us keeps its own for a day's work."""
        for _name, session in self._all():
            session.close()

    def _all(self) -> list[tuple[tuple[str, str], MfaSession]]:
        with self._lock:
            return [*self._sessions.items(), *self._passing.items()]


def _command(defaults: Defaults) -> tuple[str, ...] | None:
    return defaults.mfa_command if isinstance(defaults.mfa_command, tuple) else None
