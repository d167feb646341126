"""Accounts by name: in code, in a file, or in the profiles of `~/.aws/config`."""

from __future__ import annotations

import difflib
import enum
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal, NoReturn, TypeAlias

from ._aws_config import AwsFiles, Profile, read_aws_config
from ._entry import Entry
from ._frozen import FrozenMap
from ._toml import read_toml
from ._toml_file import Trust
from .defaults import Defaults
from .errors import ConfigError, UnknownAccountError
from .roles import Role, RoleChain, as_chain

if TYPE_CHECKING:
    import boto3

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]")
_ACCOUNT_ID = re.compile(r"[0-9]{12}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,}(-[a-z0-9]+)+")


class SourceType(enum.Enum):
    """The type of `SOURCE`."""

    SOURCE = "source"

    def __repr__(self) -> str:
        return "SOURCE"


SOURCE: Literal[SourceType.SOURCE] = SourceType.SOURCE
"""Stands for the source itself where an account is asked for."""


@dataclass(frozen=True, slots=True, init=False)
class Account:
    """An AWS account that we can reach.

    Args:
        name: A letter or digit, then up to 127 letters, digits, dots, underscores and hyphens.
        chain: The roles that lead there: a `RoleChain`, a `Role` or a role's ARN; None: the source's credentials
            are the account's.
        source: Whose credentials the chain starts from: a profile's name or a boto3 session; None: the session's.
            Accounts of `Accounts.from_aws_config` have a value whose text is the profile's name.
        account_id: The 12-digit id; None: the chain's. What AWS answers is compared with it.
        region_name: The region of clients where the call names none.
        tags: For `Accounts.where`; never sent to AWS.
        defaults: Those of the file that it comes from.
        origin: Where it was defined: file, line and key, or "code"; two accounts that differ only here are equal.
        registered: Set by `Accounts`; only registered accounts take defaults.

    Raises:
        ConfigError: A value that is not valid; names it and the rule.
        InvalidRoleError: The chain is one which STS would refuse.
    """

    name: str
    chain: RoleChain | None
    source: str | Profile | boto3.Session | None
    account_id: str | None
    region_name: str | None
    tags: Mapping[str, str]
    defaults: Defaults | None = field(repr=False)
    origin: str | None = field(repr=False, compare=False)
    registered: bool = field(repr=False)

    def __init__(
        self,
        name: str,
        chain: RoleChain | Role | str | None = None,
        *,
        source: str | Profile | boto3.Session | None = None,
        account_id: str | None = None,
        region_name: str | None = None,
        tags: Mapping[str, str] = FrozenMap(),  # it is immutable
        defaults: Defaults | None = None,
        origin: str | None = None,
        registered: bool = False,
    ) -> None:
        found = _checked_chain(name, chain)
        values = {
            "name": name,
            "chain": found,
            "source": source,
            "account_id": _checked_account_id(name, account_id, found),
            "region_name": region_name,
            "tags": _checked_tags(name, tags),
            "defaults": defaults,
            "origin": origin,
            "registered": registered,
        }
        for option, value in values.items():
            object.__setattr__(self, option, value)
        self._check()

    @property
    def roles(self) -> tuple[Role, ...]:
        """The chain's roles, in order; empty where the source's credentials are the account's."""
        return () if self.chain is None else self.chain.roles

    def _check(self) -> None:
        if _ACCOUNT_ID.fullmatch(self.name) and self.name != self.account_id:
            msg = f"account name {self.name!r} is not valid: it is another account's id"
            raise ConfigError(msg)
        region: object = self.region_name
        if region is not None and not (isinstance(region, str) and _REGION.fullmatch(region)):
            _refuse(self.name, "region_name", region, "an AWS region such as eu-west-1")
        if self.source == "":
            _refuse(self.name, "source", self.source, "a profile's name or a boto3 session")


AccountRef: TypeAlias = str | Role | RoleChain | Account | Literal[SourceType.SOURCE]
"""What names an account in a call."""


