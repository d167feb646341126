"""Accounts by name: in code, in a file, or in the profiles of `~/.aws/config`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from xsession._base import FrozenMap, Table, Tabular, did_you_mean, hides_frames, public, shortened
from xsession.errors import ConfigError, UnknownAccountError, shown
from xsession.roles import Role, RoleChain, as_chain

from ._account import SOURCE, Account, AccountLike, AccountRef, AccountsLike

if TYPE_CHECKING:
    from ._graph import AccountGraph

_MOST_NAMES = 10
_NOT_IN_NAMES = r"[^A-Za-z0-9._-]"


@public
class Accounts(Tabular, Mapping[str, Account]):
    """Accounts by name, in the order in which they were given. Prints, and shows in a notebook, as a table.

    `a | b`, `a & b` and `a - b` go by names and keep the order of `a`; what only `b` has comes after it.

    Args:
        accounts: Names to role ARNs, `Role`, `RoleChain` or `Account` objects, or to mappings with the keys that an
            account has in `xsession.toml`; or a list of `Account` objects and of such mappings, each with a "name".
        unusable: Names of accounts whose definition is not valid, and the error to raise when one is used.

    Raises:
        ConfigError: A name is there twice, or a value is not valid.
    """

    @hides_frames(ConfigError)  # mappings have external ids
    def __init__(
        self,
        accounts: AccountsLike = (),
        *,
        unusable: Mapping[str, ConfigError] = FrozenMap(),  # it is immutable
    ) -> None:
        given: object = accounts
        if isinstance(accounts, Mapping):
            listed: Iterable[Account] = (_named(name, value) for name, value in accounts.items())
        elif isinstance(given, str | bytes) or not isinstance(given, Iterable):
            raise ConfigError.invalid(given, "accounts", "a mapping of names to roles, or Account objects")
        else:
            listed = _listed(accounts)
        self._by_name: dict[str, Account] = {}
        self.unusable = FrozenMap(unusable)
        for account in listed:
            known = self._by_name.get(account.name)
            if known is not None:
                places = " and ".join(place for place in (known.origin, account.origin) if place)
                msg = f"two accounts have the name {account.name!r}" + (f": {places}" if places else "")
                raise ConfigError(msg, account=account.name)
            self._by_name[account.name] = replace(account, origin=account.origin or "code", registered=True)

    @classmethod
    @hides_frames(ConfigError)
    def from_toml(cls, path: str | os.PathLike[str]) -> Accounts:
        """The accounts of an `xsession.toml`, or of `[tool.xsession]` in a `pyproject.toml`.

        Raises:
            ConfigError: It can't be read, is no TOML, or has a key or value that is not valid; says where.
        """
        from ._files import of_file  # noqa: PLC0415 # accounts in code need no reader of files

        return cls(of_file(path))

    @classmethod
    @hides_frames(ConfigError)
    def from_config(cls, path: str | os.PathLike[str] | None = None) -> Accounts:
        """The accounts of a file, or of all that this machine has, as `CrossAccountSession.from_config` has them.

        Args:
            path: The file, which counts alone; None: all that are found.

        Raises:
            ConfigError: A file is missing or wrong, or there is no account at all.
        """
        from ._discovery import Discovery  # noqa: PLC0415 # accounts in code need no reader of files

        return Discovery.of(path, cls(), combine=None, folder=Path.cwd()).read(os.environ)

    @classmethod
    @hides_frames(ConfigError)
    def from_aws_config(cls, path: str | os.PathLike[str] | None = None) -> Accounts:
        """The profiles of `~/.aws/config` and `~/.aws/credentials` as accounts.

        A profile with neither a role nor credentials is not among them. An invalid one is in `unusable`: it raises
        when it is used, and hides no other. What a name can't have becomes a hyphen: "team/prod" is "team-prod".

        Args:
            path: The config file; None: the one that `AWS_CONFIG_FILE` names, else `~/.aws/config`. The credentials
                file is the one that `AWS_SHARED_CREDENTIALS_FILE` names, else `~/.aws/credentials`.

        Raises:
            ConfigError: A file can't be read or is not of that format.
        """
        from ._files import of_profiles  # noqa: PLC0415 # likewise

        accounts, unusable = of_profiles(path, os.environ)
        return cls(accounts, unusable=unusable)

    def find(self, ref: AccountRef) -> Account:
        """The account that a name, an id, `SOURCE`, a `Role`, a `RoleChain` or an `Account` stands for.

        Raises:
            UnknownAccountError: No account has that name, or several have that id; names the close matches.
            ConfigError: None, "", an ARN, or something else that names no account.
        """
        if isinstance(ref, str) and ref:
            return self._find_text(ref)
        if isinstance(ref, Account):
            registered = replace(ref, registered=True)
            return registered if self._by_name.get(ref.name) == registered else replace(ref, registered=False)
        if isinstance(ref, Role | RoleChain):
            last = as_chain(ref).last
            return Account(re.sub(_NOT_IN_NAMES, "-", f"{last.account_id}-{last.name}"), ref)
        if ref is SOURCE:
            return Account("source")
        msg = f"{shown(ref)} names no account"
        raise ConfigError(msg, hint="pass a name, a 12-digit id, a Role, a RoleChain, an Account, or xsession.SOURCE")

    def find_all(self, refs: AccountRef | Iterable[AccountRef] | None) -> list[Account]:
        """Those that a caller means by one account or several; None: all that are registered.

        Raises:
            UnknownAccountError: As `find`.
            ConfigError: As `find`.
        """
        if refs is None:
            return list(self.values())
        # A string and a chain can be iterated over as well, and each of them is one account.
        if isinstance(refs, str | bytes | RoleChain) or not isinstance(refs, Iterable):
            return [self.find(refs)]
        return list(map(self.find, refs))

    def where(self, *, name: str = "*", account_id: str = "*", **tags: str) -> Accounts:
        """Those accounts whose name, id and tags match; * and ? are wildcards.

        Args:
            name: A pattern for the name.
            account_id: A pattern for the id.
            tags: A pattern for the tag of each name; an account without that tag does not match.
        """

        def matches(account: Account) -> bool:
            if not fnmatchcase(account.name, name) or not fnmatchcase(account.account_id or "", account_id):
                return False
            return all(key in account.tags and fnmatchcase(account.tags[key], wanted) for key, wanted in tags.items())

        # The id and the tags of what could not be read are not known.
        any_other = account_id == "*" and not tags
        unusable = {key: error for key, error in self.unusable.items() if any_other and fnmatchcase(key, name)}
        return Accounts((account for account in self.values() if matches(account)), unusable=unusable)

    def graph(self) -> AccountGraph:
        """Who is reached through whom: a diagram in a notebook, a tree when it is printed."""
        from ._graph import AccountGraph  # noqa: PLC0415 # for people who look

        return AccountGraph.of(self.values())

    def __getitem__(self, name: str) -> Account:
        self._refuse_unusable(name)
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._by_name)

    def __or__(self, other: Accounts) -> Accounts:
        """All accounts of both; of two with the same name, the other's."""
        if not isinstance(other, Accounts):
            return NotImplemented
        theirs = other._names()
        ours = {name: account for name, account in self._by_name.items() if name not in other.unusable}
        unusable = {name: error for name, error in self.unusable.items() if name not in theirs}
        return Accounts((ours | other._by_name).values(), unusable={**unusable, **other.unusable})

    def __and__(self, other: Accounts) -> Accounts:
        """The accounts whose names the other has too."""
        if not isinstance(other, Accounts):
            return NotImplemented
        return self._chosen(other._names().__contains__)

    def __sub__(self, other: Accounts) -> Accounts:
        """The accounts whose names the other does not have."""
        if not isinstance(other, Accounts):
            return NotImplemented
        theirs = other._names()
        return self._chosen(lambda name: name not in theirs)

    def _table(self) -> Table:
        from ._display import accounts_table  # noqa: PLC0415 # likewise

        return accounts_table(self)

    def __str__(self) -> str:
        return self._as_text()

    def __repr__(self) -> str:
        return f"Accounts({', '.join(self._by_name)})"

    def _names(self) -> set[str]:
        return {*self._by_name, *self.unusable}

    def _chosen(self, wanted: Callable[[str], bool]) -> Accounts:
        unusable = {name: error for name, error in self.unusable.items() if wanted(name)}
        return Accounts((account for name, account in self.items() if wanted(name)), unusable=unusable)

    def _refuse_unusable(self, name: str) -> None:
        error = self.unusable.get(name)
        if error is not None:
            raise error.for_caller(name)

    def _find_text(self, ref: str) -> Account:
        account = self._by_name.get(ref)
        if account is not None:
            return account
        self._refuse_unusable(ref)
        if ref.startswith("arn:"):
            msg = f"{shown(ref)} is an ARN, and a string never stands for a role: it could come from outside"
            raise ConfigError(msg, hint="pass Role(arn) where you mean a role that is not registered")
        same_id = [account for account in self.values() if account.account_id == ref]
        if len(same_id) == 1:
            return same_id[0]
        if same_id:
            msg = f"several accounts have the id {ref}"
            raise UnknownAccountError(msg, hint=f"use one of {', '.join(account.name for account in same_id)}")
        msg = f"no account has the name {shown(ref)}"
        raise UnknownAccountError(msg, hint=did_you_mean(ref, self._by_name, self._known(), most=3))

    def _known(self) -> str:
        names = list(self._by_name)
        if not names:
            return "register accounts first: there are none"
        return f"use one of {shortened(names, _MOST_NAMES)}"


def _listed(items: Iterable[object]) -> Iterator[Account]:
    for number, item in enumerate(items):
        if isinstance(item, Account):
            yield item
        elif isinstance(item, Mapping):
            from ._tables import account_of_row  # noqa: PLC0415 # accounts by ARN need no reader of tables

            yield account_of_row(number, item)
        else:
            msg = f"{shown(item)} among the accounts is not an Account"
            raise ConfigError(msg, hint='pass Account objects, or mappings such as {"name": ..., "role_arn": ...}')


def _named(name: str, value: AccountLike) -> Account:
    if isinstance(value, Mapping):
        from ._tables import account_of_table  # noqa: PLC0415 # likewise

        return account_of_table(name, value)
    if not isinstance(value, Account):
        return Account(name, value)
    if value.name != name:
        msg = f"the account {value.name!r} stands under the name {shown(name)}"
        raise ConfigError(msg, account=value.name)
    return value
