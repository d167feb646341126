"""What a store has of an account's credentials, found without boto3 and without a network call."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from xsession.accounts import Account, Profile, describe_source, sts_endpoint
from xsession.credentials import Credentials
from xsession.roles import Hop, Role

from ._store import SharedStore

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


def kept_credentials(
    account: Account,
    hops: tuple[Hop, ...],
    *,
    profile_name: str | None,
    store: SharedStore,
    environ: Mapping[str, str],
    wall: Callable[[], float],
) -> Credentials | None:
    """The credentials that a store has of an account; None: none that are sure to be its.

    Args:
        account: The account.
        hops: Its hops, in order.
        profile_name: The profile that chains start from where the account names none; None: boto3's default.
        store: The store.
        environ: The process's environment variables.
        wall: Reads the wall clock, in seconds since 1970.
    """
    if not hops or account.has_own_session:
        return None
    source = account.source if isinstance(account.source, str | Profile) else profile_name
    endpoint = sts_endpoint(source if account.settings is None else account.settings, environ)
    descriptor = describe_source(source, environ)
    key = None if descriptor is None else descriptor.source_key(endpoint, store.principal)
    for hop in hops:
        key = stored_key(hop.role, key, endpoint)
    kept = None if key is None else store.get(key)
    if key is None or kept is None or kept.issued_at is None or kept.account_id != hops[-1].role.account_id:
        return None
    role_arn, issued = hops[-1].role.role_arn, kept.issued_at
    # From the future: the wall clock was set back, and nothing says when these really end.
    is_sure = issued.timestamp() <= wall() and not store.is_marked(key, role_arn, kept.source_identity, issued)
    return kept if is_sure else None


def _of_token(path: str | None, endpoint: str | None) -> str | None:
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