class Accounts(Mapping[str, Account]):
    """Accounts by name, in the order in which they were given.

    `a | b`, `a & b` and `a - b` go by names and keep the order of `a`; what only `b` has comes after it.

    Args:
        accounts: Names to role ARNs, `Role`, `RoleChain` or `Account` objects; or `Account` objects.
        unusable: Names of accounts that are defined wrongly, and the error to raise when one is asked for.

    Raises:
        ConfigError: A name is there twice, or a value is not valid.
    """

    def __init__(
        self,
        accounts: Mapping[str, str | Role | RoleChain | Account] | Iterable[Account] = (),
        *,
        unusable: Mapping[str, ConfigError] = FrozenMap(),  # it is immutable
    ) -> None:
        given: object = accounts
        if isinstance(accounts, Mapping):
            listed = [_named(name, value) for name, value in accounts.items()]
        elif isinstance(given, str | bytes) or not isinstance(given, Iterable):
            msg = f"accounts {_shown(given)} are not valid: a mapping of names to roles, or Account objects"
            raise ConfigError(msg)
        else:
            listed = list(accounts)
        self._by_name: dict[str, Account] = {}
        self.unusable = FrozenMap(unusable)
        for account in listed:
            candidate: object = account
            if not isinstance(candidate, Account):
                msg = f"{_shown(candidate)} among the accounts is not an Account"
                raise ConfigError(msg)
            known = self._by_name.get(account.name)
            if known is not None:
                places = " and ".join(place for place in (known.origin, account.origin) if place)
                msg = f"two accounts are called {account.name!r}" + (f": {places}" if places else "")
                raise ConfigError(msg, account=account.name)
            self._by_name[account.name] = replace(account, origin=account.origin or "code", registered=True)

    @classmethod
    def from_toml(cls, path: str | os.PathLike[str]) -> Accounts:
        """The accounts of an `xsession.toml`, or of `[tool.xsession]` in a `pyproject.toml`.

        Raises:
            ConfigError: It can't be read, is no TOML, or has a key or value that is not valid; says where.
        """
        return cls.of_file(path, Trust.OWN)

    @classmethod
    def of_file(cls, path: str | os.PathLike[str], trust: Trust) -> Accounts:
        """The accounts of a TOML file.

        Args:
            path: The file.
            trust: Whether it may do what only a file of one's own may do.

        Raises:
            ConfigError: It can't be read, is no TOML, or has a key or value that is not valid; says where.
        """
        return cls(_account(entry) for entry in read_toml(path, trust=trust))

    @classmethod
    def from_aws_config(cls, path: str | os.PathLike[str] | None = None) -> Accounts:
        """The profiles of `~/.aws/config` and `~/.aws/credentials` as accounts.

        A profile with neither a role nor credentials is not among them. One that is wrong is in `unusable`: it raises
        when it is asked for, and hides no other. What a name can't have becomes a hyphen: "team/prod" is "team-prod".

        Args:
            path: The config file; None: the one that `AWS_CONFIG_FILE` names, else `~/.aws/config`. The credentials
                file is the one that `AWS_SHARED_CREDENTIALS_FILE` names, else `~/.aws/credentials`.

        Raises:
            ConfigError: A file can't be read or is not of that format.
        """
        return cls.of_aws_files(AwsFiles.of(path, os.environ))

    @classmethod
    def of_aws_files(cls, files: AwsFiles) -> Accounts:
        """The profiles of a pair of files as accounts.

        Raises:
            ConfigError: A file can't be read or is not of that format.
        """
        entries, unusable = read_aws_config(files)
        accounts = []
        for entry in entries:
            try:
                accounts.append(_account(entry))
            except ConfigError as error:
                unusable[entry.name] = error
        return cls(accounts, unusable=unusable)

    def find(self, ref: AccountRef) -> Account:
        """The account that a name, an id, `SOURCE`, a `Role`, a `RoleChain` or an `Account` stands for.

        Raises:
            UnknownAccountError: No account is called so, or several have that id; names the close matches.
            ConfigError: None, "", an ARN, or something else that names no account.
        """
        if isinstance(ref, str) and ref:
            return self._find_text(ref)
        if isinstance(ref, Account):
            registered = replace(ref, registered=True)
            return registered if self._by_name.get(ref.name) == registered else replace(ref, registered=False)
        if isinstance(ref, Role | RoleChain):
            last = as_chain(ref).last
            return Account(_NOT_IN_NAMES.sub("-", f"{last.account_id}-{last.name}"), ref)
        if ref is SOURCE:
            return Account("source")
        msg = f"{_shown(ref)} names no account"
        raise ConfigError(msg, hint="pass a name, a 12-digit id, a Role, a RoleChain, an Account, or xsession.SOURCE")

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

        # Nobody knows the id and the tags of what could not be read.
        any_other = account_id == "*" and not tags
        unusable = {key: error for key, error in self.unusable.items() if any_other and fnmatchcase(key, name)}
        return Accounts((account for account in self.values() if matches(account)), unusable=unusable)

    def __getitem__(self, name: str) -> Account:
        self._refuse_unusable(name)
        return self._by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

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
            msg = f"{_shown(ref)} is an ARN, and a text never is: it could come from outside"
            raise ConfigError(msg, hint="pass Role(arn) where you mean a role that is not registered")
        same_id = [account for account in self.values() if account.account_id == ref]
        if len(same_id) == 1:
            return same_id[0]
        if same_id:
            msg = f"several accounts have the id {ref}"
            raise UnknownAccountError(msg, hint=f"use a name: {', '.join(account.name for account in same_id)}")
        close = difflib.get_close_matches(ref, self._by_name, n=3)
        msg = f"no account is called {_shown(ref)}"
        raise UnknownAccountError(msg, hint=f"did you mean {' or '.join(close)}?" if close else self._known())

    def _known(self) -> str:
        names = list(self._by_name)
        if not names:
            return "no accounts are registered"
        return f"known are {', '.join(names[:10])}{f' and {len(names) - 10} more' if len(names) > 10 else ''}"


