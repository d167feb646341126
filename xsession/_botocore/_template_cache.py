"""The fast path of one core: its templates, and what the clients of all of them share.

Everything here may raise anything where botocore lacks what it needs: `ClientCore` then goes on in botocore's own way.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import Any

from botocore.hooks import EventAliaser
from cachetools import LRUCache

from ._config import config_key
from ._emitter import SharedHandlers
from ._http import SharedHTTPSession, settings_key
from ._template import Template

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
