"""HTTP sessions that many clients share, and what becomes of their connections in a forked child."""

from __future__ import annotations

import threading
import weakref
from pathlib import Path
from typing import Any

from botocore.httpsession import URLLib3Session
from urllib3 import PoolManager

from xsession._fork import renew_after_fork

MAX_HOSTS = 512
"""Hosts that connections are kept for. With urllib3's 10, the buckets of many accounts would push each other out."""


_NOT_SETTINGS = ("_manager", "_proxy_managers", "_proxy_config", "_pool_classes_by_scheme")


class SharedHTTPSession(URLLib3Session):
    """Sends the requests of all clients whose connection settings are the same.

    Args:
        like: An HTTP session of botocore's with those settings.
    """

    _manager: Any

    def __init__(self, like: URLLib3Session) -> None:
        # Not the base's: it would read the settings anew, and `like` is not used for anything else.
        self.__dict__.update(like.__dict__)
        self._trust_lock = threading.Lock()
        self._trusted: tuple[object, ...] | None = None
        drop_connections(self, num_pools=MAX_HOSTS)
        renew_after_fork(self)

    def close(self) -> None:
        """Leaves the connections to the other clients; `shut` closes them."""

    def shut(self) -> None:
        """Closes all connections that are not in use."""
        super().close()

    def after_fork(self) -> None:
        """Leaves the parent its connections: on a shared one, answers reach the wrong process."""
        self._trust_lock = threading.Lock()
        self._trusted = None
        drop_connections(self, num_pools=MAX_HOSTS)

    def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
        super()._setup_ssl_cert(conn, url, verify)  # type: ignore[misc]  # its stubs leave it out
        if conn.ca_certs is not None and conn.proxy is None and self._trusts(conn.ca_certs):
            # urllib3 would read and parse the whole bundle at each connect.
            conn.ca_certs = None

    def _trusts(self, bundle: str) -> bool:
        """Whether the connections' TLS context has this bundle as it is now, loaded once."""
        try:
            stat = Path(bundle).stat()
            now = (bundle, stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if self._trusted != now:
                with self._trust_lock:
                    if self._trusted not in (None, now):
                        # Another context: this one would go on trusting what the old bundle held.
                        drop_connections(self, num_pools=MAX_HOSTS)
                        self._trusted = None
                        return False
                    self._manager.connection_pool_kw["ssl_context"].load_verify_locations(bundle)
                    self._trusted = now
        except OSError:  # ssl.SSLError too: the connect itself tells of it, as it does without us
            return False
        return True


def settings_key(session: Any) -> str:
    """What tells the connection settings of one HTTP session from another's."""
    settings = {name: value for name, value in vars(session).items() if name not in _NOT_SETTINGS}
    proxies = session._proxy_config
    return repr((sorted(settings.items()), proxies._proxies, proxies._proxies_settings))


def drop_connections(session: Any, **pool_options: Any) -> None:
    """Gives a `URLLib3Session` new pools; the connections of the old ones stay open for whoever uses them."""
    old = session._manager, session._proxy_managers
    session._manager = PoolManager(**session._get_pool_manager_kwargs(**pool_options))
    session._manager.pool_classes_by_scheme = session._pool_classes_by_scheme
    session._proxy_managers = {}
    # Collected, the old pools would close their connections, and wait for locks that a thread of the parent held.
    session._left_behind = old


class HandedOut:
    """The HTTP sessions of clients that have one of their own."""

    def __init__(self) -> None:
        self._sessions: weakref.WeakSet[URLLib3Session] = weakref.WeakSet()
        renew_after_fork(self)

    def add(self, client: Any) -> None:
        """Takes note of a client's."""
        self._sessions.add(client._endpoint.http_session)

    def close(self) -> None:
        """Closes their connections that are not in use."""
        for session in list(self._sessions):
            session.close()

    def after_fork(self) -> None:
        """Leaves the parent its connections."""
        for session in list(self._sessions):
            if not isinstance(session, SharedHTTPSession):
                drop_connections(session)
