"""What `CrossAccountSession` takes beside accounts, for type checkers and for what reads hints."""

from __future__ import annotations

from collections.abc import Iterable

import boto3
from botocore.config import Config

from ._base import Clock
from ._chain import MfaCode
from .events import Hook
from .refresh import RefreshPolicy
from .roles import DefaultOptions
from .stores import Store

__all__: list[str] = []


class SessionOptions(DefaultOptions, total=False):
    """As `CrossAccountSession.from_config` takes them."""

    session: boto3.Session | None
    profile_name: str | None
    region_name: str | None
    config: Config | None
    refresh: RefreshPolicy | None
    store: Store | str | None
    mfa_code: MfaCode | None
    hooks: Iterable[Hook]
    max_clients: int
    worker_session: str | None
    clock: Clock | None