def _account(entry: Entry) -> Account:
    try:
        return Account(entry.name, **entry.options, origin=entry.origin)
    except ConfigError as error:
        error.hint = f"{error.hint}; see {entry.origin}" if error.hint else f"see {entry.origin}"
        raise


def _checked_chain(name: object, chain: object) -> RoleChain | None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        rule = "a letter or digit, then up to 127 letters, digits, dots, underscores and hyphens"
        msg = f"account name {_shown(name)} is not valid: {rule}"
        raise ConfigError(msg)
    if chain is None:
        return None
    if not isinstance(chain, RoleChain | Role | str):
        _refuse(name, "chain", chain, "a RoleChain, a Role or a role's ARN")
    try:
        return as_chain(chain)
    except ConfigError as error:
        raise error.for_caller(name) from None


def _checked_account_id(name: str, value: object, chain: RoleChain | None) -> str | None:
    chained = None if chain is None else chain.account_id
    if value is None:
        return chained
    if not isinstance(value, str) or not _ACCOUNT_ID.fullmatch(value):
        _refuse(name, "account_id", value, "12 digits, as text: a number would lose leading zeros")
    if chain is not None and value != chained:
        msg = f"account_id {value} is not the account of the role, {chained}"
        raise ConfigError(msg, account=name, role_arn=chain.last.role_arn)
    return value


def _checked_tags(name: str, tags: object) -> FrozenMap[str]:
    if not isinstance(tags, Mapping) or not all(isinstance(text, str) for pair in tags.items() for text in pair):
        _refuse(name, "tags", tags, "a mapping of text to text")
    return FrozenMap(tags)


def _refuse(name: str, option: str, value: object, rule: str) -> NoReturn:
    msg = f"{option} {_shown(value)} is not valid: {rule}"
    raise ConfigError(msg, account=name)


def _named(name: str, value: str | Role | RoleChain | Account) -> Account:
    if not isinstance(value, Account):
        return Account(name, value)
    if value.name != name:
        msg = f"the account {value.name!r} stands under the name {name!r}"
        raise ConfigError(msg, account=value.name)
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:120]}..."
