"""The sources of a session's accounts: each made once, when it is used first."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from xsession._base import renew_after_fork
from xsession._botocore import Loaders, SourceSession
from xsession.accounts import Account, Profile, ProfileSettings
from xsession.errors import SessionClosedError, SourceCredentialsError

from ._settings import ChainSettings, Runtime
from ._source import NOBODY, Source, SourceClients

if TYPE_CHECKING:
    import boto3


class Sources:
    """Makes sources, and finds them again. A boto3 session that a caller passed is held only by what uses it.

    Args:
        asked: The session's own source; None: boto3's default, made where an account uses it.
        settings: What the user chose.
        runtime: What refreshes run with.
        changed: As `Source` takes it.
        holds: Likewise.

    Raises:
        SourceCredentialsError: There is no such profile.
    """

    def __init__(
        self,
        asked: boto3.Session | str | None,
        settings: ChainSettings,
        runtime: Runtime,
        *,
        changed: Callable[[Source], None],
        holds: Callable[[Source], bool],
    ) -> None:
        self._asked = asked
        self._settings = settings
        self._runtime = runtime
        self._changed = changed
        self._holds = holds
        # Re-entrant: a signal handler or `__del__` may come in at any point, and sessions of callers run code.
        self._lock = threading.RLock()
        self._closed = False
        self._loaders = Loaders()
        self._expected: Mapping[str | Profile | None, str] = {}
        self._sessions: dict[str | Profile | None, SourceSession] = {}
        if asked is not None:
            self._sessions[None] = self._opened(None)
        self._clients: dict[ProfileSettings, SourceClients] = {}
        self._named: dict[tuple[str | Profile | None, ProfileSettings | None], Source] = {}
        # By the id of the session, which is no other's as long as the source holds it.
        self._passing: weakref.WeakValueDictionary[tuple[int, ProfileSettings | None], Source] = (
            weakref.WeakValueDictionary()
        )
        renew_after_fork(self)

    def of(self, account: Account) -> Source:
        """Where an account's chain begins.

        Raises:
            SourceCredentialsError: Its profile does not exist.
            SessionClosedError: The session is closed.
        """
        name, settings = account.source, account.settings
        with self._lock:
            if self._closed:
                raise SessionClosedError.closed(account=account.name)
            if isinstance(name, str | Profile | None):
                return self._found(name, settings)
            passing = self._passing.get((id(name), settings))
            if passing is None:
                made = SourceSession(name, wall=self._runtime.clock.wall)
                # Whoever came in meanwhile has another one already.
                passing = self._passing.setdefault((id(name), settings), self._new(made, settings, is_passing=True))
            return passing

    def alike(self, source: Source) -> list[Source]:
        """All sources with the credentials of one, itself included."""
        with self._lock:
            everything = [*self._named.values(), *self._passing.values()]
        return [other for other in everything if other.session is source.session]

    def expect(self, principals: Mapping[str | Profile | None, str]) -> None:
        """Says who the sources must be, by the account's `source`; asked of STS when they have other credentials."""
        with self._lock:
            self._expected = principals
            for (name, _settings), source in list(self._named.items()):
                source.expected = principals.get(name)

    def principals(self, ask: Callable[[Source], None]) -> dict[str | Profile | None, str]:
        """Who the sources in use are, the session's own included, by the account's `source`; asks STS.

        Args:
            ask: Has a person asked for an MFA code, where a source needs one.

        Raises:
            CredentialsError: One of them has no credentials, or STS refused them.
        """
        found: dict[str | Profile | None, str] = {}
        with self._lock:
            try:
                self._found(None, None)
            except SourceCredentialsError:
                # No account could use it, and none of the copy will.
                found[None] = NOBODY
            sources = list(self._named.items())
        for (name, _settings), source in sources:
            if name not in found:
                ask(source)
                found[name] = source.principal()
        return found

    def close(self) -> None:
        """Has all of them hand out no credentials any more."""
        with self._lock:
            self._closed = True
            everything = [*self._named.values(), *self._passing.values()]
        for source in everything:
            source.close()

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds."""
        self._lock = threading.RLock()

    def _found(self, name: str | Profile | None, settings: ProfileSettings | None) -> Source:
        source = self._named.get((name, settings))
        if source is None:
            session = self._sessions.get(name)
            if session is None:
                # Here and below: whoever came in meanwhile has another one already.
                session = self._sessions.setdefault(name, self._opened(name))
            made = self._new(session, settings)
            made.expected = self._expected.get(name)
            source = self._named.setdefault((name, settings), made)
        return source

    def _opened(self, name: str | Profile | None) -> SourceSession:
        wall = self._runtime.clock.wall
        if name is None:
            return SourceSession(self._asked, region_name=self._settings.region_name, wall=wall)
        return SourceSession(name, wall=wall)

    def _new(self, session: SourceSession, settings: ProfileSettings | None, *, is_passing: bool = False) -> Source:
        runtime, config = self._runtime, self._settings.config
        clients = None if settings is None else self._clients.get(settings)
        if clients is None:
            boto3_session = session.boto3_session if settings is None else _with_settings(settings)
            clients = SourceClients(boto3_session, config, loaders=self._loaders, clock=runtime.clock)
            if settings is not None:
                clients = self._clients.setdefault(settings, clients)
        return Source(
            session,
            clients,
            settings=settings,
            clock=runtime.clock,
            emit=runtime.emit,
            changed=self._changed,
            holds=self._holds,
            is_passing=is_passing,
            region_name=self._settings.region_name,
            sts_region_name=self._settings.defaults.sts_region_name,
        )


def _with_settings(settings: ProfileSettings) -> boto3.Session:
    from xsession._botocore import settings_session  # noqa: PLC0415 # it is for accounts that profiles define

    return settings_session(settings)
