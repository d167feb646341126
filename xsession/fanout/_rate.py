"""So many requests a second, each kind apart."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Any

from cachetools import LRUCache

from xsession._base import renew_after_fork
from xsession.account_session import AccountSession

_MOST_KINDS = 65_536


class Rate:
    """When the next request of a kind may be sent: at even distances.

    Args:
        per_second: How many a second.
        clock: Seconds of a clock that goes on evenly.
    """

    def __init__(self, per_second: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._distance = 1 / per_second
        self._clock = clock
        self._free: LRUCache[Hashable, float] = LRUCache(_MOST_KINDS)
        self.after_fork()
        renew_after_fork(self)

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        self._lock = threading.RLock()

    def wait(self, kind: Hashable) -> float:
        """Takes the next turn of a kind; returns the seconds until it comes."""
        with self._lock:
            now = self._clock()
            at = max(now, self._free.get(kind, 0.0))
            self._free[kind] = at + self._distance
        return at - now


class RatedSession(AccountSession):
    """An account's session whose clients send so many requests a second, for each service and region.

    Its clients are its own: those of others are not slowed down.
    """

    _rate: Rate

    @classmethod
    def of(cls, session: AccountSession, clients: Any, rate: Rate) -> RatedSession:
        """The same account's.

        Args:
            session: The account's.
            clients: Where its shared clients are kept.
            rate: How many requests.
        """
        made = cls(session._resolved, clients, session._owner)  # noqa: SLF001 # it is one of them
        made._rate = rate
        return made

    def client(self, *args: Any, **kwargs: Any) -> Any:
        """As `AccountSession.client`."""
        return self._rated(super().client(*args, **kwargs))

    def get_client(self, *args: Any, **kwargs: Any) -> Any:
        """As `AccountSession.get_client`."""
        return self._rated(super().get_client(*args, **kwargs))

    def _rated(self, client: Any) -> Any:
        kind = self.account_id or self.name, client.meta.region_name, client.meta.service_model.service_name
        rate = self._rate

        def wait(**_event: object) -> None:
            seconds = rate.wait(kind)
            if seconds > 0:
                time.sleep(seconds)

        # Before it is signed: a signature is good for minutes. Each try of a request counts.
        client.meta.events.register_first("request-created", wait, unique_id="xsession-rate")
        return client
