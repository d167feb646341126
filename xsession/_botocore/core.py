"""boto3 sessions and clients that share what does not belong to one account."""

from __future__ import annotations

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import boto3
import botocore.credentials
import botocore.loaders
import botocore.session
from botocore.config import Config

MAX_POOL_CONNECTIONS = 64
"""Connections that one client keeps: many threads share it, and botocore's 10 would make them wait."""


class _NoTokens:
    """Stands for "no bearer token": one of the source's would act in the source's account."""

    def load_token(self, **_kwargs: Any) -> None:
        """Never finds one."""


class _DerivedSession(botocore.session.Session):
    """A botocore session with the settings of a source session, and other credentials.

    Args:
        source: Whose configuration, user agent and client defaults it has.
        loader: The loader of service models, shared by all sessions of one core.
        credentials: Called at each creation of a client.
        config: Laid over the source's client defaults.
    """

    def __init__(
        self,
        source: botocore.session.Session,
        loader: botocore.loaders.Loader,
        credentials: Callable[[], botocore.credentials.Credentials],
        config: Config | None,
    ) -> None:
        super().__init__()
        self._source = source
        self._answer = credentials
        self.user_agent_name = source.user_agent_name
        self.user_agent_version = source.user_agent_version
        self.user_agent_extra = source.user_agent_extra
        self.register_component("data_loader", loader)
        self.register_component("config_store", copy.copy(source.get_component("config_store")))
        self.register_component("token_provider", _NoTokens())
        merged = Config(max_pool_connections=MAX_POOL_CONNECTIONS)
        for layer in (source.get_default_client_config(), config):
            if layer is not None:
                merged = merged.merge(layer)
        self.set_default_client_config(merged)

    @property
    def profile(self) -> str | None:
        """The source's profile: its settings apply, its credentials do not."""
        return self._source.profile

    @property
    def full_config(self) -> Any:
        """The source's configuration file, parsed once for all accounts."""
        return self._source.full_config

    def get_scoped_config(self) -> Any:
        """The source's profile."""
        return self._source.get_scoped_config()

    def get_credentials(self) -> botocore.credentials.Credentials:
        """Those of the account that a client is being made for."""
        return self._answer()


class DerivedBoto3Session(boto3.Session):
    """A boto3 session over a derived botocore session, whose loader already knows boto3's own models."""

    def _setup_loader(self) -> None:
        # boto3's own adds its folder to the loader's search path at each call, and the loader is shared.
        self._loader = self._session.get_component("data_loader")


class ClientCore:
    """Makes clients and sessions for any account that one source reaches.

    Args:
        source: The source's boto3 session.
        config: Laid over the source's client defaults.
    """

    def __init__(self, source: boto3.Session, config: Config | None = None) -> None:
        self._source = source._session  # noqa: SLF001 # boto3 has no public way to it
        self._config = config
        self._lock = threading.Lock()
        self._building: ContextVar[botocore.credentials.Credentials] = ContextVar("building")
        self._loader = botocore.loaders.create_loader(self._source.get_config_variable("data_path"))
        self._loader.search_paths.append(str(Path(boto3.__file__).parent / "data"))
        self._session: boto3.Session | None = None

    def botocore_session(
        self, credentials: botocore.credentials.Credentials, region_name: str | None
    ) -> botocore.session.Session:
        """A botocore session of one account's own: own credentials, region and event handlers."""
        session = self._derived(lambda: credentials)
        session.set_config_variable("region", region_name)
        return session

    def client(
        self, service_name: str, credentials: botocore.credentials.Credentials, region_name: str | None, **kwargs: Any
    ) -> Any:
        """A new boto3 client.

        Args:
            service_name: "s3", "ec2", ...
            credentials: Asked at each signing.
            region_name: Its region; None where the service needs none.
            kwargs: Whatever else boto3's `client` takes.
        """
        # botocore's sessions fill their caches without a lock of their own.
        with self._lock, self._account(credentials):
            if self._session is None:
                self._session = DerivedBoto3Session(botocore_session=self._derived(self._building.get))
            return self._session.client(service_name, region_name=region_name, **kwargs)  # type: ignore[call-overload]  # any service's name

    def sts_client(self, credentials: botocore.credentials.Credentials, region_name: str, config: Config) -> Any:
        """A new STS client of the region's own endpoint, even where older botocore would choose the global one."""
        with self._lock:
            session = self._derived(lambda: credentials)
            session.set_config_variable("sts_regional_endpoints", "regional")
            return session.create_client("sts", region_name=region_name, config=config)

    def after_fork(self) -> None:
        """Gives a forked child a lock that nobody holds."""
        self._lock = threading.Lock()

    @contextmanager
    def _account(self, credentials: botocore.credentials.Credentials) -> Iterator[None]:
        token = self._building.set(credentials)
        try:
            yield
        finally:
            self._building.reset(token)

    def _derived(self, credentials: Callable[[], botocore.credentials.Credentials]) -> botocore.session.Session:
        session = _DerivedSession(self._source, self._loader, credentials, self._config)
        session.set_config_variable("region", None)
        return session
