"""deltalake."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xsession.errors import ConfigError, FrozenCredentialsWarning

from ._object_store import storage_options

if TYPE_CHECKING:
    from ._handed_over import DataSession

# deltalake reads variables for whatever its options leave open: in any case, and without "AWS_" too.
_TAKEN_FIRST = re.compile(
    "(aws_)?(access_key_id|secret_access_key|web_identity_token_file|container_credentials_relative_uri)", re.IGNORECASE
)
"""Those that it takes before it asks an endpoint."""
_TOKEN = re.compile("(aws_)?(session_)?token", re.IGNORECASE)


def options(session: DataSession, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The `storage_options` of deltalake, which has no hook for credentials: where it asks for them, again and again.

    Args:
        session: The account's session.
        environ: The variables that deltalake sees.

    Raises:
        ConfigError: As for `storage_options`; or a token of the environment would be sent with the account's keys.
    """
    settings = storage_options(session, "deltalake", environ)
    taken = _first(_TAKEN_FIRST, environ)
    if taken is not None:
        return {**settings, **_frozen(session, taken, environ)}
    endpoint = session.endpoint()
    return {
        **settings,
        "aws_container_credentials_full_uri": endpoint.uri,
        # Of the token itself there is no option.
        "aws_container_authorization_token_file": endpoint.token_file,
    }


def _frozen(session: DataSession, taken: str, environ: Mapping[str, str]) -> dict[str, str]:
    credentials = session.get_credentials().current()
    end = "" if credentials.local_expiry is None else f", until {credentials.local_expiry:%H:%M:%S %Z}"
    msg = (
        f"account {session.name!r}: deltalake would act as {taken} of the environment says, so it is given keys "
        f"that it can't refresh{end}; it refreshes where that variable is not set, such as with a profile"
    )
    warnings.warn(msg, FrozenCredentialsWarning, stacklevel=4)
    keys = {
        "aws_access_key_id": credentials.access_key_id,
        "aws_secret_access_key": credentials.secret_access_key,
    }
    if credentials.session_token is not None:
        return {**keys, "aws_session_token": credentials.session_token}
    token = _first(_TOKEN, environ)
    if token is not None:
        msg = f"deltalake would send {token} of the environment with the account's keys, which have no token"
        raise ConfigError(msg, account=session.name, hint="start the program without that variable")
    return keys


def _first(pattern: re.Pattern[str], environ: Mapping[str, str]) -> str | None:
    return next((name for name in environ if pattern.fullmatch(name)), None)
