from __future__ import annotations

import gc
import weakref
from typing import Any

from botocore.httpsession import URLLib3Session

from xsession._botocore._connections import HandedOut, leave_connections, renew_pools

URL = "http://127.0.0.1:9/"


class Client:
    """What `HandedOut` sees of a client."""

    def __init__(self, session: Any) -> None:
        self._endpoint = type("Endpoint", (), {"http_session": session})()


class Closed:
    """An HTTP session that is made otherwise."""

    closed = 0

    def close(self) -> None:
        """Counts."""
        self.closed += 1


def test_renewed_pools_are_others_with_the_same_settings() -> None:
    """The old ones are returned."""
    session: Any = URLLib3Session(max_pool_connections=7)
    manager = session._manager
    assert renew_pools(session)[0] is manager
    assert session._manager is not manager
    assert session._manager.connection_pool_kw["maxsize"] == 7


def test_connections_that_are_left_are_not_collected() -> None:
    """However often: a parent goes on with them, and so does its parent."""
    session: Any = URLLib3Session()
    pools = []
    for _ in range(2):
        pools.append(weakref.ref(session._manager.connection_from_url(URL)))
        leave_connections(session)
    gc.collect()
    assert all(pool() is not None for pool in pools)


def test_clients_that_were_handed_out_leave_theirs_in_a_fork() -> None:
    """As long as they live."""
    session: Any = URLLib3Session()
    manager = session._manager
    handed_out = HandedOut()
    handed_out.add(Client(session))
    handed_out.after_fork()
    assert session._manager is not manager


def test_close_empties_the_pools_of_clients_that_were_handed_out() -> None:
    """They open new connections when they are used again."""
    session: Any = URLLib3Session()
    pool = session._manager.connection_from_url(URL)
    handed_out = HandedOut()
    handed_out.add(Client(session))
    handed_out.close()
    assert session._manager.connection_from_url(URL) is not pool


def test_sessions_that_are_made_otherwise_are_closed_in_a_fork() -> None:
    """And a client without one is none of its business."""
    session = Closed()
    handed_out = HandedOut()
    handed_out.add(Client(session))
    handed_out.add(object())
    handed_out.after_fork()
    assert session.closed == 1
