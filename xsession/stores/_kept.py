"""What a store has of an account's credentials, found without boto3 and without a network call."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from xsession._base import frozen
from xsession.accounts import Account, Accounts, Discovery, Profile, describe_source, sts_endpoint
from xsession.credentials import Credentials
from xsession.roles import Defaults, Hop, HopResolver, Role, this_runner

from ._choice import as_store
from ._place import named_store
from ._store import SharedStore, Store, as_shared

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
class KeptCredentials:
    """What the store has of an account, found without boto3: for programs that start often and must start fast.

    Args:
        accounts: All accounts that this machine has.
        account: The account.
        store: Where its credentials are kept.
        credentials: Those kept; None: none that are sure to be its.
    """

    accounts: Accounts
    account: Account
    store: Store
    credentials: Credentials | None

    @classmethod
    def find(
        cls,
        name: str,
        path: str | os.PathLike[str] | None = None,
        *,
        profile_name: str | None = None,
        on_event: Hook | None = None,
        wall: Callable[[], float] = time.time,
    ) -> KeptCredentials:
        """Looks for an account's credentials, as `CrossAccountSession.from_config` would; makes no network call.

        Args:
            name: The account.
            path: The file with the accounts, which counts alone; None: all that are found.
            profile_name: The profile that chains start from where the account names none; None: boto3's default.
            on_event: Takes what the store has to say; None: it is logged.
            wall: Reads the wall clock, in seconds since 1970.

        Raises:
            ConfigError: A file is missing or wrong, or there is no account at all.
            UnknownAccountError: No account has that name.
        """
        found = Discovery.of(path, Accounts(), combine=None, folder=Path.cwd()).discover(os.environ, wall())
        account = found.accounts.find(name)
        store = as_store(named_store(os.environ) or found.store or "file", on_event, wall)
        shared = as_shared(store)
        hops = [] if shared is None else _keys(account, profile_name, shared)
        # The last hop's alone: this is what `credential-process` waits for.
        kept = None if shared is None or not hops else _kept(*hops[-1], shared, wall)
        return cls(found.accounts, account, store, kept)

    @staticmethod
    def look_up_hops(
        account: Account,
        store: Store,
        *,
        profile_name: str | None = None,
        wall: Callable[[], float] = time.time,
    ) -> tuple[Credentials | None, ...]:
        """What a store has of each hop of an account; nothing where it is one process's memory.

        Args:
            account: The account.
            store: The store.
            profile_name: As for `find`.
            wall: As for `find`.
        """
        shared = as_shared(store)
        if shared is None:
            return ()
        return tuple(_kept(hop, key, shared, wall) for hop, key in _keys(account, profile_name, shared))


def _keys(account: Account, profile_name: str | None, store: SharedStore) -> list[tuple[Hop, str | None]]:
    """The hops of an account, each with its key; None: it has none."""
    resolver = HopResolver(Defaults(), this_runner())
    hops = resolver.hops(
        account.chain, resolver.defaults(account.defaults, registered=account.registered), account.name
    )
    if not hops or account.has_own_session:
        return []
    source = account.source if isinstance(account.source, str | Profile) else profile_name
    endpoint = sts_endpoint(source if account.settings is None else account.settings, os.environ)
    descriptor = describe_source(source, os.environ)
    key = None if descriptor is None else descriptor.source_key(endpoint, store.principal)
    found: list[tuple[Hop, str | None]] = []
    for hop in hops:
        key = stored_key(hop.role, key, endpoint)
        found.append((hop, key))
    return found


def _kept(hop: Hop, key: str | None, store: SharedStore, wall: Callable[[], float]) -> Credentials | None:
    kept = None if key is None else store.get(key)
    if key is None or kept is None or kept.issued_at is None or kept.account_id != hop.role.account_id:
        return None
    role_arn, issued = hop.role.role_arn, kept.issued_at
    # From the future: the wall clock was set back, and nothing says when these really end.
    is_sure = issued.timestamp() <= wall() and not store.is_marked(key, role_arn, kept.source_identity, issued)
    return kept if is_sure else None


def _of_token(path: str | os.PathLike[str] | None, endpoint: str | None) -> str | None:
    """What stands for the source of a web identity: all that its token says but when; None: that is not known."""
    try:
        payload = Path(path or "").read_bytes().split(b".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except (OSError, IndexError, ValueError):
        return None
    if not isinstance(claims, dict):
        return None
    lasting = {name: value for name, value in claims.items() if name not in _PASSING_CLAIMS}
    return json.dumps(["web-identity", lasting, endpoint], sort_keys=True)
