"""`xsession login` and `xsession logout`."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from xsession.errors import SourceCredentialsError, XSessionError
from xsession.stores import FileStore, MemoryStore

from ._account_options import code_source, mfa_code_option
from ._child_process import in_foreground
from ._exit_status import ExitStatus
from ._options import GlobalOptions, pass_options, tell_store_problem
from ._output import say, show_json, warn
from ._parameters import account_argument, json_option

if TYPE_CHECKING:
    from xsession import Credentials

_TO_RUN = "run: "
_LOGINS = (["aws", "login"], ["aws", "sso", "login"])
_NO_INPUT = "XSESSION_NO_INPUT"
_HOW_TO_KEEP = "pip install 'xsession[store]', and let neither XSESSION_STORE nor xsession.toml say memory"


@click.command("login", short_help="Have what ACCOUNT needs of a person, ahead of time.")
@account_argument
@mfa_code_option
@json_option
@pass_options
def login(options: GlobalOptions, account: str, mfa_code: str | None, as_json: bool) -> None:
    """Get ACCOUNT's credentials, with whatever they need of you: an MFA code, or the login of the AWS CLI.

    Where its source is a login that has ended, the AWS CLI is run for a new one, if it is installed and you are at a
    terminal. Other commands find the MFA session and the credentials afterwards: they are kept on the disk, encrypted,
    if the extra xsession[store] is installed and neither XSESSION_STORE nor xsession.toml says "memory".
    """
    try:
        credentials = _credentials(options, account, mfa_code)
    except SourceCredentialsError as error:
        command = login_command(error.hint)
        if command is None or not _person_is_there() or not _ran(command):
            raise
        credentials = _credentials(options, account, mfa_code)
    end = credentials.local_expiry
    if as_json:
        about = {"account": account, "arn": credentials.arn, "access_key_id": credentials.access_key_id}
        show_json({**about, "expires": None if end is None else f"{end:%Y-%m-%dT%H:%M:%SZ}"})
        return
    until = "" if end is None else f" until {end.astimezone():%Y-%m-%d %H:%M:%S %Z}"
    say(f"{account}: {credentials.arn or credentials.access_key_id}{until}")


@click.command("logout", short_help="Remove all credentials that are kept.")
@json_option
@pass_options
def logout(options: GlobalOptions, as_json: bool) -> ExitStatus:
    """Remove all credentials that xsession keeps on this machine, MFA sessions among them; damaged ones too.

    Other processes that have some use them until they end, or look there again. Files of AWS's are left as they are.
    """
    removed: dict[str, bool] = {}
    for store in _stores(options):
        # First: what another process is getting just now must not come back.
        store.mark(datetime.now(UTC))
        store.clear()
        removed[str(store.path)] = store.is_empty
    if as_json:
        show_json([{"path": path, "removed": gone} for path, gone in removed.items()])
    for path, gone in removed.items():
        if not gone:
            warn(f"not everything could be removed from {path}")
    return ExitStatus.OK if all(removed.values()) else ExitStatus.FAILED


def login_command(hint: str | None) -> list[str] | None:
    """The login of the AWS CLI that an error's hint says to run; None: it is about something else.

    Args:
        hint: The hint.
    """
    if hint is None or not hint.startswith(_TO_RUN):
        return None
    # A profile's name may have blanks.
    command, option, profile = hint.removeprefix(_TO_RUN).partition(" --profile ")
    words = command.split()
    return [*words, *(["--profile", profile] if option else [])] if words in _LOGINS else None


def _credentials(options: GlobalOptions, account: str, mfa_code: str | None) -> Credentials:
    with options.session(mfa_code=code_source(mfa_code)) as xs:
        credentials = xs.get_frozen_credentials(account)
        if isinstance(xs.store, MemoryStore):
            warn("nothing is kept for other commands: the store is memory")
            warn(_HOW_TO_KEEP, indent=True)
        return credentials


def _stores(options: GlobalOptions) -> Iterator[FileStore]:
    """The user's own, or that of XSESSION_STORE; and the one that a file names."""
    yield FileStore(on_event=tell_store_problem)
    # A file that is wrong, or none at all, keeps nobody from logging out.
    with suppress(XSessionError), options.session(offline=True) as xs:
        if isinstance(xs.store, FileStore):
            yield xs.store


def _person_is_there() -> bool:
    return in_foreground() and os.environ.get(_NO_INPUT, "0") in {"", "0"}


def _ran(command: Sequence[str]) -> bool:
    warn(f"running {shlex.join(command)}")
    try:
        # Its questions go to standard error: our output is for programs.
        return subprocess.run(command, check=False, stdout=sys.stderr).returncode == 0  # noqa: S603 # as is said
    except OSError as error:
        warn(f"{command[0]}: {error.strerror}")
        return False
