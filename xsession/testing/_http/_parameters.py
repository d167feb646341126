"""The parameters of requests that are forms."""

from __future__ import annotations

from collections.abc import Mapping


def numbered_values(parameters: Mapping[str, str], pattern: str) -> list[str]:
    """The values of a numbered parameter, such as "InstanceId.{}", in their order."""
    values: list[str] = []
    while (value := parameters.get(pattern.format(len(values) + 1))) is not None:
        values.append(value)
    return values
