"""Where one account's credentials are asked for, and with which token."""

from __future__ import annotations

from dataclasses import field
from typing import NoReturn

from xsession._base import frozen


@frozen(kw_only=True)
class ContainerEndpoint:
    """What a library needs to ask for one account's credentials: for those that take it by options.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html

    Args:
        uri: As `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
        token: The value of the `Authorization` header: whoever has it gets the credentials. Not in the repr.
        token_file: The path of a file, mode 0600, that holds the token and nothing else.
    """

    uri: str
    token: str = field(repr=False)
    token_file: str

    def __reduce__(self) -> NoReturn:
        msg = "a ContainerEndpoint is not pickled: a pickle would carry its token"
        raise TypeError(msg)
