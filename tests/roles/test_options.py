from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from xsession.roles import DefaultOptions, Defaults, Role, RoleOptions


# CrossAccountSession has a parameter of its own for region_name.
@pytest.mark.parametrize(
    ("options", "value", "left_out"), [(RoleOptions, Role, "role_arn"), (DefaultOptions, Defaults, "region_name")]
)
def test_the_options_are_those_of_the_value(options: Any, value: Any, left_out: str) -> None:
    """All of them, with their types: what a type checker lets through is what the value takes."""
    fields = {field.name: field.type for field in dataclasses.fields(value)}
    typed = {name: kind.__forward_arg__ for name, kind in options.__annotations__.items()}
    assert {**typed, left_out: fields[left_out]} == fields
    assert options.__required_keys__ == frozenset()
