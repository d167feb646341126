"""Reads `xsession.toml`: which keys there are, and where something is wrong."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from . import defaults as defaults_module
from . import roles
from .defaults import Defaults
from .errors import ConfigError
from .roles import Role, RoleChain

# `tags` are the account's own in this file; those of the session are spelt session_tags.
_ROLE_OPTIONS = (roles.OPTIONS - {"tags", "web_identity_token"}) | {"session_tags"}
_ROLE = {"role_arn", "account_id", "role_name", "partition"} | _ROLE_OPTIONS
_ACCOUNT = _ROLE | {"chain", "source", "region_name", "tags"}
# A program to run is nothing that a file of a folder may say.
_DEFAULTS = (defaults_module.OPTIONS - {"tags"} - defaults_module.COMMAND_OPTIONS) | {"session_tags"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One account of a file.

    Args:
        name: Its name.
        options: The other arguments of `Account`.
        origin: The file and the key, for messages.
    """

    name: str
    options: Mapping[str, Any]
    origin: str


def read_toml(path: str | os.PathLike[str]) -> tuple[Defaults, list[Entry]]:
    """The defaults and the accounts of a file.

    Raises:
        ConfigError: It can't be read, is no TOML, or has a key or value that is not valid; says where.
    """
    file = Path(path).expanduser()
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"{file} can't be read: {error.strerror}"
        raise ConfigError(msg) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{file} is not valid TOML: {error}"
        raise ConfigError(msg) from error
    where = _Place(str(file))
    where.check(document, {"defaults", "accounts"})
    in_defaults = where.at("defaults")
    table = in_defaults.table(document.get("defaults", {}))
    in_defaults.check(table, _DEFAULTS)
    with in_defaults:
        found = Defaults(**_python_names(table))
    in_accounts = where.at("accounts")
    accounts = in_accounts.table(document.get("accounts", {}))
    return found, [_entry(name, in_accounts.at(name), value) for name, value in accounts.items()]


class _Place:
    """A place in a file; as a context, it adds itself to errors."""

    def __init__(self, file: str, *keys: str) -> None:
        self._file = file
        self._keys = keys

    def __str__(self) -> str:
        return f"{self._file}: {'.'.join(self._keys)}" if self._keys else self._file

    def at(self, key: str) -> _Place:
        """The place of a key below this one."""
        return _Place(self._file, *self._keys, key)

    def refuse(self, problem: str, hint: str | None = None) -> NoReturn:
        """Says what is wrong here."""
        msg = f"{self}: {problem}"
        raise ConfigError(msg, hint=hint)

    def table(self, value: object) -> dict[str, Any]:
        """The value, which must be a table."""
        if not isinstance(value, dict):
            self.refuse(f"a table is needed here, not {value!r}")
        return value

    def check(self, table: Mapping[str, Any], known: Collection[str]) -> None:
        """Refuses keys that are not known."""
        for key in table:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                hint = f"did you mean {close[0]}?" if close else f"keys here: {', '.join(sorted(known))}"
                self.refuse(f"unknown key {key!r}", hint)

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, ConfigError):
            error.message = f"{self}: {error.message}"


def _entry(name: str, place: _Place, value: object) -> Entry:
    table = place.table(value)
    place.check(table, _ACCOUNT)
    options: dict[str, Any] = {
        key: table[key] for key in ("source", "account_id", "region_name", "tags") if key in table
    }
    if not isinstance(options.get("source", ""), str):
        place.at("source").refuse("the name of a profile is needed here")
    chain = _chain(place, table)
    if chain is None and "source" not in table:
        hint = "give role_arn, or account_id with role_name, or chain, or source"
        place.refuse("nothing says how the account is reached", hint)
    return Entry(name, {**options, "chain": chain}, str(place))


def _chain(place: _Place, table: Mapping[str, Any]) -> RoleChain | None:
    if "chain" in table:
        beside = sorted((_ROLE - {"account_id"}) & table.keys())
        if beside:
            place.refuse(f"{beside[0]} can't stand beside chain", "put it into the table of one of the chain's roles")
        links = table["chain"]
        if not isinstance(links, list) or not links:
            place.at("chain").refuse("a list of roles is needed here: ARNs, or tables with role_arn")
        hops = [_role(place.at(f"chain[{number}]"), link) for number, link in enumerate(links)]
    elif table.keys() & (_ROLE - {"account_id"}):
        role = {key: value for key, value in table.items() if key in _ROLE}
        if "role_arn" in role:
            role.pop("account_id", None)  # there, it is what the ARN is compared with
        hops = [_role(place, role)]
    else:
        return None
    with place:
        return RoleChain(*hops)


def _role(place: _Place, value: object) -> Role:
    table = {"role_arn": value} if isinstance(value, str) else dict(place.table(value))
    place.check(table, _ROLE)
    named = [table.pop(key, None) for key in ("account_id", "role_name")]
    partition = table.pop("partition", "aws")
    if "role_arn" in table:
        if named != [None, None]:
            place.refuse("role_arn says it all; account_id and role_name can't stand beside it")
    elif None in named:
        place.refuse("a role is needed here", "give role_arn, or account_id with role_name")
    elif not all(isinstance(part, str) for part in named):
        place.refuse("account_id and role_name are texts", "put the digits into quotes")
    else:
        table["role_arn"] = f"arn:{partition}:iam::{named[0]}:role/{named[1]}"
    with place:
        return Role(**_python_names(table))


def _python_names(table: Mapping[str, Any]) -> dict[str, Any]:
    return {"tags" if key == "session_tags" else key: value for key, value in table.items()}
