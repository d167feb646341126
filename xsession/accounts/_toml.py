"""The keys of `xsession.toml`, and the accounts that a file of them defines."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from xsession._base import frozen
from xsession.errors import shown
from xsession.roles import COMMAND_OPTIONS, DEFAULT_OPTIONS, ROLE_OPTIONS, Defaults, Role, RoleChain

from ._entry import Entry
from ._toml_file import Document, Place, documents, load

# `tags` are the account's own in this file; those of the session are spelt session_tags.
_ROLE_OPTIONS = (ROLE_OPTIONS - {"tags", "web_identity_token"}) | {"session_tags"}
_TEMPLATE = {"role_name", "partition"}
ROLE_KEYS = _ROLE_OPTIONS | _TEMPLATE | {"role_arn", "account_id"}
HUB_KEYS = ROLE_KEYS | {"chain", "source", "via"}
ACCOUNT_KEYS = HUB_KEYS | {"region_name", "tags"}
DEFAULT_KEYS = (DEFAULT_OPTIONS - {"tags"}) | {"session_tags"} | _TEMPLATE
KEYS_TO_TRUST = {"mfa_serial", "source", "web_identity_token_file"}
FILE_KEYS = {"accounts", "defaults", "hubs", "include"}
MAX_ROLES = 32  # of one chain, those of its hubs included

_OF_A_ROLE = ROLE_KEYS - {"account_id"}


@frozen
class _FileDefaults:
    """What the accounts of a file take where they say nothing."""

    options: Defaults
    role_name: str | None = None
    partition: str = "aws"


@frozen
class _Route:
    """How something is reached: whose credentials come first, and the roles from there on."""

    source: str | None
    roles: tuple[Role, ...]


@frozen
class _Item:
    """A hub or an account as a file has it."""

    place: Place
    table: dict[str, Any]
    defaults: _FileDefaults


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
    hubs: dict[str, _Item] = {}
    accounts: dict[str, _Item] = {}
    for each in documents(file, document):
        each.place.check(each.content, FILE_KEYS)
        defaults = _defaults(each)
        _collect(each, "hubs", HUB_KEYS, defaults, hubs)
        _collect(each, "accounts", ACCOUNT_KEYS, defaults, accounts)
    found = _Hubs(hubs)
    for name in hubs:
        found.route(name)
    return [_entry(name, item, found) for name, item in accounts.items()]


def keys_to_trust(content: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The paths of the keys by which a file uses a profile, a file or a device of the user's.

    Args:
        content: What the file says; what is wrong with it is reported elsewhere.
    """
    tables: list[tuple[tuple[str, ...], object]] = [(("defaults",), content.get("defaults"))]
    for kind in ("hubs", "accounts"):
        named = content.get(kind)
        for name, table in named.items() if isinstance(named, dict) else ():
            tables.append(((kind, name), table))
            chain = table.get("chain") if isinstance(table, dict) else None
            steps = chain if isinstance(chain, list) else []
            tables += [((kind, name, "chain", f"[{number}]"), step) for number, step in enumerate(steps)]
    for keys, table in tables:
        if isinstance(table, dict):
            yield from ((*keys, key) for key in table if key in KEYS_TO_TRUST)


class _Hubs:
    """The named hubs of a file and those that it includes."""

    def __init__(self, items: Mapping[str, _Item]) -> None:
        self._items = items
        self._routes: dict[str, _Route] = {}
        self._open: list[str] = []

    def route(self, name: str) -> _Route:
        """How a hub is reached."""
        if name not in self._routes:
            item = self._items[name]
            if name in self._open:
                item.place.refuse(f"hubs lead to each other: {' -> '.join([*self._open, name])}")
            _check_length(item.place, len(self._open) + 1)  # each has a role at least
            self._open.append(name)
            route = _route(item, self)
            if not route.roles:
                item.place.refuse("a hub is a role", "give role_arn, or account_id with role_name, or chain")
            with item.place:
                RoleChain(*route.roles)
            self._routes[name] = route
            self._open.pop()
        return self._routes[name]

    def named_at(self, place: Place, name: object) -> _Route:
        """The hub that a `via` names."""
        if not isinstance(name, str) or name not in self._items:
            known = ", ".join(self._items) or "none"
            place.refuse(f"{shown(name)} is not the name of a hub", f"hubs here: {known}")
        return self.route(name)


def _collect(
    document: Document, key: str, known: set[str] | frozenset[str], defaults: _FileDefaults, into: dict[str, _Item]
) -> None:
    above = document.place.at(key)
    for name, value in above.table(document.content.get(key, {})).items():
        place = above.at(name)
        table = place.table(value)
        place.check(table, known)
        if name in into:
            place.refuse(f"{into[name].place} has the same name", "rename one of them")
        into[name] = _Item(place, table, defaults)


