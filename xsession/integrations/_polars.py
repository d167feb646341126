"""Polars."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ._handed_over import told_end
from ._object_store import storage_options

if TYPE_CHECKING:
    from ._handed_over import DataSession

_serials = itertools.count()


class PolarsCredentials:
    """A `credential_provider` for polars: an account's current credentials, and an end before which it asks again.

    Args:
        session: The account's session, which is what a pickle carries.
        wall: The wall clock, in seconds since 1970.
        serial: Polars keeps stores by what the provider's pickle says, with the credentials that they were given: each
            provider is another one.
    """

    def __init__(self, session: DataSession, wall: Callable[[], float] = time.time, serial: int | None = None) -> None:
        self._session = session
        self._wall = wall
        self._serial = next(_serials) if serial is None else serial

    def __call__(self) -> tuple[dict[str, str], int]:
        """Key, secret and token, and their end in seconds since 1970; never None, which polars takes for "for ever"."""
        credentials = self._session.get_credentials().current()
        parts = {
            "aws_access_key_id": credentials.access_key_id,
            "aws_secret_access_key": credentials.secret_access_key,
        }
        if credentials.session_token is not None:
            parts["aws_session_token"] = credentials.session_token
        return parts, int(told_end(credentials, self._wall()).timestamp())

    def __reduce__(self) -> tuple[object, ...]:
        return PolarsCredentials, (self._session, self._wall, self._serial)

    def __repr__(self) -> str:
        return f"PolarsCredentials({self._session!r})"


def arguments(session: DataSession, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The arguments of polars' functions that read and write.

    Args:
        session: The account's session.
        environ: The variables that polars sees.

    Raises:
        ConfigError: As for `storage_options`.
    """
    options = storage_options(session, "polars", environ)
    return {"storage_options": options, "credential_provider": PolarsCredentials(session)}
