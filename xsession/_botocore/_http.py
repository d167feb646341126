"""HTTP sessions that many clients share."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, NamedTuple

from botocore.httpsession import URLLib3Session, get_cert_path

from xsession._base import renew_after_fork

from ._connections import leave_connections, renew_pools

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
        # Not the base's: it would read the settings again, and `like` is not used for anything else.
        self.__dict__.update(like.__dict__)
        self._trust_lock = threading.RLock()
        self._trusted: _Trusted | None = None
        renew_pools(self, num_pools=MAX_HOSTS)
        renew_after_fork(self)

    def close(self) -> None:
        """Leaves the connections to the other clients; `shut` closes them."""

    def shut(self) -> None:
        """Closes all connections that are not in use."""
        super().close()

    def after_fork(self) -> None:
        """Leaves the parent its connections: on a shared one, answers reach the wrong process."""
        self._trust_lock = threading.RLock()
        self._trusted = None
        leave_connections(self, num_pools=MAX_HOSTS)

    def _get_connection_manager(self, *args: Any, **kwargs: Any) -> Any:
        self._notice_changed_bundle()
        return super()._get_connection_manager(*args, **kwargs)  # type: ignore[misc]  # its stubs leave it out

    def _setup_ssl_cert(self, conn: Any, url: str, verify: Any) -> None:
        if url.lower().startswith("https") and verify and self._trusts(conn, get_cert_path(verify)):
            conn.cert_reqs = "CERT_REQUIRED"
            # urllib3 would read and parse the whole bundle at each connect. Not even for a moment is it named here:
            # other threads connect with the same pool.
            conn.ca_certs = None
        else:
            super()._setup_ssl_cert(conn, url, verify)  # type: ignore[misc]  # its stubs leave it out

    def _trusts(self, pool: Any, bundle: str | None) -> bool:
        """Whether the TLS context of a pool's connections has that CA bundle, loaded once."""
        try:
            if bundle is None or pool.proxy is not None:
                return False
            context = pool.conn_kw["ssl_context"]
            trusted = self._trusted or self._load(context, bundle)
        except (AttributeError, KeyError, OSError):
            # urllib3 keeps these elsewhere; or the bundle is wrong, and the connect reports it as it does without us.
            return False
        return trusted is not None and trusted.context is context and trusted.bundle == bundle

    def _load(self, context: Any, bundle: str) -> _Trusted | None:
        with self._trust_lock:
            if self._trusted is None:
                if context is not self._manager.connection_pool_kw["ssl_context"]:
                    return None  # it was taken from the pools before the bundle changed
                version = _version(bundle)
                context.load_verify_locations(bundle)
                self._trusted = _Trusted(context, bundle, version)
            return self._trusted

    def _notice_changed_bundle(self) -> None:
        """Leaves the TLS context that would go on trusting what the old bundle held, and its connections."""
        trusted = self._trusted
        if trusted is None:
            return
        try:
            if _version(trusted.bundle) == trusted.version:
                return
        except OSError:
            pass  # it is gone, and nothing of it is trusted any more
        with self._trust_lock:
            if self._trusted is trusted:
                renew_pools(self, num_pools=MAX_HOSTS)
                self._trusted = None


class _Trusted(NamedTuple):
    """What a TLS context was told to trust."""

    context: Any
    bundle: str
    version: tuple[int, ...]


def _version(bundle: str) -> tuple[int, ...]:
    stat = Path(bundle).stat()
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def settings_key(session: Any) -> str:
    """What tells the connection settings of one HTTP session from another's."""
    settings = {name: value for name, value in vars(session).items() if name not in _NOT_SETTINGS}
    proxies = session._proxy_config
    return repr((sorted(settings.items()), proxies._proxies, proxies._proxies_settings))
