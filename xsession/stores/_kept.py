"""What a store has of an account's credentials, found without boto3 and without a network call."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from xsession._base import frozen, public
from xsession.accounts import (
    Account,
    Accounts,
    Discovery,
    Profile,
    SourceDescriptor,
    describe_source,
    settings_reader,
    sts_endpoint,
)
from xsession.credentials import Credentials
from xsession.roles import Defaults, Hop, HopResolver, Role, this_runner

from ._choice import as_store
from ._place import named_store
from ._store import Store, as_shared

if TYPE_CHECKING:
    from xsession.events import Hook

_PASSING_CLAIMS = frozenset({"exp", "iat", "jti", "nbf"})


def stored_key(role: Role, before: str | None, endpoint: str | None) -> str | None:
    """The key of a hop's credentials in a store that processes share; None: it has none.

    Args:
        role: The hop's role, nothing left to fill.
        before: The key of the hop before, or what stands for the source; None: that has none.
        endpoint: The STS endpoint that is asked; None: AWS's own.
    """
    parent = _of_token(role.web_identity_token_file, endpoint) if role.has_web_identity else before
    return None if parent is None else role.key(parent)


@frozen
class KeptHop:
    """One hop of an account.

    Args:
        number: Its place in the chain, counted from 1.
        role_arn: The role.
        credentials: What the store has of it; None: nothing that is sure to be its.
    """

    number: int
    role_arn: str
    credentials: Credentials | None


@public
class KeptCredentials:
    """What a store has of accounts, found without boto3: for programs that start often and must start fast.

    Args:
        accounts: The accounts.
        store: Where their credentials are kept; one process's memory has none that others can find.
        profile_name: The profile that chains start from where an account names none; None: boto3's default.
        wall: Reads the wall clock, in seconds since 1970.
    """

    def __init__(
        self,
        accounts: Accounts,
        store: Store,
        *,
        profile_name: str | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.accounts = accounts
        self.store = store
        self._shared = as_shared(store)
        self._profile_name = profile_name
        self._wall = wall
        self._resolver = HopResolver(Defaults(), this_runner())
        # By the source and the settings: to read AWS's files takes longer than all else.
        self._sources: dict[object, tuple[str | None, SourceDescriptor | None]] = {}

    @classmethod
    def of_machine(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        default_store: str = "file",
        on_event: Hook | None = None,
        profile_name: str | None = None,
        wall: Callable[[], float] = time.time,
    ) -> KeptCredentials:
        """What is kept of all accounts that `CrossAccountSession.from_config` would have; makes no network call.

        Args:
            path: The file with the accounts, which counts alone; None: all that are found.
            default_store: The store where nobody names one.
            on_event: Takes what the store has to say; None: it is logged.
            profile_name: As for the class.
            wall: As for the class.

        Raises:
            ConfigError: A file is missing or wrong, or there is no account at all.
        """
        found = Discovery.of(path, Accounts(), combine=None).discover(os.environ, wall())
        store = as_store(named_store(os.environ) or found.store or default_store, on_event, wall)
        return cls(found.accounts, store, profile_name=profile_name, wall=wall)

    def of(self, account: Account) -> Credentials | None:
        """An account's own: those of its last hop, which a session would sign with. None: none are sure to be its."""
        hops = self._keys(account)
        return self._kept(*hops[-1]) if hops else None

    def hops_of(self, account: Account) -> list[KeptHop]:
        """All hops of an account, in order."""
        return [KeptHop(hop.number, hop.role.role_arn, self._kept(hop, key)) for hop, key in self._keys(account)]

    def or_obtained(
        self,
        account: Account,
        obtain: Callable[[], Credentials],
        *,
        is_enough: Callable[[Credentials], bool],
        patience: float = 10.0,
    ) -> Credentials:
        """What is kept of an account, else what a function obtains.

        Of many processes that want it at once, one obtains it, and the others wait for what the store has then. Where
        that one fails, hangs or leaves nothing there, each obtains it by itself; at once where no store can have it.

        Args:
            account: The account.
            obtain: Obtains them, and has a session with the same store do so; what it raises is raised.
            is_enough: Whether those that are kept will do.
            patience: Seconds to wait for another process.
        """
        store, turn = self._shared, self._turn(account)
        if store is None or turn is None:
            return obtain()
        with store.refreshing(turn, patience) as is_held:
            kept = self._kept_enough(account, is_enough)
            if kept is not None:
                return kept
            if is_held and store.failure(turn) is None:
                try:
                    return obtain()
                finally:
                    if self._kept_enough(account, is_enough) is None:
                        # In a queue, each would wait for all before it, and in vain.
                        store.put_failure(turn, {"message": "nothing is kept"}, patience)
        return obtain()

    def _kept_enough(self, account: Account, is_enough: Callable[[Credentials], bool]) -> Credentials | None:
        self._sources.clear()  # whoever obtained it may have renewed a login, which is another source then
        kept = self.of(account)
        return kept if kept is not None and is_enough(kept) else None

    def _turn(self, account: Account) -> str | None:
        """What processes take turns by that want an account's credentials; None: none finds what another obtains."""
        endpoint, descriptor = self._source(account)
        # Not by its principal: one that begins before it is known must wait for the same turn as one that begins later.
        source = None if descriptor is None else descriptor.principal_key(endpoint)
        hops = self._keys_from(source, endpoint, account)
        return None if not hops or hops[-1][1] is None else f"obtained {hops[-1][1]}"

    def _keys(self, account: Account) -> list[tuple[Hop, str | None]]:
        """The hops of an account, each with its key; None: it has none."""
        store, (endpoint, descriptor) = self._shared, self._source(account)
        known = None if store is None or descriptor is None else descriptor.source_key(endpoint, store.principal)
        return self._keys_from(known, endpoint, account)

    def _keys_from(self, key: str | None, endpoint: str | None, account: Account) -> list[tuple[Hop, str | None]]:
        defaults = self._resolver.defaults(account.defaults, registered=account.registered)
        keys = []
        for hop in self._resolver.hops(account.chain, defaults, account.name):
            key = stored_key(hop.role, key, endpoint)
            keys.append((hop, key))
        return keys

    def _source(self, account: Account) -> tuple[str | None, SourceDescriptor | None]:
        """The STS endpoint of an account, and what names its source; None: AWS's own, and nothing does.

        A session of its own is known to its process alone.
        """
        if self._shared is None or account.has_own_session:
            return None, None
        source = account.source if isinstance(account.source, str | Profile) else self._profile_name
        found = self._sources.get((source, account.settings))
        if found is None:
            read = settings_reader(os.environ)
            endpoint = sts_endpoint(source if account.settings is None else account.settings, os.environ, read)
            found = self._sources[source, account.settings] = endpoint, describe_source(source, os.environ, read)
        return found

    def _kept(self, hop: Hop, key: str | None) -> Credentials | None:
        store = self._shared
        kept = None if key is None or store is None else store.get(key)
        if key is None or store is None or kept is None or kept.issued_at is None:
            return None
        # From the future: the wall clock was set back, and nothing says when these really end.
        is_sure = kept.account_id == hop.role.account_id and kept.issued_at.timestamp() <= self._wall()
        is_over = store.is_marked(key, hop.role.role_arn, kept.source_identity, kept.issued_at)
        return kept if is_sure and not is_over else None


def _of_token(path: str | os.PathLike[str] | None, endpoint: str | None) -> str | None:
    """What stands for the source of a web identity: all that its token says but when; None: that is not known."""
    import base64  # noqa: PLC0415 # for tokens alone

    try:
        payload = Path(path or "").read_bytes().split(b".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except (OSError, IndexError, ValueError):
        return None
    if not isinstance(claims, dict):
        return None
    lasting = {name: value for name, value in claims.items() if name not in _PASSING_CLAIMS}
    return json.dumps(["web-identity", lasting, endpoint], sort_keys=True)
