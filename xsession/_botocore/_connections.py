"""What becomes of clients' connections when a session is closed, and in a forked child."""

from __future__ import annotations

import weakref
from typing import Any

from urllib3 import PoolManager

from xsession._base import renew_after_fork


def renew_pools(session: Any, **pool_options: Any) -> tuple[object, ...]:
    """Gives a `URLLib3Session` new pools.

    Returns:
        The old ones; once they are collected, their connections are closed.
    """
    old = session._manager, session._proxy_managers
    session._manager = PoolManager(**session._get_pool_manager_kwargs(**pool_options))
    session._manager.pool_classes_by_scheme = session._pool_classes_by_scheme
    session._proxy_managers = {}
    return old


def leave_connections(session: Any, **pool_options: Any) -> None:
    """Gives the HTTP session of a forked child new pools: on a shared connection, answers reach the wrong process."""
    old = renew_pools(session, **pool_options)
    # Collected, they would wait for locks that a thread of the parent held.
    session._left_behind = (*getattr(session, "_left_behind", ()), old)


class HandedOut:
    """The HTTP sessions of clients that have one of their own."""

    def __init__(self) -> None:
        self._sessions: weakref.WeakSet[Any] = weakref.WeakSet()
        renew_after_fork(self)

    def add(self, client: Any) -> None:
        """Records a client's, where botocore keeps it as it does today."""
        http = getattr(getattr(client, "_endpoint", None), "http_session", None)
        if http is not None:
            self._sessions.add(http)

    def close(self) -> None:
        """Closes their connections that are not in use."""
        for session in list(self._sessions):
            session.close()

    def after_fork(self) -> None:
        """Leaves the parent its connections."""
        for session in list(self._sessions):
            try:
                leave_connections(session)
            except AttributeError:
                # botocore keeps them otherwise; its own close() ends them in this process alone.
                session.close()
