"""External ids, put out of sight: two parties agree on one, and reprs, diffs and tracebacks get around."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

_KEY = "sts:externalid"


def may_be_in(value: object) -> bool:
    """Whether an external id may be in what somebody passed for a document, or for a part of one."""
    try:
        return _KEY in repr(value).lower()
    except RecursionError:
        return True


class ExternalIds:
    """Puts a stand-in in the place of each external id: always the same one for the same id, so that a change shows."""

    def __init__(self) -> None:
        self._names: dict[object, str] = {}

    def hidden(self, document: Any) -> Any:
        """A JSON value, such as a policy document, without the external ids in it."""
        if isinstance(document, Mapping):
            return {key: self._value(key, value) for key, value in document.items()}
        if isinstance(document, list | tuple):
            return [self.hidden(item) for item in document]
        if isinstance(document, str) and _KEY in document.lower():
            return self._text(document)
        return document

    def _value(self, key: object, value: Any) -> Any:
        if key == "Null":  # asks only whether there is one
            return value
        if isinstance(key, str) and key.lower() == _KEY:
            return [*map(self._name, value)] if isinstance(value, list | tuple) else self._name(value)
        return self.hidden(value)

    def _text(self, text: str) -> str:
        try:
            return json.dumps(self.hidden(json.loads(text)))
        except (ValueError, RecursionError):
            return "(not shown)"

    def _name(self, value: object) -> str:
        return self._names.setdefault(str(value), f"(external id {len(self._names) + 1})")
