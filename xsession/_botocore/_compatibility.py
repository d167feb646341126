"""Whether botocore has the shape that the fast path relies on: a client made by it is compared with botocore's own."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from typing import Any

import botocore.client
from botocore import UNSIGNED
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

_ARGUMENTS = frozenset(
    {
        "serializer",
        "endpoint",
        "response_parser",
        "event_emitter",
        "request_signer",
        "service_model",
        "loader",
        "client_config",
        "partition",
        "exceptions_factory",
        "endpoint_ruleset_resolver",
        "user_agent_creator",
    }
)


class DummyCredentials(Credentials):
    """Credentials for the client that is only looked at."""

    def __init__(self) -> None:
        super().__init__("nobody", "-")


def check_methods(ours: type, theirs: type) -> None:
    """Checks that a subclass of botocore's overrides what botocore has, and that clients take the arguments known here.

    Raises:
        LookupError: botocore lacks a method, or clients take another argument.
    """
    lacking = [name for name in vars(ours) if name.startswith("_") and not hasattr(theirs, name)]
    lacking = [name for name in lacking if inspect.isfunction(vars(ours)[name])]
    if lacking:
        msg = f"{theirs.__name__} has no {lacking[0]}"
        raise LookupError(msg)
    unknown = inspect.signature(botocore.client.BaseClient.__init__).parameters.keys() - {"self"} - _ARGUMENTS
    if unknown:
        msg = f"clients take an argument {min(unknown)}"
        raise LookupError(msg)


def check_client(client: Any, model: Any, credentials: Credentials, http: object) -> None:
    """Compares a client of the fast path with one that botocore made in the ordinary way.

    Args:
        client: The one of the fast path.
        model: botocore's; without credentials.
        credentials: The client's.
        http: Sends the client's requests.

    Raises:
        LookupError: They differ in more than they should.
    """
    differences = [
        name
        for name, ours, theirs in (
            ("class", type(client), type(model)),
            ("attributes", _kinds(client), _kinds(model)),
            ("configuration", vars(client.meta.config), vars(model.meta.config)),
            ("endpoint", _parts(client._endpoint, "http_session"), _parts(model._endpoint, "http_session")),
            ("HTTP session", client._endpoint.http_session, http),
            ("resolver of endpoints", _parts(client._ruleset_resolver), _parts(model._ruleset_resolver)),
            ("signer", _parts(client._request_signer), _parts(model._request_signer)),
            ("signatures", *_signatures(client, model, credentials)),
            ("parts of their own", _same(client, model), []),
            ("handlers", _handlers(client.meta.events), _handlers(model.meta.events)),
        )
        if ours != theirs
    ]
    if differences:
        msg = f"clients differ in their {' and '.join(differences)}"
        raise LookupError(msg)


def check_retries(one: list[object], other: list[object]) -> None:
    """Compares what counts retries for one client with what does so for another.

    Raises:
        LookupError: A part of it counts for both.
    """
    if {id(part) for part in one} & {id(part) for part in other}:
        msg = "clients share what counts their retries"
        raise LookupError(msg)


def _kinds(item: Any) -> Mapping[str, type]:
    return {name: type(value) for name, value in vars(item).items()}


# What is a client's own in its endpoint, signer and resolver.
_OWN = frozenset({"_event_emitter", "_credentials", "_builtins", "_instance_cache"})


def _parts(item: Any, *own: str) -> Mapping[str, Any]:
    """The attributes that all clients share, as they are; of the others only that they are there."""
    if item is None:
        return {}
    return {name: None if name in own or name in _OWN else value for name, value in vars(item).items()}


def _same(client: Any, model: Any) -> list[str]:
    """What the client shares with the model and should have for itself."""
    pairs = [
        ("configuration", client.meta.config, model.meta.config),
        ("endpoint", client._endpoint, model._endpoint),
        ("events", client.meta.events, model.meta.events),
        ("resolver", client._ruleset_resolver, model._ruleset_resolver),
        ("signer", client._request_signer, model._request_signer),
    ]
    options = vars(model.meta.config)
    pairs += [(name, vars(client.meta.config).get(name), options[name]) for name in options]
    return [name for name, ours, theirs in pairs if ours is theirs and not _immutable(ours)]


def _immutable(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | tuple) or value is UNSIGNED


def _signatures(client: Any, model: Any, credentials: Credentials) -> tuple[object, object]:
    """What the client's signer makes of a request, and what a signer does that botocore's constructor made."""
    signer = client._request_signer
    theirs = type(signer)(
        model.meta.service_model.service_id,
        signer.region_name,
        signer.signing_name,
        signer.signature_version,
        credentials,
        client.meta.events,
    )
    operation = model.meta.service_model.operation_names[0]
    ours, reference = (_signed(each, operation, client.meta.endpoint_url) for each in (signer, theirs))
    if ours != reference:
        # The clock's second may have changed in between, and does not do so twice.
        ours, reference = (_signed(each, operation, client.meta.endpoint_url) for each in (signer, theirs))
    return ours, reference


def _signed(signer: Any, operation: str, url: str) -> object:
    request = AWSRequest("GET", url)
    try:
        signer.sign(operation, request)
    except Exception as error:  # noqa: BLE001 # no region, no token: then both signers say so
        return repr(error)
    return sorted(request.headers.items())


def _handlers(events: Any) -> list[tuple[str, int, str]]:
    """All handlers of an emitter, by event and section, in the order in which they would run."""
    handlers = events._emitter._handlers
    listed = _listed(getattr(handlers, "tree", handlers)._root)
    listed += [(event_name, section, _name(handler)) for event_name, handler, section in getattr(handlers, "own", ())]
    return sorted(listed, key=lambda entry: entry[:2])


def _listed(root: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    listed = []
    waiting = [("", root)]
    while waiting:
        event_name, node = waiting.pop()
        for section, handlers in enumerate(node["values"] or ()):
            listed += [(event_name, section, _name(handler)) for handler in handlers]
        waiting += [(f"{event_name}.{part}" if event_name else part, child) for part, child in node["children"].items()]
    return listed


def _name(handler: Any) -> str:
    while isinstance(handler, functools.partial):
        handler = handler.func
    function = getattr(handler, "__func__", handler)
    return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', type(function).__qualname__)}"
