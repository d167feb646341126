"""The accounts that an `xsession.toml` defines, and which of its keys need trust."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xsession._base import frozen
from xsession.errors import shown
from xsession.roles import COMMAND_OPTIONS, Defaults, Role

from ._entry import Entry
from ._tables import (
    ACCOUNT_KEYS,
    DEFAULT_KEYS,
    HUB_KEYS,
    TEMPLATE_KEYS,
    AccountTable,
    Hubs,
    TableDefaults,
    entry_of,
    named_tables,
    python_names,
)
from ._toml_file import Document, documents, load

if TYPE_CHECKING:
    from ._organization_table import OrganizationTable

KEYS_TO_TRUST = {"mfa_serial", "source", "web_identity_token_file"}
FILE_KEYS = {"accounts", "defaults", "hubs", "include", "organization", "store"}
STORES = {"file", "memory"}


@frozen
class FileContent:
    """What a file and those that it includes define.

    Args:
        entries: Their accounts.
        organization: The organization whose accounts come beside them; None: none.
    """

    entries: list[Entry]
    organization: OrganizationTable | None


def read_toml(path: str | os.PathLike[str]) -> list[Entry]:
    """The accounts of a file that the user named, and of those that it includes.

    Args:
        path: An xsession.toml, or a pyproject.toml with the table [tool.xsession].

    Raises:
        ConfigError: One can't be read, is no TOML, or has a key or value that is not valid; says where.
    """
    file = Path(path).expanduser()
    return read_document(file, load(file))


def read_document(file: Path, document: Document) -> list[Entry]:
    """The accounts of a file that was read already, and of those that it includes.

    Args:
        file: The file.
        document: What it says.

    Raises:
        ConfigError: As `read_toml`.
    """
    return read_content(file, document).entries


def read_content(file: Path, document: Document) -> FileContent:
    """All that a file which was read already defines, with those that it includes.

    Args:
        file: The file.
        document: What it says.

    Raises:
        ConfigError: As `read_toml`.
    """
    hubs: dict[str, AccountTable] = {}
    accounts: dict[str, AccountTable] = {}
    organization: AccountTable | None = None
    for each in documents(file, document):
        each.place.check(each.content, FILE_KEYS)
        store_in(each)
        defaults = _defaults(each)
        _collect(each, "hubs", HUB_KEYS, defaults, hubs)
        _collect(each, "accounts", ACCOUNT_KEYS, defaults, accounts)
        if "organization" in each.content:
            place = each.place.at("organization")
            if organization is not None:
                place.refuse(f"{organization.place} is an organization already", "keep one of them")
            organization = AccountTable(place, place.table(each.content["organization"]), defaults)
    found = Hubs(hubs)
    for name in hubs:
        found.route(name)
    entries = [entry_of(name, item, found) for name, item in accounts.items()]
    if organization is None:
        return FileContent(entries, None)
    from ._organization_table import organization_table  # noqa: PLC0415 # few have one, and it takes long

    return FileContent(entries, organization_table(organization, found, list(accounts)))


def store_in(document: Document) -> str | None:
    """Where a file has credentials kept: "file", "memory" or an absolute path; None: it doesn't say.

    Raises:
        ConfigError: It says anything else, or is included by another file.
    """
    store, place = document.content.get("store"), document.place.at("store")
    if store is None:
        return None
    if document.parent is not None:
        place.refuse("an included file names no store", "put it into the file that includes this one")
    if not isinstance(store, str) or not (store in STORES or store.startswith("~") or Path(store).is_absolute()):
        place.refuse(f'"file", "memory" or an absolute path is needed here, not {shown(store)}')
    return store


def keys_to_trust(content: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The paths of the keys by which a file uses a profile, a file or a device of the user's, or asks an organization.

    Args:
        content: What the file says; what is wrong with it is reported elsewhere.
    """
    for key in ("organization", "store"):
        if key in content:
            yield (key,)
    tables: list[tuple[tuple[str, ...], object]] = [(("defaults",), content.get("defaults"))]
    for kind in ("hubs", "accounts"):
        for name, table in _items(content.get(kind)):
            tables.append(((kind, name), table))
            chain = table.get("chain") if isinstance(table, dict) else None
            tables += [((kind, name, "chain", number), step) for number, step in _items(chain)]
    for keys, table in tables:
        if isinstance(table, dict):
            yield from ((*keys, key) for key in table if key in KEYS_TO_TRUST)


def _items(value: object) -> Iterable[tuple[str, object]]:
    """The items of a table by name, or those of a list by number."""
    if isinstance(value, list):
        return ((f"[{number}]", item) for number, item in enumerate(value))
    return value.items() if isinstance(value, dict) else ()


def _collect(
    document: Document,
    key: str,
    known: set[str] | frozenset[str],
    defaults: TableDefaults,
    into: dict[str, AccountTable],
) -> None:
    above = document.place.at(key)
    for name, value, place in named_tables(above, document.content.get(key, {})):
        table = {"role_arn": value} if isinstance(value, str) else place.table(value)
        place.check(table, known)
        if name in into:
            place.refuse(f"{into[name].place} has the same name", "rename one of them")
        into[name] = AccountTable(place, table, defaults)


def _defaults(document: Document) -> TableDefaults:
    inherited = TableDefaults() if document.parent is None else _defaults(document.parent)
    place = document.place.at("defaults")
    table = dict(place.table(document.content.get("defaults", {})))
    place.check(table, DEFAULT_KEYS)
    for key in sorted(COMMAND_OPTIONS & table.keys()):
        place.at(key).require_own("a program to run")
    template = {"role_name": inherited.role_name, "partition": inherited.partition}
    for key in sorted(TEMPLATE_KEYS & table.keys()):
        if not isinstance(table[key], str) or not table[key]:
            place.at(key).refuse(f"a string is needed here, not {shown(table[key])}")
        template[key] = table.pop(key)
    with place:
        options = (inherited.options or Defaults()) | Defaults(**python_names(table))
        if template["role_name"]:
            # Of any account: what is wrong with the name is wrong for each.
            Role(f"arn:{template['partition']}:iam::000000000000:role/{template['role_name']}")
    return TableDefaults(options, template["role_name"], template["partition"] or "aws")
