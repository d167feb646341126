"""Accounts as tables of keys, in a file or in code: the keys, and the roles that they name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from xsession._base import frozen
from xsession.errors import shown
from xsession.roles import DEFAULT_OPTIONS, ROLE_OPTIONS, Defaults, Role, RoleChain

from ._account import Account
from ._entry import Entry
from ._place import Place

# `tags` are the account's own there; those of the session are spelt session_tags.
_ROLE_OPTIONS = (ROLE_OPTIONS - {"tags", "web_identity_token"}) | {"session_tags"}
TEMPLATE_KEYS = {"role_name", "partition"}
ROLE_KEYS = _ROLE_OPTIONS | TEMPLATE_KEYS | {"role_arn", "account_id"}
HUB_KEYS = ROLE_KEYS | {"chain", "source", "via"}
ACCOUNT_KEYS = HUB_KEYS | {"region_name", "tags"}
DEFAULT_KEYS = (DEFAULT_OPTIONS - {"tags"}) | {"session_tags"} | TEMPLATE_KEYS
MAX_ROLES = 32  # of one chain, those of its hubs included

_OF_A_ROLE = ROLE_KEYS - {"account_id"}
_IN_CODE = Place("accounts", {})


@frozen
class TableDefaults:
    """What accounts take where they say nothing.

    Args:
        options: Options of roles and accounts; None: none.
        role_name: The role of an account that gives its id alone.
        partition: The partition of roles that are given in parts.
    """

    options: Defaults | None = None
    role_name: str | None = None
    partition: str = "aws"


@frozen
class _Route:
    """How something is reached: whose credentials come first, and the roles from there on."""

    source: str | None
    roles: tuple[Role, ...]


@frozen
class AccountTable:
    """A hub or an account as it was given.

    Args:
        place: Where.
        table: Its keys.
        defaults: What it takes where it says nothing.
    """

    place: Place
    table: dict[str, Any]
    defaults: TableDefaults


class Hubs:
    """The named hubs of a file and those that it includes."""

    def __init__(self, items: Mapping[str, AccountTable]) -> None:
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


def named_tables(place: Place, value: object) -> Iterator[tuple[str, object, Place]]:
    """Accounts or hubs of a file with their names: of a table by name, or of a list of tables that each have a `name`.

    Args:
        place: Where they stand.
        value: The table or the list.

    Raises:
        ConfigError: It is neither, or a table of the list has no name.
    """
    if isinstance(value, list):
        for number, row in enumerate(value):
            at = place.at(f"[{number}]")
            yield *_named_row(at, row), at
    else:
        for name, table in place.table(value).items():
            yield name, table, place.at(name)


def account_of_table(name: Any, table: object) -> Account:
    """An account that code gives by the keys of `xsession.toml`, but `via`; None is as good as no key.

    Args:
        name: Its name.
        table: Its keys.

    Raises:
        ConfigError: A key or value that is not valid; says where.
    """
    return _in_code(name, table, _IN_CODE.at(name if isinstance(name, str) else shown(name)))


def account_of_row(number: int, row: object) -> Account:
    """Such an account of a list, which has its name in the key `name`.

    Args:
        number: Its place in the list, from 0.
        row: Its keys.

    Raises:
        ConfigError: As `account_of_table`; or it has no name.
    """
    place = _IN_CODE.at(f"[{number}]")
    return _in_code(*_named_row(place, row), place)


def _named_row(place: Place, row: object) -> tuple[str, dict[str, Any]]:
    table = place.table(row)
    name = table.pop("name", None)
    if not isinstance(name, str):
        place.refuse("each account of a list has a name, a string", "give it the key name")
    return name, table


def _in_code(name: Any, given: object, place: Place) -> Account:
    table = {key: value for key, value in place.table(given).items() if value is not None}
    place.check(table, ACCOUNT_KEYS - {"via"})
    entry = entry_of(name, AccountTable(place, table, TableDefaults()), Hubs({}))
    with place:
        return Account(name, **entry.options)


def entry_of(name: str, item: AccountTable, hubs: Hubs) -> Entry:
    """An account as its table has it.

    Args:
        name: Its name.
        item: Its table.
        hubs: Those that `via` may name.

    Raises:
        ConfigError: The table does not say how it is reached, or a value is not valid.
    """
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


def _route(item: AccountTable, hubs: Hubs) -> _Route:
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


def _roles(item: AccountTable) -> list[Role]:
    table, place = item.table, item.place
    if "chain" in table:
        beside = sorted(_OF_A_ROLE & table.keys())
        if beside:
            place.refuse(f"{beside[0]} can't stand beside chain", "put it into the table of one of the chain's roles")
        links = table["chain"]
        if not isinstance(links, list | tuple) or not links:
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


def _role(place: Place, value: object, defaults: TableDefaults) -> Role:
    table = {"role_arn": value} if isinstance(value, str) else place.table(value)
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
        return Role(**python_names(table))


def python_names(table: Mapping[str, Any]) -> dict[str, Any]:
    """A table with the names that options have in code."""
    return {"tags" if key == "session_tags" else key: value for key, value in table.items()}
