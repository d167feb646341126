"""`%load_ext xsession`: a line magic for notebooks and IPython."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ._default_session import default_session

if TYPE_CHECKING:
    from collections.abc import Callable

    from .account_session import AccountSession
    from .accounts import Accounts


class Shell(Protocol):
    """What this uses of IPython's `InteractiveShell`."""

    user_ns: dict[str, Any]

    def register_magic_function(self, func: Callable[[str], object], magic_kind: str, magic_name: str) -> None:
        """Makes a function a magic."""


def load_ipython_extension(ipython: Shell) -> None:
    """Adds the magic `%xsession`; `%load_ext xsession` calls this.

    Args:
        ipython: The shell.
    """

    def xsession(line: str) -> Accounts | AccountSession:
        """Sets `xs` to the default session, as `xsession.default_session()`, and shows its accounts.

        `%xsession vegeta` shows that account, and `vegeta = %xsession vegeta` keeps its session.
        """
        xs = ipython.user_ns["xs"] = default_session()
        name = line.strip().strip("\"'")
        return xs[name] if name else xs.accounts

    ipython.register_magic_function(xsession, "line", "xsession")
