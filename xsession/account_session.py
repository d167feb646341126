"""`AccountSession`: a boto3 session for one account."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config
from botocore.credentials import Credentials as BotocoreCredentials

from ._base import Table, Tabular, hides_frames, made_once
from ._base.lazy import lazy_modules
from ._botocore import region_of
from ._chain import ResolvedAccount
from ._client_cache import ClientCache, shared_client
from .errors import ConfigError, SessionClosedError
from .roles import RoleChain

if TYPE_CHECKING:
    from xsession._service_clients import AccountClients

    from . import integrations, serving
else:
    AccountClients = boto3.Session
    # As in `session`.
    integrations, serving = lazy_modules("integrations", "serving")

__all__ = ["AccountSession"]

EXPLICIT_KEYS = frozenset({"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_account_id"})
"""Arguments of boto3's `client` that would make it act with other credentials than the account's."""

_BOTO3_ATTRIBUTES = frozenset({"_session", "_loader", "resource_factory"})
_CLIENT = inspect.signature(boto3.Session.client)


def refuse_keys(arguments: dict[str, Any], account: str) -> None:
    """Refuses keys among the arguments of a client.

    Args:
        arguments: The arguments; frames that the error passes have them too, and so lose the keys.
        account: The account's name, for the error.

    Raises:
        ConfigError: There are some.
    """
    refused = EXPLICIT_KEYS.intersection(arguments)
    if refused:
        arguments.update(dict.fromkeys(refused, "(not shown)"))
        msg = f"a client takes no {min(refused)}: the account says whose credentials are used"
        raise ConfigError(msg, account=account, hint="use boto3.client for keys of your own")


class SessionOwner(Protocol):
    """The `CrossAccountSession` that an account's session was made by, as far as that needs it."""

    def reduced(self, resolved: ResolvedAccount) -> tuple[object, ...]:
        """What a pickle of the account's session carries."""

    def endpoint(self, resolved: ResolvedAccount) -> serving.ContainerEndpoint:
        """Where programs ask for the account's credentials."""

    def enabled_regions(self, resolved: ResolvedAccount) -> tuple[str, ...]:
        """The regions that the account has enabled."""


