"""Clients made from a template, sharing all that does not belong to one account.

The template's model is a client that botocore made in the ordinary way. For another account, botocore's own
`create_client` runs again with the model's class and arguments, four of which are the new client's own: event emitter,
signer, endpoint, and the resolver of endpoints. So redirects and the like are registered by botocore itself; of what it
registers for retries, a client gets what counts for it alone, and shares the rest.

Everything here may raise anything where botocore lacks what it needs: `ClientCore` then goes on in botocore's own way.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import botocore.client
import botocore.credentials
import botocore.retryhandler
import botocore.translate
from botocore import UNSIGNED
from botocore.config import Config
from botocore.hooks import EventAliaser
from cachetools import LRUCache

from ._compatibility import DummyCredentials, check_client, check_methods, check_retries
from ._config import config_key
from ._emitter import SharedHandlers
from ._http import SharedHTTPSession, settings_key
from ._retries import SharedRetries, counted
from ._template_copies import copied, own_config, own_resolver
from ._user_agent import telling

_MAX_TEMPLATES = 256
_OPTIONS = frozenset({"api_version", "config", "endpoint_url", "use_ssl", "verify"})
_HASHED_AS_THEY_ARE = sorted(_OPTIONS - {"config"})


class Templates:
    """One template for each service, region and configuration. Callers hold the core's lock.

    Args:
        session: The botocore session whose settings and handlers all clients have.
        make: Makes a client without credentials in botocore's own way; called with a service's name, a region and
            what else boto3's `client` takes.
    """

    def __init__(self, session: Any, make: Callable[..., Any]) -> None:
        self._session = session
        self._make = make
        self._handlers = SharedHandlers(session.get_component("event_emitter"))
        self._http: dict[str, SharedHTTPSession] = {}
        self._templates: LRUCache[Hashable, Template] = LRUCache(_MAX_TEMPLATES)

    def __len__(self) -> int:
        return len(self._templates)

    def emitter(self) -> EventAliaser:
        """An event emitter that has all handlers which clients begin with."""
        return self._handlers.emitter()

    def find(self, service_name: str, region_name: str | None, kwargs: Mapping[str, Any]) -> Template | None:
        """The template of clients with these arguments; None: they are of a kind that is made without one."""
        if not kwargs.keys() <= _OPTIONS:
            return None
        key = (service_name, region_name, config_key(kwargs.get("config")), *map(kwargs.get, _HASHED_AS_THEY_ARE))
        template = self._templates.get(key)
        if template is None:
            template = self._new(service_name, region_name, kwargs)
            self._templates[key] = template
        return template

    def share_connections(self, client: Any) -> None:
        """Has a client that botocore made use the connections of all that have its settings, and their CA bundle."""
        client._endpoint.http_session = self._shared_http(client._endpoint.http_session)

    def close(self) -> None:
        """Closes all connections that are not in use."""
        for http in self._http.values():
            http.shut()

    def _new(self, service_name: str, region_name: str | None, kwargs: Mapping[str, Any]) -> Template:
        model = self._make(service_name, None, region_name, **kwargs)
        config, default = self._session.as_passed(kwargs.get("config")), self._session.get_default_client_config()
        template = Template(
            model,
            self._session,
            self._handlers,
            self._shared_http(model._endpoint.http_session),
            config=default if config is None else default.merge(config),
            endpoint_url=kwargs.get("endpoint_url"),
        )
        template.check()
        return template

    def _shared_http(self, own: Any) -> SharedHTTPSession:
        key = settings_key(own)
        http = self._http.get(key)
        if http is None:
            http = self._http[key] = SharedHTTPSession(own)
        return http


class Template(botocore.client.ClientCreator):
    """Makes clients of one service, region and configuration.

    Args:
        client: Made in the ordinary way, without credentials.
        session: The botocore session that it was made by.
        shared: The handlers that all clients have.
        http: Sends all clients' requests.
        config: The configuration that `client` was made with, the session's default merged in.
        endpoint_url: The endpoint that it was made with.
    """

    def __init__(
        self,
        client: Any,
        session: Any,
        shared: SharedHandlers,
        http: SharedHTTPSession,
        *,
        config: Config | None,
        endpoint_url: str | None,
    ) -> None:
        super().__init__(
            session.get_component("data_loader"),
            session._get_internal_component("endpoint_resolver"),
            session.user_agent(),
            shared.emitter(),
            botocore.retryhandler,
            botocore.translate,
            exceptions_factory=client._exceptions_factory,
            config_store=session.get_component("config_store"),
        )
        self._model = client
        self._session = session
        self._shared = shared
        self._http = http
        self._retries = SharedRetries()
        self._user_agents = _UserAgents(client._user_agent_creator)
        self._request = {
            "service_name": client.meta.service_model.service_name,
            "region_name": client.meta.region_name,
            "endpoint_url": endpoint_url,
            "client_config": config,
            "scoped_config": session.get_scoped_config(),
        }

    def client(self, credentials: botocore.credentials.Credentials) -> Any:
        """A client that signs with these credentials."""
        client = self.create_client(**self._request, credentials=credentials)
        monitor = self._session._get_internal_component("monitor")
        if monitor is not None:
            monitor.register(client.meta.events)
        plug_in = getattr(self._session, "_register_client_plugins", None)  # botocore has it since 1.41
        if plug_in is not None:
            plug_in(client)
        return client

    def check(self) -> None:
        """Compares a client made here with the one that botocore made.

        Raises:
            LookupError: They differ.
        """
        check_methods(Template, botocore.client.ClientCreator)
        credentials = DummyCredentials()
        # The first one is made otherwise: its retry handlers are botocore's own.
        clients = [self.client(credentials) for _ in range(2)]
        for client in clients:
            check_client(client, self._model, credentials, self._http)
        check_retries(*map(counted, clients))

    def _load_service_model(self, *_args: Any, **_kwargs: Any) -> Any:
        return self._model.meta.service_model

    def _load_service_endpoints_ruleset(self, *_args: Any, **_kwargs: Any) -> Any:
        return None

    def _create_client_class(self, *_args: Any, **_kwargs: Any) -> Any:
        return type(self._model)

    def _register_v2_standard_retries(self, client: Any) -> None:
        self._retries.register(client, super()._register_v2_standard_retries)  # type: ignore[misc]  # not in stubs

    def _get_client_args(
        self,
        _service_model: Any,
        _region_name: Any,
        _is_secure: Any,
        _endpoint_url: Any,
        _verify: Any,
        credentials: botocore.credentials.Credentials | None,
        *_args: Any,
        **_kwargs: Any,
    ) -> dict[str, Any]:
        model, events = self._model, self._shared.emitter()
        if model.meta.config.signature_version is UNSIGNED:
            credentials = None
        endpoint = copied(model._endpoint)
        endpoint._event_emitter = events
        endpoint.http_session = self._http
        signer = copied(model._request_signer)
        signer._credentials = credentials
        signer._event_emitter = weakref.proxy(events)
        return {
            "serializer": model._serializer,
            "endpoint": endpoint,
            "response_parser": model._response_parser,
            "event_emitter": events,
            "request_signer": signer,
            "service_model": model.meta.service_model,
            "loader": model._loader,
            "client_config": own_config(model._client_config),
            "partition": model.meta.partition,
            "exceptions_factory": model._exceptions_factory,
            "endpoint_ruleset_resolver": own_resolver(model._ruleset_resolver, events, credentials),
            "user_agent_creator": self._user_agents.of(credentials),
        }


class _UserAgents:
    """Makers of User-Agent headers: one for all clients of a template whose credentials are obtained in the same way.

    Args:
        creator: The model client's.
    """

    def __init__(self, creator: Any) -> None:
        self._creator = creator
        # There are some dozens of ways at most.
        self._made: dict[frozenset[str], Any] = {}

    def of(self, credentials: botocore.credentials.Credentials | None) -> Any:
        """The one that tells how these credentials were obtained; the model's where that is not known."""
        methods = getattr(credentials, "methods", None)
        if not methods:
            return self._creator
        made = self._made.get(methods)
        # Of two threads that come here at once, both get the first one's: setdefault is atomic.
        return self._made.setdefault(methods, telling(self._creator, methods)) if made is None else made
