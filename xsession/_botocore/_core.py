"""boto3 sessions and clients that share what does not belong to one account."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import boto3
import botocore.credentials
import botocore.handlers
import botocore.loaders
import botocore.session
from botocore.config import Config

from xsession._base import renew_after_fork

from . import _bearer_tokens as tokens
from . import _express as express
from . import _rejections as rejections
from . import _transfers as transfers
from ._config import own_options
from ._connections import HandedOut
from ._derived_settings import DerivedSettings
from ._shared_methods import SharedMethods, forget_operations
from ._source_settings import given_handlers, given_loader, register, with_boto3_models
from ._sts_endpoint import used_sts_endpoint
from ._timestamps import timestamp

if TYPE_CHECKING:
    from ._template import Template, Templates


class _DerivedSession(DerivedSettings):
    """A botocore session with the settings of a source session, and other credentials.

    Args:
        source: Whose configuration, user agent and client defaults it has.
        loader: The loader of service models, shared by all sessions of one core.
        credentials: Called at each creation of a client.
        config: Laid over the source's client defaults.
        events: An emitter that has all handlers already; None: a new one.
    """

    def __init__(
        self,
        source: botocore.session.Session,
        loader: botocore.loaders.Loader,
        credentials: Callable[[], botocore.credentials.Credentials | None],
        config: Config | None,
        events: Any = None,
    ) -> None:
        super().__init__(include_builtin_handlers=events is None)
        if events is None:
            for handlers in (rejections, tokens, express, transfers):
                handlers.register(self.get_component("event_emitter"))
        else:
            self._events = events
            self.register_component("event_emitter", events)
        self._answer = credentials
        self.has_boto3_handlers = events is not None
        self.user_agent_name = source.user_agent_name
        self.user_agent_version = source.user_agent_version
        self.user_agent_extra = source.user_agent_extra
        self.set_default_client_config(self.take_settings(source, loader, config))

    def create_client(self, *args: Any, **kwargs: Any) -> Any:
        """A client as botocore's session makes it; boto3 passes the config by name."""
        client: Any = super().create_client(*args, **{**kwargs, "config": self.as_passed(kwargs.get("config"))})
        self.look_at(client)
        return client

    def state(self) -> tuple[object, ...]:
        """What its clients are made with, as far as a caller can change it."""
        overrides = getattr(self.get_component("config_store"), "_overrides", None)
        return self.user_agent(), self.get_default_client_config(), overrides and dict(overrides)

    def get_credentials(self) -> botocore.credentials.Credentials | None:
        """Those of the account that a client is being made for."""
        return self._answer()


class DerivedBoto3Session(boto3.Session):
    """A boto3 session over a derived botocore session, whose loader already knows boto3's own models.

    Args:
        session: The botocore session.
        region_name: The region of clients where a call names none.
    """

    _session: _DerivedSession

    def __init__(self, session: _DerivedSession, region_name: str | None = None) -> None:
        super().__init__(botocore_session=session)
        session.set_config_variable("region", region_name)
        self._as_made = session.state()

    @property
    def untouched(self) -> bool:
        """Whether no handler was registered on it, and nothing changed that its clients would be made with."""
        handlers = getattr(getattr(self.events, "_emitter", None), "_handlers", None)
        # botocore's own can't tell; ours stand in for them on the fast path.
        return getattr(handlers, "untouched", False) and self._session.state() == self._as_made

    def _setup_loader(self) -> None:
        # boto3's own adds its folder to the loader's search path at each call, and the loader is shared.
        self._loader = self._session.get_component("data_loader")

    def _register_default_handlers(self) -> None:
        if not self._session.has_boto3_handlers:
            super()._register_default_handlers()  # type: ignore[misc]  # not in stubs


class Loaders:
    """Reads the models of services, once for all cores that share it."""

    def __init__(self) -> None:
        self._loaders: dict[str | None, botocore.loaders.Loader] = {}

    def of(self, data_path: str | None) -> botocore.loaders.Loader:
        """The loader that looks into these folders too."""
        loader = self._loaders.get(data_path)
        if loader is None:
            fresh = with_boto3_models(botocore.loaders.create_loader(data_path))
            # Of two threads that come here at once, both get the first one's: setdefault is atomic.
            loader = self._loaders.setdefault(data_path, fresh)
        return loader


