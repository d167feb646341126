"""Shows values in the documentation as the dataclasses that they are, which griffe knows by the decorator's name."""

from __future__ import annotations

from typing import Any

import griffe


class Values(griffe.Extension):
    """Reads `@frozen` as `@dataclass`."""

    def on_class_instance(self, *, cls: griffe.Class, **_kwargs: Any) -> None:
        """Renames the decorator of one class, before griffe's own extension looks for dataclasses."""
        for decorator in cls.decorators:
            if decorator.callable_path == "xsession._base.frozen":
                arguments = decorator.value.arguments if isinstance(decorator.value, griffe.ExprCall) else []
                decorator.value = griffe.ExprCall(griffe.ExprName("dataclasses.dataclass"), arguments)
                cls.labels.add("dataclass")
