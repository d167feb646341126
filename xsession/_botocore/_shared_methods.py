"""Client classes that share their methods: botocore makes a class with all of a service's methods for each client.

EC2 has seven hundred, a megabyte. The event `creating-client-class` may change what a class is made of.
https://boto3.amazonaws.com/v1/documentation/api/latest/guide/events.html
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

_NONE_BUILT = object()


class SharedMethods:
    """Moves the methods of each service's first class into a base of that class, which later ones have too.

    Args:
        building: Set while a client is made whose class should share them. Sessions with handlers of their own may have
            other methods, and what documents the methods would keep the first such session alive.
    """

    def __init__(self, building: ContextVar[Any]) -> None:
        self._building = building
        self._known: dict[str, tuple[object, type]] = {}

    def register(self, events: Any) -> None:
        """Registers this on an emitter, after all that adds methods."""
        events.register_last("creating-client-class", self._share)

    def _share(
        self, event_name: str, class_attributes: dict[str, Any], base_classes: list[type], **_kwargs: Any
    ) -> None:
        if self._building.get(_NONE_BUILT) is _NONE_BUILT:
            return
        # Which methods there are depends on the API version; what each of them does, on its name.
        methods = set(class_attributes), class_attributes.get("_PY_TO_OP_NAME"), tuple(base_classes)
        if event_name not in self._known:
            name = f"{event_name.rpartition('.')[2]} methods"
            base = type(name, tuple(base_classes), {**class_attributes, "__module__": __name__})
            self._known[event_name] = methods, base
        known, base = self._known[event_name]
        if known == methods:
            base_classes[:] = [base]
            class_attributes.clear()


def forget_operations(client: Any) -> None:
    """Empties the cache of a client's service model, which holds a model of each operation since the class was made.

    They are made again when they are needed.
    """
    cache = getattr(client.meta.service_model, "_instance_cache", None)
    if isinstance(cache, dict):
        cache.clear()
