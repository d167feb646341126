"""Reads accounts out of files: `xsession.toml`, and the profiles of `~/.aws/config`."""

from __future__ import annotations

import os
from collections.abc import Mapping

from xsession.errors import ConfigError

from ._account import Account
from ._aws_config import AwsFiles
from ._entry import Entry
from ._profiles import read_profiles
from ._toml import read_toml
from ._toml_file import FileTrust


def of_file(path: str | os.PathLike[str], trust: FileTrust) -> list[Account]:
    """The accounts of a TOML file.

    Args:
        path: The file.
        trust: What it may do.

    Raises:
        ConfigError: It can't be read, is no TOML, or has a key or value that is not valid; says where.
    """
    return [_account(entry) for entry in read_toml(path, trust=trust)]


def of_own_file(path: str | os.PathLike[str]) -> list[Account]:
    """The accounts of a TOML file that somebody named.

    Raises:
        ConfigError: As `of_file`.
    """
    return of_file(path, FileTrust.OWN)


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
            unusable[entry.name] = error
    return accounts, unusable


def _account(entry: Entry) -> Account:
    try:
        return Account(entry.name, **entry.options, origin=entry.origin)
    except ConfigError as error:
        error.within(entry.origin)
        raise
