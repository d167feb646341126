"""The options that stand before the command, and what they lead to: the accounts, or a session."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import click

import xsession
from xsession._base import frozen
from xsession.errors import ConfigError
from xsession.events import Event, Hook
from xsession.stores import FileStore, KeptCredentials

from ._error_words import store_problem_in_words
from ._output import warn


@frozen(kw_only=True)
class GlobalOptions:
    """What was said before the command.

    Args:
        path: The one xsession.toml that counts; None: all that are found.
        profile_name: The profile that the chains start from.
        region_name: The region for accounts that name none.
    """

    path: str | None
    profile_name: str | None
    region_name: str | None

    def accounts(self) -> xsession.Accounts:
        """The accounts, read without boto3.

        Raises:
            ConfigError: A file is missing or wrong, or there is none.
        """
        return xsession.Accounts.from_config(self.path)

    def kept_credentials(self) -> KeptCredentials:
        """The accounts and what the store has of them, read without boto3.

        Raises:
            ConfigError: A file is missing or wrong, or there is none.
        """
        return KeptCredentials.of_machine(
            self.path, default_store=_default_store(), on_event=tell_store_problem, profile_name=self.profile_name
        )

    def session(
        self, *, needs_accounts: bool = True, hooks: Sequence[Hook] = (), **overrides: Any
    ) -> xsession.CrossAccountSession:
        """A session with these accounts, and with the store on the disk unless another is named; the caller closes it.

        Args:
            needs_accounts: Whether it is an error that there are none.
            hooks: What else takes its events.
            overrides: Whatever else `CrossAccountSession.from_config` takes.

        Raises:
            ConfigError: A file is missing or wrong, or there is none.
            SourceCredentialsError: There is no profile of that name.
        """
        source: dict[str, Any] = {
            "profile_name": self.profile_name,
            "region_name": self.region_name,
            "hooks": (tell_store_problem, *hooks),
            **overrides,
        }
        if not needs_accounts and self.path is None:
            return xsession.CrossAccountSession(**source)
        return xsession.CrossAccountSession.from_config(self.path, default_store=_default_store(), **source)


def _default_store() -> str:
    """On the disk, where it can be: a command's process soon ends, and the next one should not ask for an MFA code."""
    try:
        FileStore()
    except ConfigError:
        return "memory"
    return "file"


def tell_store_problem(event: Event) -> None:
    """A hook that prints what a store can't do on standard error."""
    for number, line in enumerate(store_problem_in_words(event)):
        warn(line, indent=number > 0)


pass_options = click.make_pass_decorator(GlobalOptions)
"""Gives a command the global options as its first argument."""
