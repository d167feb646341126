"""Where credentials live between calls."""

from __future__ import annotations

from typing import Protocol

from xsession._base import public
from xsession.credentials import Credentials


@public
class Store(Protocol):
    """Keeps credentials by key, for one process or for several; every method may be called from any thread.

    A store that fails raises nothing: it answers None and forgets, since credentials can be obtained again.
    """

    def get(self, key: str) -> Credentials | None:
        """What is kept under the key and has not ended yet."""

    def put(self, key: str, credentials: Credentials) -> None:
        """Keeps credentials until they end."""

    def delete(self, key: str, access_key_id: str | None = None) -> None:
        """Forgets the key; with `access_key_id`, only if those are the credentials kept."""
