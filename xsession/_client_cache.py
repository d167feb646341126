"""The clients that `get_client` shares between its callers."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Hashable
from functools import partial
from typing import TYPE_CHECKING, Any

from ._base import renew_after_fork
from ._botocore import config_key, region_of
from .errors import ConfigError

if TYPE_CHECKING:
    from botocore.config import Config

    from ._chain import ResolvedAccount

Build = Callable[[], Any]

_MAX_SHORTCUTS = 16


class ClientCache:
    """One client for each key, however many threads ask; bounded.

    Those that were not asked for the longest time go first. A hit is one look-up in a plain dictionary, which keeps no
    record of it: so the clients are kept in two generations, and asking for one of the older generation brings it
    into the younger. When that is full it joins the older one, of which the first go where there are too many.

    A client that was let go and is still held elsewhere is found again as long as it lives.

    Args:
        maxsize: How many clients to keep.

    Raises:
        ConfigError: Not even one.
    """

    def __init__(self, maxsize: int) -> None:
        _check_bound(maxsize)
        self._maxsize = maxsize
        self._generation_size = (maxsize + 1) // 2
        # Read without a lock: a plain dict's look-up is atomic. Keyed by a call's own arguments; those of the younger
        # generation alone.
        self.by_arguments: dict[Hashable, Any] = {}
        self.epoch = 0
        self.closed = False
        self._start_empty()
        renew_after_fork(self)

    def get(self, key: Hashable, shortcut: Hashable | None, build: Build, *, epoch: int | None = None) -> Any:
        """The client of a key, built where there is none yet.

        Args:
            key: All that shapes the client.
            shortcut: The arguments of the call, under which `by_arguments` should find it from now on; None: none.
            build: Makes it; called once even when many threads ask.
            epoch: What `epoch` was before the call's arguments were looked up; None: as it is.
        """
        if epoch is None:
            epoch = self.epoch
        client = self._known(key, shortcut, epoch)
        while client is None:
            with self._lock:
                building = self._building.setdefault(key, threading.RLock())
            with building:
                client = self._known(key, shortcut, epoch)
                if client is None:
                    client = self._build(key, shortcut, build, epoch)
        return client

    def forget_shortcuts(self) -> None:
        """Keeps the clients, but no arguments that led to them: from here on they may mean others."""
        with self._lock:
            self.epoch += 1
            self._shortcuts.clear()
            self.by_arguments.clear()

    def drop(self, key: Hashable) -> None:
        """Forgets a client; code that holds it can go on using it."""
        with self._lock:
            for clients in (self._alive, self._young, self._old):
                clients.pop(key, None)
            for shortcut in self._shortcuts.pop(key, ()):
                self.by_arguments.pop(shortcut, None)

    def clear(self) -> None:
        """Forgets all clients."""
        with self._lock:
            for clients in (self._alive, self._young, self._old):
                clients.clear()
            self._shortcuts.clear()
            self.by_arguments.clear()

    def close(self) -> None:
        """Forgets all clients, for good."""
        self.closed = True
        self.clear()

    def after_fork(self) -> None:
        """Starts a forked child with an empty cache and locks that no thread holds."""
        self._start_empty()

    def _start_empty(self) -> None:
        self._lock = threading.RLock()
        self._building: dict[Hashable, Any] = {}
        self._young: dict[Hashable, Any] = {}
        self._old: dict[Hashable, Any] = {}
        self._alive: weakref.WeakValueDictionary[Hashable, Any] = weakref.WeakValueDictionary()
        self._shortcuts: dict[Hashable, list[Hashable]] = {}
        # The same object: its reader holds it.
        self.by_arguments.clear()

    def _known(self, key: Hashable, shortcut: Hashable | None, epoch: int) -> Any | None:
        with self._lock:
            client = self._alive.get(key)
            if client is not None:
                self._remember(key, shortcut, client, epoch)
            return client

    def _build(self, key: Hashable, shortcut: Hashable | None, build: Build, epoch: int) -> Any:
        try:
            client = build()
            # Not a closure, which would be five objects more for each client.
            client.close = partial(_close_and_forget, weakref.ref(self), key, client.close)
            with self._lock:
                self._alive[key] = client
                self._remember(key, shortcut, client, epoch)
            return client
        finally:
            with self._lock:
                self._building.pop(key, None)

    def _remember(self, key: Hashable, shortcut: Hashable | None, client: Any, epoch: int) -> None:
        self._use(key, client)
        if shortcut is not None and epoch == self.epoch:
            shortcuts = self._shortcuts.setdefault(key, [])
            if len(shortcuts) >= _MAX_SHORTCUTS:
                # A caller passes another object for the same account each time.
                self.by_arguments.pop(shortcuts.pop(0), None)
            shortcuts.append(shortcut)
            self.by_arguments[shortcut] = client

    def _use(self, key: Hashable, client: Any) -> None:
        if key in self._young:
            return
        self._old.pop(key, None)
        if len(self._young) >= self._generation_size:
            self._old.update(self._young)
            self._young = {}
            self._shortcuts.clear()
            self.by_arguments.clear()
        self._young[key] = client
        while len(self._young) + len(self._old) > self._maxsize:
            del self._old[next(iter(self._old))]


def _close_and_forget(cache: weakref.ref[ClientCache], key: Hashable, close: Callable[[], None]) -> None:
    if (living := cache()) is not None:
        living.drop(key)
    close()


def _check_bound(maxsize: object) -> None:
    if not isinstance(maxsize, int) or maxsize < 1:
        raise ConfigError.invalid(maxsize, "max_clients", "a whole number of clients, at least 1")


def shared_client(
    clients: ClientCache,
    resolved: ResolvedAccount,
    service_name: str,
    *,
    region_name: str | None,
    config: Config | None,
    kwargs: dict[str, Any],
    shortcut: Hashable | None = None,
    epoch: int | None = None,
) -> Any:
    """The client that all who ask for the same one share.

    Args:
        clients: Where it is kept.
        resolved: The account.
        service_name: "s3", "ec2", ...
        region_name: The client's region; None: the configuration's, else the account's.
        config: Laid over the session's configuration.
        kwargs: Whatever else boto3's `client` takes, without keys.
        shortcut: As `ClientCache.get` takes it.
        epoch: As `ClientCache.get` takes it.
    """
    region = region_of(region_name, config, resolved.region_name)
    key: tuple[object, ...] = (resolved.key, service_name, region, config_key(config))
    if kwargs:
        key = *key, frozenset((name, value if value.__hash__ else repr(value)) for name, value in kwargs.items())
    if config is not None:
        kwargs = {**kwargs, "config": config}
    client = clients.get(
        key,
        shortcut,
        lambda: resolved.source.client(service_name, resolved.credentials, region, **kwargs),
        epoch=epoch,
    )
    resolved.source.report()
    return client
