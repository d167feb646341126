"""The handlers of the standard retry mode, made once for all clients of a template but for what counts for one client.

botocore makes some thirty objects for each client to decide about retries. All but three only look at a request and
its answer: those three are the handler, its quota, and what draws on the quota.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.retries.quota import RetryQuota
from botocore.retries.standard import RetryHandler, RetryQuotaChecker

from ._template_copies import copied

_STATELESS = frozenset(
    {
        "ExponentialBackoff",
        "MaxAttemptsChecker",
        "MaxAttemptsSeeder",
        "ModeledRetryableChecker",
        "ModeledRetryErrorDetector",
        "OrRetryChecker",
        "RetryDDBChecksumError",
        "RetryEventAdapter",
        "RetryIDPCommunicationError",
        "RetryPolicy",
        "StandardRetryConditions",
        "ThrottledRetryableChecker",
        "ThrottlingErrorDetector",
        "ThrottlingStatusCodeChecker",
        "TransientRetryableChecker",
    }
)
# Numbers that never change; others may count.
_SETTINGS = frozenset({"_base", "_max_attempts", "_max_backoff"})
_OF_ONE_CLIENT: dict[type, frozenset[str]] = {
    RetryHandler: frozenset({"_retry_quota"}),
    RetryQuotaChecker: frozenset({"_quota", "_last_amount_acquired"}),
}
# By the section that an emitter keeps a handler in.
_REGISTER = ("register_first", "register", "register_last")


class _Registered(NamedTuple):
    """A handler as it was registered."""

    register: str
    event_name: str
    method: Any
    unique_id: str | None


class SharedRetries:
    """Registers on each client what botocore registered on the first one, with a retry quota of the client's own.

    So it is in the standard and in the adaptive mode; the latter's limit of requests is each client's own anyway.

    Where botocore registers what is not known here, and might count for one client too, it goes on doing so itself.
    """

    def __init__(self) -> None:
        self._registered: list[_Registered] | None = None

    def register(self, client: Any, plainly: Callable[[Any], object]) -> None:
        """Registers the handlers.

        Args:
            client: Made by the fast path, so that its own handlers can be told from those that all have.
            plainly: botocore's way, called with the client.
        """
        if self._registered is None:
            self._registered = _registered(client, plainly)
        elif not self._registered:
            plainly(client)
        else:
            _register(client.meta.events, self._registered)


def _registered(client: Any, plainly: Callable[[Any], object]) -> list[_Registered]:
    """Has them registered, and returns what they were; nothing, where a client's own can't be told from the others."""
    emitter = client.meta.events._emitter
    own, unique_ids = emitter._handlers.own, emitter._unique_id_handlers
    count = len(own)
    plainly(client)
    ids = {id(item["handler"]): unique_id for unique_id, item in unique_ids.items()}
    registered = [
        _Registered(_REGISTER[section], event_name, handler, ids.get(id(handler)))
        for event_name, handler, section in own[count:]
    ]
    return registered if _is_known([entry.method for entry in registered]) else []


def counted(client: Any) -> list[object]:
    """What counts for a client alone, among its handlers that decide about retries."""
    parts: list[object] = []
    for _, handler, _ in client.meta.events._emitter._handlers.own:
        owner: Any = getattr(handler, "__self__", None)
        if type(owner) in _OF_ONE_CLIENT:
            parts += [owner, getattr(owner, "_quota", owner)]
    return parts


def _is_known(methods: list[Any]) -> bool:
    if any(type(method) is not types.MethodType for method in methods):
        return False
    owners = {id(method.__self__): method.__self__ for method in methods}.values()
    handlers: list[Any] = [owner for owner in owners if type(owner) is RetryHandler]
    checkers: list[Any] = [owner for owner in owners if type(owner) is RetryQuotaChecker]
    return (
        [handler._retry_quota for handler in handlers] == checkers
        and len(checkers) == 1
        and type(checkers[0]._quota) is RetryQuota
        and all(map(_is_stateless, owners))
    )


def _register(events: Any, registered: list[_Registered]) -> None:
    renewed: dict[int, Any] = {}
    for register, event_name, method, unique_id in registered:
        owner, handler = method.__self__, method
        if type(owner) in _OF_ONE_CLIENT:
            handler = types.MethodType(method.__func__, _of_one_client(owner, renewed))
        getattr(events, register)(event_name, handler, unique_id=unique_id)


def _of_one_client(owner: Any, renewed: dict[int, Any]) -> Any:
    own = renewed.get(id(owner))
    if own is None:
        own = renewed[id(owner)] = copied(owner)
        if hasattr(owner, "_retry_quota"):
            own._retry_quota = _of_one_client(owner._retry_quota, renewed)
        else:
            own._quota = RetryQuota(owner._quota._max_capacity)
    return own


def _is_stateless(item: Any) -> bool:
    if isinstance(item, list | tuple):
        return all(map(_is_stateless, item))
    kind = type(item)
    known = kind.__module__.startswith("botocore.retries.") and kind.__name__ in _STATELESS
    if not known and kind not in _OF_ONE_CLIENT:
        plain = str | int | float | type | types.FunctionType | types.BuiltinFunctionType | None
        return isinstance(item, plain)
    apart = _OF_ONE_CLIENT.get(kind, frozenset())
    return all(
        _is_stateless(value) and (name in _SETTINGS or not isinstance(value, int | float))
        for name, value in vars(item).items()
        if name not in apart
    )
