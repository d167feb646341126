"""What requests are signed with, in botocore's form."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from botocore.credentials import Credentials as BotocoreCredentials
from botocore.credentials import ReadOnlyCredentials

from xsession.credentials import Credentials


class SigningCredentials(ReadOnlyCredentials):
    """What one request is signed with. botocore's own repr prints the secret; this one does not."""

    __slots__ = ()

    # Before 1.35 the tuple has three fields, and later botocore asks for the fourth by name.
    account_id: str | None

    def __repr__(self) -> str:
        return f"{type(self).__name__}(access_key={self.access_key!r})"

    def __reduce__(self) -> tuple[object, ...]:
        msg = "credentials are not pickled: a pickle would carry the secret"
        raise TypeError(msg)


def signing_credentials(credentials: Credentials) -> SigningCredentials:
    """The form of `credentials` that botocore signs with."""
    values = (credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    if "account_id" in ReadOnlyCredentials._fields:
        return SigningCredentials(*values, credentials.account_id)
    return SigningCredentials(*values)


class CurrentCredentials(BotocoreCredentials):
    """Credentials that botocore asks for at each signing; what code reads of them one by one is current too."""

    def __init__(self) -> None:
        # Not the base's: it would copy the secret into attributes which are never refreshed.
        pass

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """What the next request is signed with."""
        raise NotImplementedError

    access_key = property(lambda self: self.get_frozen_credentials().access_key)
    secret_key = property(lambda self: self.get_frozen_credentials().secret_key)
    token = property(lambda self: self.get_frozen_credentials().token)
    account_id = property(lambda self: getattr(self.get_frozen_credentials(), "account_id", None))

    def __reduce__(self) -> tuple[object, ...]:
        msg = "credentials are not pickled: a pickle would carry the secret"
        raise TypeError(msg)


class CallerCredentials(CurrentCredentials):
    """The credentials of the one call that this thread makes: one STS client serves all sources and hops."""

    method = "xsession"

    def __init__(self) -> None:
        self._local = threading.local()

    @contextmanager
    def of(self, frozen: ReadOnlyCredentials) -> Iterator[None]:
        """Signs with `frozen` all that this thread sends within the block."""
        self._local.frozen = frozen
        try:
            yield
        finally:
            del self._local.frozen

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Those of the block that this thread is in; never a fallback."""
        frozen: ReadOnlyCredentials = self._local.frozen
        return frozen
