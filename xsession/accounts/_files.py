"""Reads accounts out of files: `xsession.toml`, and the profiles of `~/.aws/config`."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from xsession._base import frozen, without_frames
from xsession.errors import ConfigError

from ._account import Account
from ._aws_config import AwsFiles
from ._entry import Entry
from ._found_file import FoundFile
from ._profiles import names_of_profiles, read_profiles
from ._toml import FileContent, read_content
from ._toml_file import Document, load
from ._trusted_files import TrustedFiles, require_trust

if TYPE_CHECKING:
    from ._explanation import AccountChoice
    from ._kept_organizations import KeptOrganizations
    from ._organization_table import OrganizationAsk


@frozen
class FileAccounts:
    """The accounts of a file.

    Args:
        accounts: Its own, then those of its organization.
        considered: Which accounts of the organization were considered.
        asks: The account whose organization is among them.
    """

    accounts: list[Account]
    considered: Sequence[AccountChoice] = ()
    asks: Sequence[OrganizationAsk] = ()


def of_file(path: str | os.PathLike[str], kept: Callable[[], KeptOrganizations], now: float) -> FileAccounts:
    """The accounts of a TOML file that the caller named.

    Args:
        path: The file.
        kept: Returns what organizations have said; called where one is asked for.
        now: Seconds since 1970.

    Raises:
        ConfigError: It can't be read, is no TOML, or has a key or value that is not valid; says where.
    """
    file = Path(path).expanduser()
    return of_document(file, load(file), kept, now)


def of_document(path: Path, document: Document, kept: Callable[[], KeptOrganizations], now: float) -> FileAccounts:
    """The accounts of a TOML file that was read already.

    Args:
        path: The file.
        document: What it says.
        kept: Returns what organizations have said; called where one is asked for.
        now: Seconds since 1970.

    Raises:
        ConfigError: As `of_file`.
    """
    return _accounts(read_content(path, document), kept, now)


def trusted_document(file: FoundFile, trusted: TrustedFiles | None) -> Document:
    """What a TOML file says that lay somewhere.

    Args:
        file: The file.
        trusted: What the user trusts; None: the user has no folder for that.

    Raises:
        ConfigError: It is no TOML, others can change it, or it says what only a trusted file may.
    """
    document = file.document()
    require_trust(file, document, trusted)
    return document


def of_profiles(
    path: str | os.PathLike[str] | None, environ: Mapping[str, str]
) -> tuple[list[Account], dict[str, ConfigError]]:
    """The accounts of all profiles, and what is wrong with the others, by name.

    Args:
        path: The config file; None: the one that the environment names, else `~/.aws/config`.
        environ: The process's environment variables.

    Raises:
        ConfigError: A file can't be read or is not of that format.
    """
    entries, unusable = read_profiles(AwsFiles.of(path, environ))
    accounts = []
    for entry in entries:
        try:
            accounts.append(_account(entry))
        except ConfigError as error:
            unusable[entry.name] = without_frames(error)
    return accounts, unusable


def profile_names(environ: Mapping[str, str], but_for: Collection[Path] = ()) -> dict[str, str]:
    """The account names of all profiles, those without an account included, and where each one stands.

    Args:
        environ: The process's environment variables.
        but_for: Files of ours whose accounts `xsession aws-config` made profiles of: these do not count.

    Raises:
        ConfigError: A file can't be read or is not of that format.
    """
    return names_of_profiles(AwsFiles.of(None, environ), but_for)


def _accounts(content: FileContent, kept: Callable[[], KeptOrganizations], now: float) -> FileAccounts:
    own = [_account(entry) for entry in content.entries]
    table = content.organization
    if table is None:
        return FileAccounts(own)
    from ._organization_table import OrganizationAsk, asked_account_id  # noqa: PLC0415 # few files have one

    organization = kept().find(asked_account_id(table, own), now)
    ask = OrganizationAsk(table.account, is_kept=False, needs_tags=bool(table.selection.tags))
    if organization is None or (ask.needs_tags and not organization.has_tags):
        return FileAccounts(own, asks=[ask])
    try:
        members, considered = table.accounts(organization, own)
    except ConfigError as error:
        # The list may be older than what the file says now.
        return FileAccounts(own, asks=[replace(ask, problem=without_frames(error))])
    return FileAccounts([*own, *members], considered, [replace(ask, is_kept=True)])


def _account(entry: Entry) -> Account:
    try:
        return Account(entry.name, **entry.options, origin=entry.origin)
    except ConfigError as error:
        error.within(entry.origin)
        raise
