"""What frameworks read of signatures: FastAPI, typer and pydantic inject and check by it."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

import xsession
from tests.support.programs import run_python
from tools.project import LAYERS
from tools.structure import Structure
from xsession import AccountSession, CrossAccountSession
from xsession._session_options import SessionOptions
from xsession.policies import PolicyLike
from xsession.roles import RoleOptions

HERE = Structure()


def functions_of(cls: type) -> Iterator[Any]:
    """A class's public methods and properties, and how it is made."""
    for name, member in vars(cls).items():
        function = (
            getattr(member, "fget", None) or getattr(member, "_make", None) or getattr(member, "__func__", member)
        )
        if inspect.isfunction(function) and (name == "__init__" or not name.startswith("_")):
            yield function


def test_hints_can_be_read() -> None:
    """Of all arguments and results, while the program runs; no stub of a type checker is needed."""
    values = [getattr(xsession, name) for name in xsession.__all__]
    functions = [value for value in values if inspect.isfunction(value)]
    for function in [*functions, *functions_of(CrossAccountSession), *functions_of(AccountSession)]:
        hints = typing.get_type_hints(function)
        assert hints.keys() == inspect.get_annotations(function).keys()
        assert [hint for hint in hints.values() if isinstance(hint, str | typing.ForwardRef)] == []


def test_hints_are_the_classes_themselves() -> None:
    """Such as users import them."""
    assert typing.get_type_hints(CrossAccountSession.grant)["return"] is xsession.Grant
    assert typing.get_type_hints(CrossAccountSession.session)["options"] == typing.Unpack[RoleOptions]
    assert typing.get_type_hints(CrossAccountSession.warm)["return"] == xsession.Outcomes[xsession.Credentials]


@pytest.mark.parametrize("options", [RoleOptions, SessionOptions])
def test_hints_of_options_can_be_read(options: Any) -> None:
    """pydantic checks each of them."""
    assert typing.get_type_hints(options)["policy"] == PolicyLike | None


def test_the_client_has_boto3s_signature() -> None:
    """Which has no hints."""
    assert inspect.signature(AccountSession.client) == inspect.signature(boto3.Session.client)
    assert typing.get_type_hints(AccountSession.client) == {}


def test_reading_hints_imports_what_they_name() -> None:
    """And importing the session does not."""
    code = """
import sys, typing
from xsession import CrossAccountSession
print("xsession.grants" in sys.modules)
typing.get_type_hints(CrossAccountSession.grant)
print("xsession.grants" in sys.modules)
"""
    assert run_python(code).split() == ["False", "True"]


def test_the_package_itself_is_named_in_annotations_alone() -> None:
    """A module below it that used it while it runs would import upwards, unseen."""
    below = {room for layer in LAYERS for room in layer} - {"_ipython"}
    wrong = []
    for module, path in HERE.modules.items():
        text = path.read_text(encoding="utf-8")
        if HERE.room(module) not in below or "\nimport xsession" not in text:
            continue
        tree = ast.parse(text)
        annotated = {
            id(node)
            for owner in ast.walk(tree)
            for part in (getattr(owner, "annotation", None), getattr(owner, "returns", None))
            if part is not None
            for node in ast.walk(part)
        }
        wrong += [
            f"{module}:{node.lineno}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and node.id == "xsession" and id(node) not in annotated
        ]
    assert wrong == []
