"""`xsession exec`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from xsession._aws import without_credentials

from ._account_options import (
    WantedCredentials,
    credential_options,
    lasting_credentials,
    tell_end,
)
from ._after_dashes import CommandAfterDashes, command_after_dashes
from ._child_process import Program, end_as, replace_process, run_child
from ._inherited_environment import inherited_environment
from ._nested_exec import ACCOUNT, MARKER, marker, outer_exec
from ._options import GlobalOptions, pass_options
from ._output import warn
from ._parameters import account_argument
from ._streams import flush_output
from ._windows_child import run_windows_child

if TYPE_CHECKING:
    from xsession import Account, Credentials, CrossAccountSession

_FALLBACK_SHELL = "/bin/sh"


@click.command("exec", cls=CommandAfterDashes, short_help="Run a command with ACCOUNT's credentials.")
@account_argument
@click.option("--env", "as_variables", is_flag=True, help="Hand over plain variables, which end with their session.")
@credential_options
@pass_options
@click.pass_context
def exec_(
    context: click.Context, options: GlobalOptions, account: str, as_variables: bool, wanted: WantedCredentials
) -> int:
    """Run a command with ACCOUNT's credentials, for as long as it runs; without a command, your shell.

    AWS's SDKs and tools in it ask an endpoint on this machine for credentials, and again before they end. The endpoint
    is gone with the command: for programs that outlive it, use `xsession serve`. With --env, they get plain variables
    instead, which nobody refreshes.

    The exit status is the command's; a signal that ends it ends this too. It is 127 where there is no such command, 126
    where it can't be run.
    """
    if wanted.min_valid is not None and not as_variables:
        msg = "--min-valid is for --env: the endpoint hands out new credentials in time"
        raise click.UsageError(msg)
    outer = _living_exec()
    variables = inherited_environment()
    command = command_after_dashes(context) or [_shell(variables, account)]
    program = Program.find(command, variables)
    with options.session(mfa_code=wanted.code) as xs:
        found = wanted.account(xs, account)
        if outer is not None and found.source is None and options.profile_name is None:
            warn(f"this is inside of `xsession exec {outer}`: the chain to {found.name} starts from its credentials")
        if not as_variables:
            return end_as(_served(xs, found, program))
        credentials = lasting_credentials(xs, found, wanted.min_valid)
        tell_end(credentials)
        plain = plain_environment(variables, credentials, found.name)
    return end_as(_become(replace(program, variables=plain)))


def plain_environment(base: Mapping[str, str], credentials: Credentials, account: str) -> dict[str, str]:
    """All variables of a child that gets plain credentials: none of them leads to others.

    Args:
        base: Those that it would have.
        credentials: The credentials.
        account: The account's name.
    """
    kept = without_credentials(base)
    kept.pop(MARKER, None)
    return {**kept, **credentials.environ(), ACCOUNT: account}


def _living_exec() -> str | None:
    """The account of the `xsession exec` around this one; a dead one's variables are taken out."""
    outer = outer_exec(os.environ)
    if outer is None or outer.is_alive:
        return None if outer is None else outer.account
    for name in outer.stale:
        del os.environ[name]
    warn(f"the `xsession exec {outer.account}` that this was started in has ended; its variables are ignored")
    return None


def shell_of_user(variables: Mapping[str, str], platform: str) -> str:
    """The shell that the user has chosen, or that everybody has there.

    Args:
        variables: The environment's.
        platform: As `sys.platform`.
    """
    if platform == "win32":
        return variables.get("COMSPEC") or "cmd.exe"
    return variables.get("SHELL") or _FALLBACK_SHELL


def _shell(variables: Mapping[str, str], account: str) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        msg = "there is no command, and no terminal for a shell"
        raise click.UsageError(msg)
    named = shell_of_user(variables, sys.platform)
    if shutil.which(named) is None:
        default = shell_of_user({}, sys.platform)
        warn(f"SHELL is {named}, which can't be run; {default} is started")
        named = default
    warn(f"{named} with the credentials of {account}; exit ends it")
    return named


def _served(xs: CrossAccountSession, account: Account, program: Program) -> int:
    # First: who is asked for an MFA code may leave by Ctrl-C, and nothing has been started.
    xs.get_frozen_credentials(account)
    run = run_windows_child if sys.platform == "win32" else run_child
    with xs.serve(account) as server:
        served = server.environ(account, program.variables)
        served |= {MARKER: marker(served), ACCOUNT: account.name}
        return run(replace(program, variables=served))


def _become(program: Program) -> int:
    flush_output()
    become = run_windows_child if sys.platform == "win32" else replace_process
    return become(program)
