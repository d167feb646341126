"""obstore."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._handed_over import told_end
from ._object_store import ENDPOINT_KEY, ENDPOINT_VARIABLE, config_of, settings_of

if TYPE_CHECKING:
    from ._handed_over import DataSession


class ObstoreCredentials:
    """A `credential_provider` for obstore: an account's current credentials, and an end before which it asks again.

    Args:
        session: The account's session, which is what a pickle carries.
        wall: The wall clock, in seconds since 1970.
    """

    def __init__(self, session: DataSession, wall: Callable[[], float] = time.time) -> None:
        self._session = session
        self._wall = wall

    def __call__(self) -> dict[str, Any]:
        """Key, secret, token and end; obstore takes only an end whose zone is `datetime.UTC` itself."""
        credentials = self._session.get_credentials().current()
        return {
            "access_key_id": credentials.access_key_id,
            "secret_access_key": credentials.secret_access_key,
            "token": credentials.session_token,
            "expires_at": told_end(credentials, self._wall()),
        }

    def __repr__(self) -> str:
        return f"ObstoreCredentials({self._session!r})"


def arguments(session: DataSession) -> dict[str, Any]:
    """The arguments of `obstore.store.S3Store`, but the bucket.

    The store can be pickled where the environment has no AWS_ENDPOINT_URL_S3, which would come before its own endpoint.
    """
    settings = settings_of(session, "obstore")
    options: dict[str, Any] = {}
    if settings.endpoint_url.startswith("http://"):
        options["allow_http"] = True
    elif not settings.verifies:
        options["allow_invalid_certificates"] = True
    elif settings.ca_bundle is not None:
        options["root_certificate"] = Path(settings.ca_bundle).read_text(encoding="utf-8")
    config = config_of(settings)
    if ENDPOINT_VARIABLE not in os.environ:
        # A store with it can't be loaded from its pickle: obstore has another name for it there.
        del config[ENDPOINT_KEY]
    return {
        "config": config,
        **({"client_options": options} if options else {}),
        "credential_provider": ObstoreCredentials(session),
    }