def _defaults(document: Document) -> _FileDefaults:
    inherited = _FileDefaults(Defaults()) if document.parent is None else _defaults(document.parent)
    place = document.place.at("defaults")
    table = dict(place.table(document.content.get("defaults", {})))
    place.check(table, DEFAULT_KEYS)
    for key in sorted(COMMAND_OPTIONS & table.keys()):
        place.at(key).require_own("a program to run")
    template = {"role_name": inherited.role_name, "partition": inherited.partition}
    for key in sorted(_TEMPLATE & table.keys()):
        if not isinstance(table[key], str) or not table[key]:
            place.at(key).refuse(f"a string is needed here, not {shown(table[key])}")
        template[key] = table.pop(key)
    with place:
        options = inherited.options | Defaults(**_python_names(table))
        if template["role_name"]:
            # Of any account: what is wrong with the name is wrong for each.
            Role(f"arn:{template['partition']}:iam::000000000000:role/{template['role_name']}")
    return _FileDefaults(options, template["role_name"], template["partition"] or "aws")


def _entry(name: str, item: _Item, hubs: _Hubs) -> Entry:
    table, place = item.table, item.place
    route = _route(item, hubs)
    if not route.roles and "source" not in table:
        hint = "give role_arn, or account_id with role_name, or chain, or source"
        place.refuse("nothing says how the account is reached", hint)
    with place:
        chain = RoleChain(*route.roles) if route.roles else None
    options: dict[str, Any] = {key: table[key] for key in ("account_id", "region_name", "tags") if key in table}
    return Entry(
        name, {**options, "source": route.source, "chain": chain, "defaults": item.defaults.options}, str(place)
    )


def _route(item: _Item, hubs: _Hubs) -> _Route:
    table, place = item.table, item.place
    before = hubs.named_at(place.at("via"), table["via"]) if "via" in table else _Route(None, ())
    source = table.get("source")
    if not isinstance(source, str | None) or source == "":
        place.at("source").refuse("the name of a profile is needed here")
    if source is not None and before.source is not None:
        place.at("source").refuse(f"the hub {table['via']!r} has a source already", "remove one of the two")
    own = _roles(item)
    _check_length(place, len(before.roles) + len(own))
    if "via" in table and not own:
        hint = "give role_arn, or account_id with role_name, or chain"
        place.refuse(f"nothing says which role comes after the hub {table['via']!r}", hint)
    return _Route(source or before.source, (*before.roles, *own))


def _check_length(place: Place, roles: int) -> None:
    if roles > MAX_ROLES:
        place.refuse(f"a chain of more than {MAX_ROLES} roles")


def _roles(item: _Item) -> list[Role]:
    table, place = item.table, item.place
    if "chain" in table:
        beside = sorted(_OF_A_ROLE & table.keys())
        if beside:
            place.refuse(f"{beside[0]} can't stand beside chain", "put it into the table of one of the chain's roles")
        links = table["chain"]
        if not isinstance(links, list) or not links:
            place.at("chain").refuse("a list of roles is needed here: ARNs, or tables with role_arn")
        _check_length(place, len(links))
        return [_role(place.at("chain", f"[{number}]"), link, item.defaults) for number, link in enumerate(links)]
    # A source with an id is an account without a role, no matter which role the others have.
    templated = "account_id" in table and item.defaults.role_name and ("source" not in table or "via" in table)
    if not templated and not table.keys() & _OF_A_ROLE:
        return []
    role = {key: value for key, value in table.items() if key in ROLE_KEYS}
    if "role_arn" in role:
        role.pop("account_id", None)  # there, it is what the ARN is compared with
    return [_role(place, role, item.defaults)]


def _role(place: Place, value: object, defaults: _FileDefaults) -> Role:
    table = {"role_arn": value} if isinstance(value, str) else dict(place.table(value))
    place.check(table, ROLE_KEYS)
    given = {key: table.pop(key) for key in ("account_id", "role_name", "partition") if key in table}
    if "role_arn" in table:
        if given:
            beside = " and ".join(given)
            place.refuse(f"role_arn says it all; {beside} can't stand beside it")
    else:
        parts = {"partition": defaults.partition, "role_name": defaults.role_name, **given}
        if not all(isinstance(part, str) for part in given.values()):
            place.refuse("account_id, role_name and partition are strings", "put the digits into quotes")
        if "account_id" not in parts or parts["role_name"] is None:
            place.refuse("a role is needed here", "give role_arn, or account_id with role_name")
        table["role_arn"] = f"arn:{parts['partition']}:iam::{parts['account_id']}:role/{parts['role_name']}"
    with place:
        return Role(**_python_names(table))


def _python_names(table: Mapping[str, Any]) -> dict[str, Any]:
    return {"tags" if key == "session_tags" else key: value for key, value in table.items()}
