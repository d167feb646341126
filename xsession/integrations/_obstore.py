"""obstore."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._handed_over import told_end
from ._object_store import FIRST_ENDPOINT, config_of, settings_of

if TYPE_CHECKING:
    from ._handed_over import DataSession


class ObstoreCredentials:
    """A `credential_provider` for obstore: an account's current credentials, and an end before which it asks again.

    Args:
        session: The account's session, which is what a pickle carries.
        wall: The wall clock, in seconds since 1970.
        variable: A variable of the environment that has another endpoint than the account, which keeps the store from
            being pickled; None: there is none.
    """

    def __init__(
        self, session: DataSession, wall: Callable[[], float] = time.time, variable: str | None = None
    ) -> None:
        self._session = session
        self._wall = wall
        self._variable = variable

    def __call__(self) -> dict[str, Any]:
        """Key, secret, token and end; obstore takes only an end whose zone is `datetime.UTC` itself."""
        credentials = self._session.get_credentials().current()
        return {
            "access_key_id": credentials.access_key_id,
            "secret_access_key": credentials.secret_access_key,
            "token": credentials.session_token,
            "expires_at": told_end(credentials, self._wall()),
        }

    def __reduce__(self) -> tuple[object, ...]:
        if self._variable is not None:
            msg = (
                f"a store of {self._session.name!r} is not pickled: obstore can't load one whose endpoint is not "
                f"that of {self._variable}; start the program without this variable, or make the store where it is used"
            )
            raise TypeError(msg)
        return ObstoreCredentials, (self._session, self._wall)

    def __repr__(self) -> str:
        return f"ObstoreCredentials({self._session!r})"


def arguments(session: DataSession, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The arguments of `obstore.store.S3Store`, but the bucket.

    Args:
        session: The account's session.
        environ: The variables that obstore sees.

    Raises:
        ConfigError: As for `settings_of`.
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
    variables = (
        name for name, value in environ.items() if name.lower() == FIRST_ENDPOINT and value != config[FIRST_ENDPOINT]
    )
    variable = next(variables, None)
    if variable is None:
        # A store that is told of it can't be loaded again: its pickle has a name for it that obstore does not know.
        del config[FIRST_ENDPOINT]
    return {
        "config": config,
        **({"client_options": options} if options else {}),
        "credential_provider": ObstoreCredentials(session, variable=variable),
    }
