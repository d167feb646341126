"""The operating system's keyring, asked in a thread of its own: a locked one may never answer."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

SERVICE = "xsession"
PATIENCE_SECONDS = 5.0
_NO_KEYRINGS = {"keyring.backends.fail", "keyring.backends.null"}


class KeyringError(Exception):
    """A keyring didn't do what it should; says what happened, and nothing that is in it."""


class Keyring(Protocol):
    """What is used of a backend of the package `keyring`."""

    def get_password(self, service: str, username: str) -> str | None:
        """What is kept."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Keeps it."""


def find_keyring() -> Keyring | None:
    """The backend that the user has set up, or the best one of this machine; None: it has none.

    Raises:
        KeyringError: The backend that the user names can't be used, or doesn't answer.
    """

    def find() -> Keyring | None:
        found: Any = importlib.import_module("keyring").get_keyring()
        parts = getattr(found, "backends", [found])  # a chain of none is none
        return found if any(type(each).__module__ not in _NO_KEYRINGS for each in parts) else None

    return in_time(find)


def open_keyring(backend: str) -> Keyring:
    """A backend by its name, without a look at any other.

    Raises:
        KeyringError: It can't be used here, or doesn't answer.
    """

    def load() -> Keyring:
        made: Keyring = importlib.import_module("keyring.core").load_keyring(backend)
        return made

    return in_time(load)


def backend_of(keyring: Keyring) -> str:
    """The name by which a backend is found again."""
    return f"{type(keyring).__module__}.{type(keyring).__qualname__}"


def in_time(call: Callable[[], T]) -> T:
    """What a call into a keyring returns.

    Raises:
        KeyringError: It raised, or took too long.
    """
    outcome: list[Any] = []
    done = threading.Event()

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:  # noqa: BLE001 # a backend may raise anything, and its words may hold what it keeps
            outcome.append(KeyringError(f"the keyring failed: {type(error).__name__}"))
        done.set()

    try:
        threading.Thread(target=run, name="xsession-keyring", daemon=True).start()
    except RuntimeError as error:
        raise KeyringError(str(error)) from None
    if not done.wait(PATIENCE_SECONDS):
        msg = f"the keyring did not answer within {PATIENCE_SECONDS:g} s"
        raise KeyringError(msg)
    if isinstance(outcome[0], KeyringError):
        raise outcome[0]
    result: T = outcome[0]
    return result
