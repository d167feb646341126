"""A source whose own profile assumes a role behind MFA: with a code that a caller gave, and never by asking by itself.

botocore asks in the thread that happens to refresh, and once; the next session of the role needs another code.
"""

from __future__ import annotations

import getpass
import threading
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.credentials import Credentials, ReadOnlyCredentials

from xsession._base import renew_after_fork
from xsession.errors import MfaError

from ._token_files import guard_credentials

# A role that is assumed at the last moment must still reach STS.
_MARGIN_SECONDS = 30.0


class RoleBehindMfa:
    """The credentials of a role behind MFA that a session's profile names; held until they end.

    Args:
        session: The session.
        serial: The device.
        wall: Reads the wall clock, in seconds since 1970.
    """

    METHOD = "assume-role"

    def __init__(self, session: boto3.Session, serial: str, wall: Callable[[], float]) -> None:
        self.serial = serial
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
        held = self._held
        if code is None and held is not None and self._wall() < held[1]:
            return held[0]
        with self._lock:
            if self._instead is not None:
                return self._instead
            resolver = self._session._session.get_component("credential_provider")
            provider = next((one for one in resolver.providers if one.METHOD == self.METHOD), None)
            if provider is None or provider._prompter is not getpass.getpass or type(provider.cache) is not dict:
                # The application has a way of asking already, or keeps what was given.
                self._instead = self._session.get_credentials()
                return self._instead
            found: Any = _loaded(resolver, provider, code)
            if found is None or found.method != self.METHOD:
                self._instead = found
                return self._instead
            if code is None:
                raise code_missing(self.serial)
            frozen: ReadOnlyCredentials = found.get_frozen_credentials()
            left = found._expiry_time.timestamp() - self._wall()
            self._held = frozen, self._wall() + left - min(_MARGIN_SECONDS, left / 20)
            return frozen

    def forget(self) -> None:
        """Throws them away."""
        self._held = None

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds."""
        self._lock = threading.RLock()


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
