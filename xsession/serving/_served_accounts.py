"""The accounts of an endpoint: which token opens which path, and what is answered there."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Protocol

from xsession.errors import XSessionError

from ._answer import credentials_answer, error_answer, refusal_answer
from ._connection import Later
from ._request import EndpointRequest, Refusal, read_request

if TYPE_CHECKING:
    from xsession.credentials import Credentials

_NO_TOKEN = Refusal(401, "Unauthorized", "the request has no Authorization header")
# Whether the path, the token or both are wrong is not said.
_WRONG_TOKEN = Refusal(403, "AccessDenied", "no account is served under this path with this token")
_WRONG_HOST = Refusal(403, "AccessDenied", "the request is for another host")
_WRONG_METHOD = Refusal(405, "MethodNotAllowed", "credentials are asked for with GET")
_FAILED = Refusal(500, "InternalError", "the credentials could not be read")


class ServableCredentials(Protocol):
    """Credentials of one account, for those who can't ask a person for anything."""

    def held(self) -> Credentials | None:
        """Those that can be used now, without waiting; None: there are none, or to look takes time."""

    def unattended(self) -> Credentials:
        """The current ones; waits for them."""


class ServedAccount:
    """One account that is served.

    Args:
        path: Where.
        token: Who has it gets the credentials.
        credentials: Its credentials.
    """

    __slots__ = ("credentials", "path", "token")

    def __init__(self, path: str, token: str, credentials: ServableCredentials) -> None:
        self.path = path
        self.token = token.encode("ascii")
        self.credentials = credentials


class ServedAccounts:
    """Answers requests; makes no network call, and waits for nothing.

    Args:
        wall: The wall clock, in seconds since 1970.
    """

    def __init__(self, wall: Callable[[], float]) -> None:
        self.hosts: frozenset[bytes] = frozenset()
        self._wall = wall
        self._by_path: dict[bytes, ServedAccount] = {}
        # Compared with where there is no account, so that it takes as long.
        self._nobody = new_token().encode("ascii")

    def add(self, account: ServedAccount) -> None:
        """Serves one more account."""
        self._by_path[account.path.encode("ascii")] = account

    def respond(self, head: bytes) -> bytes | Later:
        """The answer to a request, or what it waits for."""
        request = read_request(head)
        if isinstance(request, EndpointRequest):
            found = self._authorized(request)
            if isinstance(found, ServedAccount):
                return self._held(found)
            request = found
        return refusal_answer(request)

    def _held(self, account: ServedAccount) -> bytes | Later:
        try:
            credentials = account.credentials.held()
        except XSessionError as error:
            return error_answer(error)
        if credentials is not None:
            return credentials_answer(credentials, self._wall())
        return Later(account.path, partial(self._current, account))

    def _current(self, account: ServedAccount) -> bytes:
        try:
            return credentials_answer(account.credentials.unattended(), self._wall())
        except XSessionError as error:
            return error_answer(error)
        except Exception:  # noqa: BLE001 # sources run foreign code, whose errors may hold secrets
            return refusal_answer(_FAILED)

    def _authorized(self, request: EndpointRequest) -> ServedAccount | Refusal:
        # A page in a browser that has its own name lead to loopback sends that name.
        if request.host not in self.hosts:
            return _WRONG_HOST
        if request.method != b"GET":
            return _WRONG_METHOD
        if request.authorization is None:
            return _NO_TOKEN
        account = self._by_path.get(request.path)
        expected = self._nobody if account is None else account.token
        matches = hmac.compare_digest(request.authorization, expected)
        return account if matches and account is not None else _WRONG_TOKEN


def new_token() -> str:
    """A token that nobody can guess, of characters that every reader leaves as they are."""
    return secrets.token_urlsafe(32)
