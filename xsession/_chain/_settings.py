"""What a `CrossAccountSession` was made with, as its chains need it."""

from __future__ import annotations

from collections.abc import Callable

from botocore.config import Config

from xsession import events
from xsession._base import Clock, frozen
from xsession.refresh import Lanes, RefreshPolicy, Workers
from xsession.roles import Defaults, Runner
from xsession.stores import Store

MfaCode = Callable[[str], str]
"""Called with the serial number of an MFA device; returns its six digits."""


@frozen(kw_only=True)
class ChainSettings:
    """What the user chose for all accounts.

    Args:
        region_name: The session's region.
        config: Client configuration for all accounts.
        defaults: Fill what the roles of registered accounts leave open.
        runner: Who runs us, for the session names.
        refresh: When to refresh.
        mfa_code: Called for codes of MFA devices; None: the command of the defaults, else a prompt.
    """

    region_name: str | None
    config: Config | None
    defaults: Defaults
    runner: Runner
    refresh: RefreshPolicy
    mfa_code: MfaCode | None


@frozen(kw_only=True)
class Runtime:
    """What refreshes run with.

    Args:
        clock: Both clocks.
        emit: Takes events.
        store: Keeps credentials.
        workers: Where refreshes run.
        lanes: Where calls wait while STS throttles.
    """

    clock: Clock
    emit: events.Hook
    store: Store
    workers: Workers
    lanes: Lanes