class AccountSession(Tabular, AccountClients):
    """A boto3 session for one account: everything that takes a boto3 session takes it, and it never expires.

    Made by `CrossAccountSession.session` or `xs["name"]`. `.client` and `.resource` keep boto3's meaning: each call
    makes a new object that is the caller's own; `.get_client` has the one that is shared. Keys passed to them are
    refused with a `ConfigError`.
    """

    def __init__(self, resolved: ResolvedAccount, clients: ClientCache, owner: SessionOwner | None = None) -> None:
        # Not the base's: a botocore session is made when something is needed that only it has.
        self._resolved = resolved
        self._clients = clients
        self._owner = owner

    @property
    def name(self) -> str:
        """The account's name."""
        return self._resolved.account.name

    @property
    def account_id(self) -> str | None:
        """The account's 12-digit id, where it is known."""
        return self._resolved.account.account_id

    @property
    def chain(self) -> RoleChain | None:
        """The roles that lead to the account; None: the source's credentials are the account's."""
        return self._resolved.account.chain

    @property
    def region_name(self) -> str | None:  # type: ignore[override]  # the stubs have an attribute; boto3 has a property
        """The region of clients where a call names none."""
        return self._resolved.region_name

    def get_credentials(self) -> BotocoreCredentials:
        """botocore's credentials object of the account: asked at each signing, it has current ones."""
        return self._resolved.credentials

    def endpoint(self) -> serving.ContainerEndpoint:
        """Where a library in this process asks for the account's credentials by HTTP, until the session is closed.

        For libraries that are given nothing but an address; see `CrossAccountSession.serve` for other programs.

        Raises:
            ConfigError: It is the session of a grant.
            CredentialsError: The credentials could not be obtained.
            SessionClosedError: The session is closed.
        """
        if self._owner is None:
            msg = "the session of a grant has no endpoint: what asks there would not know when it ends"
            raise ConfigError(msg, account=self.name)
        return self._owner.endpoint(self._resolved)

    @made_once
    def data(self) -> integrations.DataLibraries:
        """The account in the form that data libraries take: s3fs, pandas, polars, PyArrow, DuckDB and others."""
        from .integrations import DataLibraries  # noqa: PLC0415 # few programs read data

        return DataLibraries(self)

    def aio(self) -> Any:
        """The account's aiobotocore session, over the same credentials; the same object at each call.

        Needs the extra `aio`. Code that takes an `aiobotocore.session.AioSession` takes it; what waits for a refresh
        in an event loop does not hold up that loop. Nobody at a terminal is asked for an MFA code there.

        Raises:
            ConfigError: aiobotocore is not installed, or too old.
        """
        made = self.__dict__.get("_made_aio")
        if made is None:
            from .integrations import aio_session  # noqa: PLC0415 # it imports aiobotocore

            # As in __getattr__.
            made = self.__dict__.setdefault("_made_aio", aio_session(self, self._resolved, refuse_keys))
        return made

    if not TYPE_CHECKING:  # `_service_clients` has the type of each service's client

        @hides_frames(ConfigError)
        def get_client(
            self,
            service_name: str,
            *,
            region_name: str | None = None,
            config: Config | None = None,
            **client_kwargs: Any,
        ) -> Any:
            """The client of a service that all who ask for the same one share, as `CrossAccountSession.get_client`.

            Args:
                service_name: "s3", "ec2", ...
                region_name: The client's region; None: the account's, else the session's, else the source's.
                config: Laid over the session's configuration.
                client_kwargs: Whatever else boto3's `client` takes, but no keys.

            Raises:
                ConfigError: An argument can't work.
                SessionClosedError: The session that this one comes from is closed.
            """
            if client_kwargs:
                refuse_keys(client_kwargs, self.name)
            if self._clients.closed:
                raise SessionClosedError.closed(account=self.name)
            return shared_client(
                self._clients,
                self._resolved,
                service_name,
                region_name=region_name,
                config=config,
                kwargs=client_kwargs,
            )

        @functools.wraps(boto3.Session.client, assigned=())
        @hides_frames(ConfigError)
        def client(self, *args, **kwargs):
            """A new client of a service, as boto3's own `client` makes it; takes no keys."""
            given = _CLIENT.bind(self, *args, **kwargs).arguments
            arguments = {name: value for name, value in given.items() if value != _CLIENT.parameters[name].default}
            del arguments["self"]
            refuse_keys(arguments, self.name)
            made = self.__dict__.get("_made")
            if made is not None and not made.untouched:
                return made.client(**arguments)
            region = region_of(arguments.pop("region_name", None), arguments.get("config"), self.region_name)
            client = self._resolved.source.client(
                arguments.pop("service_name"), self._resolved.credentials, region, **arguments
            )
            self._resolved.source.report()
            return client

    def __getattr__(self, name: str) -> Any:
        if name not in _BOTO3_ATTRIBUTES:
            msg = f"{type(self).__name__!r} object has no attribute {name!r}"
            raise AttributeError(msg)
        made = self.__dict__.get("_made")
        if made is None:
            # Of two threads that come here at once, both get the first one's: setdefault is atomic.
            fresh = self._resolved.source.core.boto3_session(self._resolved.credentials, self._resolved.region_name)
            made = self.__dict__.setdefault("_made", fresh)
        return getattr(made, name)

    def __reduce__(self) -> tuple[object, ...]:
        if self._owner is None:
            msg = "the session of a grant is not pickled: it is for this process"
            raise TypeError(msg)
        return self._owner.reduced(self._resolved)

    def _table(self) -> Table:
        from .accounts import account_table  # noqa: PLC0415 # few programs show anything

        return account_table(self._resolved.account, self.region_name)

    def __repr__(self) -> str:
        # Libraries cache by it. Nothing can be read out of the number, which differs from process to process.
        identity = f"{hash(self._resolved.key) & 0xFFFFFFFF:08x}"
        return (
            f"AccountSession({self.name!r}, account_id={self.account_id!r}, region_name={self.region_name!r}, "
            f"identity={identity})"
        )
