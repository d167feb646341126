"""Shows classes in the documentation as what they are when a program runs.

Values are dataclasses, which griffe knows by the decorator's name; and bases that only type checkers see, or that only
make tables, are none.
"""

from __future__ import annotations

from typing import Any

import griffe

FOR_TYPE_CHECKERS = {"AccountClients": [griffe.ExprName("boto3.Session")], "CrossAccountClients": [], "Tabular": []}


class Values(griffe.Extension):
    """Reads `@frozen` as `@dataclass`, and has the bases that a reader may use."""

    def on_class_instance(self, *, cls: griffe.Class, **_kwargs: Any) -> None:
        """Changes one class, before griffe's own extension looks for dataclasses."""
        cls.bases = [base for given in cls.bases for base in FOR_TYPE_CHECKERS.get(str(given), [given])]
        for decorator in cls.decorators:
            if decorator.callable_path == "xsession._base.frozen":
                arguments = decorator.value.arguments if isinstance(decorator.value, griffe.ExprCall) else []
                decorator.value = griffe.ExprCall(griffe.ExprName("dataclasses.dataclass"), arguments)
                cls.labels.add("dataclass")
