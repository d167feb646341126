"""deltalake."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING

from xsession.errors import FrozenCredentialsWarning

from ._object_store import storage_options

if TYPE_CHECKING:
    from ._handed_over import DataSession

TAKEN_FIRST = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_WEB_IDENTITY_TOKEN_FILE")
"""Variables that deltalake reads for whatever its options leave open, and takes before it asks an endpoint."""


def options(session: DataSession, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The `storage_options` of deltalake, which has no hook for credentials: where it asks for them, again and again.

    Args:
        session: The account's session.
        environ: The variables that deltalake sees.
    """
    settings = storage_options(session, "deltalake")
    found = [name for name in TAKEN_FIRST if name in environ]
    if found:
        return {**settings, **_frozen(session, found[0])}
    endpoint = session.endpoint()
    return {
        **settings,
        "aws_container_credentials_full_uri": endpoint.uri,
        # Of the token itself there is no option.
        "aws_container_authorization_token_file": endpoint.token_file,
    }


def _frozen(session: DataSession, variable: str) -> dict[str, str]:
    credentials = session.get_credentials().current()
    end = "" if credentials.local_expiry is None else f", until {credentials.local_expiry:%H:%M:%S %Z}"
    msg = (
        f"account {session.name!r}: deltalake would act as {variable} of the environment says, so it is given keys "
        f"that it can't refresh{end}; it refreshes where that variable is not set, such as with a profile"
    )
    warnings.warn(msg, FrozenCredentialsWarning, stacklevel=4)
    # Named where it has none: the environment's would be taken.
    token = {"aws_session_token": credentials.session_token} if credentials.session_token else {}
    return {
        "aws_access_key_id": credentials.access_key_id,
        "aws_secret_access_key": credentials.secret_access_key,
        **token,
    }
