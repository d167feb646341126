"""The options that stand before the command, and what they lead to: the accounts, or a session."""

from __future__ import annotations

from typing import Any

import click

import xsession
from xsession._base import frozen


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

    def session(self, *, needs_accounts: bool = True, **overrides: Any) -> xsession.CrossAccountSession:
        """A session with these accounts; the caller closes it.

        Args:
            needs_accounts: Whether it is an error that there are none.
            overrides: Whatever else `CrossAccountSession` takes.

        Raises:
            ConfigError: A file is missing or wrong, or there is none.
            SourceCredentialsError: There is no profile of that name.
        """
        source: dict[str, Any] = {"profile_name": self.profile_name, "region_name": self.region_name, **overrides}
        if not needs_accounts and self.path is None:
            return xsession.CrossAccountSession(**source)
        return xsession.CrossAccountSession.from_config(self.path, **source)


pass_options = click.make_pass_decorator(GlobalOptions)
"""Gives a command the global options as its first argument."""