class ClientCore:
    """Makes clients and sessions for any account that one source reaches.

    Args:
        source: The source's boto3 session.
        config: Laid over the source's client defaults.
        loaders: Where models are read; None: a place of its own.
        fast: Whether to make clients from templates; None: unless `XSESSION_FAST_CLIENTS` is 0.
    """

    def __init__(
        self,
        source: boto3.Session,
        config: Config | None = None,
        *,
        loaders: Loaders | None = None,
        fast: bool | None = None,
    ) -> None:
        self._source = source._session  # boto3 has no public way to it
        self._config = config
        self._fast = os.environ.get("XSESSION_FAST_CLIENTS") != "0" if fast is None else fast
        self._gave_up: str | None = None
        self._lock = threading.RLock()
        self._building: ContextVar[botocore.credentials.Credentials | None] = ContextVar("building")
        loaders = Loaders() if loaders is None else loaders
        self._loader = given_loader(self._source) or loaders.of(self._source.get_config_variable("data_path"))
        self._handed_out = HandedOut()
        self._templates: Templates | None = None
        self._start_anew()
        renew_after_fork(self)

    @property
    def sts_endpoint(self) -> str | None:
        """The STS endpoint that the settings name; None: AWS's own.

        Raises:
            ConfigError: That can't be known.
        """
        return used_sts_endpoint(self._source, self._config)

    def boto3_session(
        self, credentials: botocore.credentials.Credentials, region_name: str | None
    ) -> DerivedBoto3Session:
        """A boto3 session of one account's own: own credentials, region and event handlers."""
        with self._lock:
            self._look_at_handlers()
            return DerivedBoto3Session(self._derived(lambda: credentials, self._emitter()), region_name)

    def give_settings(self, session: DerivedSettings) -> Config:
        """Gives another library's session all that this one's sessions have, but credentials.

        Returns:
            The defaults of its clients.
        """
        config = session.take_settings(self._source, self._loader, self._config)
        register(given_handlers(self._source), session.get_component("event_emitter"))
        return config

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
        problem: Exception | None = None
        if self._fast:
            try:
                template = self._template(service_name, region_name, kwargs)
                if template is not None:
                    return template.client(credentials)
            except Exception as error:  # noqa: BLE001 # a wrong argument's, or of a botocore that is made otherwise
                problem = error
        with self._lock:
            self._look_at_handlers()
            client = self._plain_client(service_name, credentials, region_name, **kwargs)
        if problem is not None:
            # botocore's own way had no trouble with the arguments.
            self._give_up(problem)
        return client

    def sts_client(self, credentials: botocore.credentials.Credentials, region_name: str, config: Config) -> Any:
        """A new STS client of the region's own endpoint, even where older botocore would choose the global one."""
        with self._lock:
            self._look_at_handlers()
            events = copy.copy(self._sts_events or self._session.events)
        # Loaders and handlers of others run here: no lock is held, and the session is of this call alone.
        session = self._derived(lambda: credentials, events)
        session.set_config_variable("sts_regional_endpoints", "regional")
        with suppress(Exception):  # whatever botocore changed: its own parser reads times too
            session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=timestamp)
        client = session.create_client("sts", region_name=region_name, config=config)
        with self._lock:
            self._handed_out.add(client)
            self._share_connections(client)
        return client

    def take_problem(self) -> str | None:
        """Why templates do not work with the installed botocore, told once; None: they do, or it was told."""
        if self._gave_up is None:
            return None
        with self._lock:
            problem, self._gave_up = self._gave_up, None
        return problem

    def close(self) -> None:
        """Closes all connections that are not in use."""
        with self._lock:
            if self._templates is not None:
                self._templates.close()
            self._handed_out.close()

    def after_fork(self) -> None:
        """Gives a forked child a lock that no thread holds."""
        half_made = not self._lock.acquire(blocking=False)
        self._lock = threading.RLock()
        if half_made:
            # A thread of the parent was making something, and what it had made so far is here.
            self._builtin = -1

    def _start_anew(self) -> None:
        # Libraries such as moto add to botocore's own handlers when they are imported; sessions take them once.
        self._builtin = _count_builtin_handlers()
        self._session = DerivedBoto3Session(self._derived(self._building.get))
        SharedMethods(self._building).register(self._session.events)
        given = given_handlers(self._source)
        # They are for the requests of clients: what STS answers us is a secret.
        self._sts_events = copy.copy(self._session.events) if given else None
        register(given, self._session.events)
        self._templates = None

    def _look_at_handlers(self) -> None:
        if _count_builtin_handlers() != self._builtin:
            self._start_anew()

    def _template(self, service_name: str, region_name: str | None, kwargs: Mapping[str, Any]) -> Template | None:
        with self._lock:
            self._look_at_handlers()
            return self._made_templates().find(service_name, region_name, kwargs)

    def _made_templates(self) -> Templates:
        if self._templates is None:
            # Here, and not with the module: a botocore that lacks what it imports has its own way still.
            from ._template import Templates  # noqa: PLC0415

            self._templates = Templates(self._session._session, self._plain_client)
        return self._templates

    def _emitter(self) -> Any:
        if self._fast:
            try:
                return self._made_templates().emitter()
            except Exception as error:  # noqa: BLE001 # whatever botocore changed
                self._give_up(error)
        return copy.copy(self._session.events)

    def _share_connections(self, client: Any) -> None:
        if self._fast:
            try:
                self._made_templates().share_connections(client)
            except Exception as error:  # noqa: BLE001 # whatever botocore changed
                self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            if self._fast:
                self._fast = False
                self._gave_up = f"{type(error).__name__}: {error}"

    def _plain_client(
        self,
        service_name: str,
        credentials: botocore.credentials.Credentials | None,
        region_name: str | None,
        **kwargs: Any,
    ) -> Any:
        # botocore's sessions fill their caches without a lock of their own: callers hold ours.
        token = self._building.set(credentials)
        try:
            client = self._session.client(service_name, region_name=region_name, **kwargs)  # type: ignore[call-overload]  # any service's name
        finally:
            self._building.reset(token)
        own_options(client.meta.config)
        forget_operations(client)
        self._handed_out.add(client)
        return client

    def _derived(
        self, credentials: Callable[[], botocore.credentials.Credentials | None], events: Any = None
    ) -> _DerivedSession:
        return _DerivedSession(self._source, self._loader, credentials, self._config, events)


def _count_builtin_handlers() -> int:
    return len(getattr(botocore.handlers, "BUILTIN_HANDLERS", ()))
