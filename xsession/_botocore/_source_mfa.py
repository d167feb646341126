"""A source whose own profile assumes a role behind MFA: with a code that a caller gave, and never by asking by itself.

botocore asks in the thread that happens to refresh, and once; the next session of the role needs another code.
"""

from __future__ import annotations

import getpass
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import boto3
from botocore.credentials import Credentials, ReadOnlyCredentials

from xsession._base import renew_after_fork
from xsession.credentials import Credentials as OurCredentials
from xsession.errors import MfaError

from ._signing import signing_credentials
from ._token_files import guard_credentials

# A role that is assumed at the last moment must still reach STS.
_MARGIN_SECONDS = 30.0


class KeptRole(Protocol):
    """Where other processes find the role's credentials, and this one theirs."""

    def find(self) -> OurCredentials | None:
        """What is kept, and has not ended."""

    def keep(self, credentials: OurCredentials, /) -> None:
        """Keeps what a code was spent on."""

    def forget(self, access_key_id: str, /) -> None:
        """Has all processes forget what AWS rejected."""


class RoleBehindMfa:
    """The credentials of a role behind MFA that a session's profile names; held until they end.

    Args:
        session: The session.
        serial: The device.
        role_arn: The role, where it is known.
        kept: Returns where other processes find its credentials; None: nowhere.
        wall: Reads the wall clock, in seconds since 1970.
    """

    METHOD = "assume-role"

    def __init__(
        self,
        session: boto3.Session,
        serial: str,
        *,
        role_arn: str | None,
        kept: Callable[[], KeptRole | None],
        wall: Callable[[], float],
    ) -> None:
        self.serial = serial
        self._kept = kept
        self._role_arn = role_arn
        self._session = session
        self._wall = wall
        self._lock = threading.RLock()
        self._held: tuple[ReadOnlyCredentials, float] | None = None
        self._instead: Credentials | None = None
        renew_after_fork(self)

    @property
    def is_usable(self) -> bool:
        """Whether credentials are held that are good still."""
        held = self._held
        return held is not None and self._wall() < held[1]

    @property
    def needs_code(self) -> bool:
        """Whether the next credentials take a code."""
        try:
            self.load(None)
        except MfaError:
            return True
        except Exception:  # noqa: BLE001 # whoever reads the credentials is told
            return False
        return False

    def load(self, code: str | None) -> Credentials | ReadOnlyCredentials | None:
        """The role's credentials; or those that the session has instead, where something comes before its profile.

        Args:
            code: The code of the device, to be spent now; None: there is none.

        Raises:
            MfaError: They need a code.
        """
        held, kept = self._held, self._kept()
        if code is None and held is not None and self._wall() < held[1]:
            return held[0]
        found = None if code is not None or kept is None else kept.find()
        if found is not None:
            frozen = self._hold(found)
            if self.is_usable:
                return frozen
        loaded, new = self._obtained(code)
        if new is not None and kept is not None:
            kept.keep(new)
        return loaded

    def forget(self) -> None:
        """Throws them away."""
        held, kept = self._held, self._kept()
        self._held = None
        if held is not None and kept is not None:
            kept.forget(held[0].access_key or "")

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds."""
        self._lock = threading.RLock()

    def _obtained(self, code: str | None) -> tuple[Credentials | ReadOnlyCredentials | None, OurCredentials | None]:
        """What the session has; and it once more, if the code was spent on it."""
        with self._lock:
            if self._instead is not None:
                return self._instead, None
            resolver = self._session._session.get_component("credential_provider")
            provider = next((one for one in resolver.providers if one.METHOD == self.METHOD), None)
            if provider is None or provider._prompter is not getpass.getpass or type(provider.cache) is not dict:
                # The application has a way of asking already, or keeps what was given.
                self._instead = self._session.get_credentials()
                return self._instead, None
            began = datetime.fromtimestamp(self._wall(), UTC)
            found: Any = _loaded(resolver, provider, code)
            if found is None or found.method != self.METHOD:
                self._instead = found
                return self._instead, None
            if code is None:
                raise code_missing(self.serial)
            frozen: ReadOnlyCredentials = found.get_frozen_credentials()
            expiry: datetime = found._expiry_time
            new = OurCredentials(
                access_key_id=frozen.access_key or "",
                secret_access_key=frozen.secret_key or "",
                session_token=frozen.token,
                expiry=expiry,
                issued_at=began,
                lifetime=(expiry - began).total_seconds(),
                account_id=getattr(frozen, "account_id", None),
                arn=self._role_arn,
            )
            return self._hold(new), new

    def _hold(self, credentials: OurCredentials) -> ReadOnlyCredentials:
        ends, frozen = credentials.local_expiry, signing_credentials(credentials)
        until = float("inf") if ends is None else ends.timestamp()
        self._held = frozen, until - min(_MARGIN_SECONDS, (credentials.lifetime or until) / 20)
        return frozen


def _loaded(resolver: Any, provider: Any, code: str | None) -> Any:
    # Each time by the provider: what it returns refuses a second code, and what it keeps may be about to end.
    before = provider._prompter, provider.cache
    provider._prompter, provider.cache = (lambda _prompt: code), {}
    provider._visited_profiles = [provider._profile_name]
    try:
        return guard_credentials(resolver.load_credentials())
    finally:
        provider._prompter, provider.cache = before


def mfa_serial_of(profile: str | None, profiles: Mapping[str, Any]) -> str | None:
    """The device that a profile's credentials ask for; None: they ask for none.

    Args:
        profile: The profile; None: the default one.
        profiles: All profiles of the files, by name.
    """
    visited: list[str] = []
    name: str | None = profile or "default"
    while name is not None and name not in visited:
        visited.append(name)
        settings = profiles.get(name) or {}
        if len(visited) > 1 and settings.get("aws_access_key_id"):
            # As a source, a profile's own keys come before its role.
            return None
        if not settings.get("role_arn") or "web_identity_token_file" in settings:
            return None
        if settings.get("mfa_serial"):
            return str(settings["mfa_serial"])
        name = settings.get("source_profile")
    return None


def code_missing(serial: str) -> MfaError:
    """The error of a refresh that would need a code: those who give codes are asked before, in the foreground."""
    msg = f"the MFA device {serial} needs a code, which only a caller in the foreground can give"
    return MfaError(msg, hint="call warm() where a person can answer")
