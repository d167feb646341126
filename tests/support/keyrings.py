"""Keyrings of the operating system, as they are when all is well, and when not."""

from __future__ import annotations

import time
from typing import ClassVar

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordSetError

MAX_WINDOWS_BYTES = 2_560


class MemoryKeyring(KeyringBackend):
    """One that works, and counts what it is asked; as small as that of Windows."""

    priority = 1.0
    kept: ClassVar[dict[tuple[str, str], str]] = {}
    reads = writes = 0

    @classmethod
    def reset(cls) -> None:
        """Empties it."""
        cls.kept = {}
        cls.reads = cls.writes = 0

    def get_password(self, service: str, username: str) -> str | None:
        """What is kept."""
        MemoryKeyring.reads += 1
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keeps it."""
        MemoryKeyring.writes += 1
        if len(password.encode("utf-16")) > MAX_WINDOWS_BYTES:
            msg = "(1783, 'CredWrite', 'The stub received bad data')"
            raise OSError(msg)
        self.kept[service, username] = password


class LockedKeyring(MemoryKeyring):
    """One that nobody unlocks."""

    def get_password(self, service: str, username: str) -> str | None:
        """Refuses."""
        msg = f"Failed to unlock the collection, {service} {username}!"
        raise KeyringLocked(msg)


class ReadOnlyKeyring(MemoryKeyring):
    """One that takes nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Refuses, and shows what it was given, as a careless backend may."""
        msg = f"can't store {service} {username} {password}"
        raise PasswordSetError(msg)


class ForgetfulKeyring(MemoryKeyring):
    """One that takes everything, and keeps nothing."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Forgets it."""


class HangingKeyring(MemoryKeyring):
    """One that waits for a person who is not there."""

    def get_password(self, service: str, username: str) -> str | None:
        """Takes a minute."""
        MemoryKeyring.reads += 1
        time.sleep(60)
        return super().get_password(service, username)
