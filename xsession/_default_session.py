"""The session of scripts that make none of their own: the one object here that belongs to the whole process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from botocore.config import Config

from ._base import made_once
from .accounts import AccountRef
from .errors import ConfigError
from .session import CrossAccountSession

if TYPE_CHECKING:
    from xsession._service_clients import CrossAccountClients  # absolute, as in `session`

__all__ = ["default_session", "get_client", "reset_default_session", "use_session"]


class _Default:
    """Holds the default session once there is one; has no lock, which a fork could copy while it is held."""

    @made_once
    def session(self) -> CrossAccountSession:
        """Made when it is asked for the first time."""
        return CrossAccountSession.from_config()


_default = _Default()
_in_use: ContextVar[CrossAccountSession] = ContextVar("xsession_in_use")


def default_session(session: CrossAccountSession | None = None) -> CrossAccountSession:
    """The session that `xsession.get_client` asks: for scripts; libraries take a session as an argument.

    The first call makes it with `CrossAccountSession.from_config()`; all threads, and forked children, get the same
    one. Clients of a session that is replaced stay valid: it is not closed.

    Args:
        session: Takes the place of the default session, in all threads; None: it stays.

    Raises:
        ConfigError: There is none yet, and the files of this machine name no account or are wrong; or `session` is no
            `CrossAccountSession`.
    """
    if session is not None:
        vars(_default)["session"] = _checked(session)
    return _in_use.get(None) or _default.session


def reset_default_session() -> None:
    """Forgets the default session, which the next use makes again; its clients stay valid."""
    vars(_default).pop("session", None)


@contextmanager
def use_session(session: CrossAccountSession) -> Iterator[CrossAccountSession]:
    """Within the block, the default session is another one: for tests, or one request.

    It counts for this thread or asyncio task alone, and what was before it is back when the block ends, however it
    ends.

    Args:
        session: The session of the block; it is not closed at the end.

    Raises:
        ConfigError: It is no `CrossAccountSession`.
    """
    token = _in_use.set(_checked(session))
    try:
        yield session
    finally:
        _in_use.reset(token)


if TYPE_CHECKING:
    # For type checkers it is the method, with the type of each service's client.
    get_client = CrossAccountClients().get_client
else:

    def get_client(
        service_name: str,
        account: AccountRef,
        *,
        region_name: str | None = None,
        config: Config | None = None,
        **client_kwargs: Any,
    ) -> Any:
        """The shared client of a service in an account, of the default session: see `CrossAccountSession.get_client`.

        Raises:
            ConfigError: As `default_session` raises it, or the account or an argument can't work.
            UnknownAccountError: No account has that name.
        """
        return default_session().get_client(
            service_name, account, region_name=region_name, config=config, **client_kwargs
        )


def _checked(session: CrossAccountSession) -> CrossAccountSession:
    if not isinstance(session, CrossAccountSession):
        raise ConfigError.invalid(type(session), "session", "a CrossAccountSession")
    return session
