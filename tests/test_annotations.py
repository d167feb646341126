"""What frameworks that inject by signature read of it."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

import xsession
from tests.support.programs import run_python
from xsession import AccountSession, CrossAccountSession
from xsession._session_options import SessionOptions
from xsession.policies import PolicyLike
from xsession.roles import RoleOptions
from xsession.serving import CredentialServer


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
    server = [CredentialServer.endpoint, CredentialServer.environ]
    for function in [*functions, *functions_of(CrossAccountSession), *functions_of(AccountSession), *server]:
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
    """Of each of them, where a signature has them as keyword arguments."""
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
print("xsession.grants" in sys.modules, "xsession.activity" in sys.modules)
"""
    assert run_python(code).split() == ["False", "True", "False"]
