from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import xsession
from tests.support.programs import run_python
from xsession import Accounts, AccountSession, CrossAccountSession, UnknownAccountError


class FakeShell:
    """What IPython does with a magic. The real one: `make test-notebooks`."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {}
        self.magics: dict[tuple[str, str], Callable[[str], object]] = {}

    def register_magic_function(self, func: Callable[[str], object], magic_kind: str, magic_name: str) -> None:
        """Keeps it."""
        self.magics[magic_kind, magic_name] = func


@pytest.fixture
def shell() -> FakeShell:
    """A shell with the extension."""
    made = FakeShell()
    xsession.load_ipython_extension(made)
    return made


@pytest.mark.parametrize("line", ["vegeta", " 'vegeta' ", '"vegeta"', "222222222222"])
def test_the_magic_sets_the_default_session_and_gives_an_account(shell: FakeShell, line: str) -> None:
    """By its name or id, in quotes or not; `xs` is the session of `xsession.get_client`."""
    with xsession.use_session(CrossAccountSession({"vegeta": "arn:aws:iam::222222222222:role/R"})) as xs:
        magic = shell.magics["line", "xsession"]
        assert isinstance(magic(""), Accounts)
        shown = magic(line)
        assert shell.user_ns == {"xs": xs}
    assert isinstance(shown, AccountSession)
    assert shown is xs["vegeta"]


def test_a_wrong_name_is_an_error_with_the_close_match(shell: FakeShell) -> None:
    """And `xs` is there all the same."""
    with xsession.use_session(CrossAccountSession({"vegeta": "arn:aws:iam::222222222222:role/R"})) as xs:
        with pytest.raises(UnknownAccountError, match="did you mean vegeta"):
            shell.magics["line", "xsession"]("vegetta")
        assert shell.user_ns["xs"] is xs


def test_to_load_it_costs_no_session_before_it_is_used() -> None:
    """The face alone does not import it, and IPython is never imported by us."""
    code = """
import sys, xsession
print("xsession._ipython" in sys.modules, hasattr(xsession, "load_ipython_extension"), "IPython" in sys.modules)
"""
    assert run_python(code).split() == ["False", "True", "False"]
