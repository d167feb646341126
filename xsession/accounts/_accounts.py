"""Accounts by name: in code, in a file, or in the profiles of `~/.aws/config`."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from xsession._base import FrozenMap, Table, Tabular, did_you_mean, hides_frames, public, shortened
from xsession.errors import ConfigError, UnknownAccountError, shown
from xsession.roles import Role, RoleChain, as_chain

from ._account import SOURCE, Account, AccountLike, AccountRef, AccountsLike

if TYPE_CHECKING:
    from ._explanation import AccountChoice, Explanation
    from ._graph import AccountGraph
    from ._identity_center import IdentityCenterAccount
    from ._organization import Organization
    from ._organization_table import OrganizationAsk

_MOST_NAMES = 10
_ACTIVE = "ACTIVE"
_NOT_IN_NAMES = r"[^A-Za-z0-9._-]"


class OrganizationReader(Protocol):
    """What asks AWS Organizations: a `CrossAccountSession`."""

    @property
    def accounts(self) -> Accounts:
        """The accounts that it knows."""

    def organization(self, account: AccountRef, *, need_tags: bool) -> Organization:
        """The organization that an account is in."""


class IdentityCenterReader(Protocol):
    """What asks IAM Identity Center: a `CrossAccountSession`."""

    def identity_center(self, profile_name: str) -> Iterable[IdentityCenterAccount]:
        """The accounts of a profile's login."""


@public
class Accounts(Tabular, Mapping[str, Account]):
    """Accounts by name, in the order in which they were given. Prints, and shows in a notebook, as a table.

    `a | b`, `a & b` and `a - b` go by names and keep the order of `a`; what only `b` has comes after it.

    Args:
        accounts: Names to role ARNs, `Role`, `RoleChain` or `Account` objects, or to mappings with the keys that an
            account has in `xsession.toml`; or a list of `Account` objects and of such mappings, each with a "name".
        unusable: Names of accounts whose definition is not valid, and the error to raise when one is used.
        considered: Accounts of an organization that were considered, for `explain`.
        asks: Accounts whose organization is among them.

    Raises:
        ConfigError: A name is there twice, or a value is not valid.
    """

    @hides_frames(ConfigError)  # mappings have external ids
    def __init__(
        self,
        accounts: AccountsLike = (),
        *,
        unusable: Mapping[str, ConfigError] = FrozenMap(),  # it is immutable
        considered: Iterable[AccountChoice] = (),
        asks: Iterable[OrganizationAsk] = (),
    ) -> None:
        given: object = accounts
        if isinstance(accounts, Mapping):
            listed: Iterable[Account] = (_named(name, value) for name, value in accounts.items())
        elif isinstance(given, str | bytes) or not isinstance(given, Iterable):
            raise ConfigError.invalid(given, "accounts", "a mapping of names to roles, or Account objects")
        else:
            listed = _listed(accounts)
        self._by_name: dict[str, Account] = {}
        self.unusable: Mapping[str, ConfigError] = FrozenMap(unusable)
        self.asks: tuple[OrganizationAsk, ...] = tuple(dict.fromkeys(asks))
        self.considered: tuple[AccountChoice, ...] = tuple(dict.fromkeys(considered))
        for account in listed:
            known = self._by_name.get(account.name)
            if known is not None:
                places = " and ".join(place for place in (known.origin, account.origin) if place)
                msg = f"two accounts have the name {account.name!r}" + (f": {places}" if places else "")
                raise ConfigError(msg, account=account.name)
            is_known = account.registered and account.origin
            self._by_name[account.name] = (
                account if is_known else replace(account, origin=account.origin or "code", registered=True)
            )

    @classmethod
    @hides_frames(ConfigError)
    def from_toml(cls, path: str | os.PathLike[str]) -> Accounts:
        """The accounts of an `xsession.toml`, or of `[tool.xsession]` in a `pyproject.toml`.

        Makes no network call: of an organization, those are among them that were listed before.

        Raises:
            ConfigError: It can't be read, is no TOML, or has a key or value that is not valid; says where.
        """
        from ._files import of_file  # noqa: PLC0415 # accounts in code need no reader of files
        from ._kept_organizations import KeptOrganizations  # noqa: PLC0415 # likewise

        read = of_file(path, lambda: KeptOrganizations.named_by(os.environ), time.time())
        for ask in read.asks:
            if ask.problem is not None:
                raise ask.problem
        return cls(read.accounts, considered=read.considered, asks=read.asks)

    @classmethod
    @hides_frames(ConfigError)
    def from_config(cls, path: str | os.PathLike[str] | None = None) -> Accounts:
        """The accounts of a file, or of all that this machine has, as `CrossAccountSession.from_config` has them.

        Makes no network call: of an organization, those are among them that were listed before.

        Args:
            path: The file, which counts alone; None: all that are found.

        Raises:
            ConfigError: A file is missing or wrong, or there is no account at all.
        """
        from ._discovery import Discovery  # noqa: PLC0415 # accounts in code need no reader of files

        return Discovery.of(path, cls(), combine=None).read(os.environ, time.time())

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

    @classmethod
    def from_organization(
        cls,
        xs: OrganizationReader,
        account: AccountRef = SOURCE,
        *,
        role_name: str,
        via: AccountRef | None = None,
        under: Iterable[str] = (),
        tags: Mapping[str, str] | None = None,
        names: Iterable[str] | None = None,
        exclude: Iterable[str] = (),
        states: Iterable[str] = (_ACTIVE,),
        allow_empty: bool = False,
    ) -> Accounts:
        """The accounts of an organization, each with a role of the same name; asks AWS Organizations.

        Where it can't be asked, what it said before counts, and the accounts' `notes` say how old that is. Names are
        what AWS has, made valid; of accounts with one name, each has its id in it. See `explain`.

        Args:
            xs: A `CrossAccountSession`.
            account: Who asks: the management account, or one of a delegated administrator. Needs
                organizations:ListAccounts, organizations:ListRoots, organizations:ListOrganizationalUnitsForParent,
                and for tags tag:GetResources or organizations:ListTagsForResource.
            role_name: The role in each account, with its path.
            via: The account whose roles come before it, such as a hub's; None: the source assumes it.
            under: OUs, by id ("ou-..."), path ("Workloads/Prod") or a name that no other OU has; all that is below them
                counts. Empty: the whole organization.
            tags: Patterns for the values of tags; * and ? are wildcards.
            names: Patterns for names, as AWS or xsession has them, or ids; None: any.
            exclude: OUs, ids, and patterns for names: not these, whatever else fits.
            states: AWS's states of accounts that count.
            allow_empty: Whether the selection may fit no account.

        Raises:
            OrganizationError: AWS refused or could not be asked, and nothing was kept.
            ConfigError: The account is in no organization, the selection fits none, or names what is not there.
        """
        from ._organization_accounts import MemberAccess, organization_accounts  # noqa: PLC0415 # few have one
        from ._selection import Selection  # noqa: PLC0415 # likewise

        selection = Selection(under, tags or {}, names, exclude, states)  # type: ignore[arg-type]  # it checks them
        before = None if via is None else xs.accounts.find(via)
        access = MemberAccess(role_name) if before is None else MemberAccess(role_name, before.source, before.roles)
        organization = xs.organization(account, need_tags=bool(selection.tags))
        accounts, choices = organization_accounts(organization, selection, access, allow_empty=allow_empty)
        return cls(accounts, considered=choices)

    @classmethod
    def from_identity_center(
        cls,
        xs: IdentityCenterReader,
        profile_name: str,
        *,
        role_name: str = "*",
        names: Iterable[str] | None = None,
        allow_empty: bool = False,
    ) -> Accounts:
        """The accounts of a login at IAM Identity Center (`aws sso login`), one for each permission set in each.

        No role is assumed: the permission set's credentials are the account's, and the login renews them. One call for
        each 100 accounts and one for each account, at most 20 a second. Where it can't be asked, what it said before
        counts, and hooks get a `NeedsAttention` that says how old that is.

        Args:
            xs: A `CrossAccountSession`.
            profile_name: The profile that names the login: an `sso_session`, or an `sso_start_url` and `sso_region`.
            role_name: The permission set, of which each account has its plain name; or a pattern, and the permission
                set is in the name too: "vegeta-ReadOnly".
            names: Patterns for names, as AWS or xsession has them, or ids; None: any.
            allow_empty: Whether there may be none.

        Raises:
            OrganizationError: Identity Center refused or could not be asked, and nothing was kept.
            SourceCredentialsError: There is no such profile; or nobody is logged in, and nothing was kept.
            ConfigError: The profile names no login, or the login has no such permission set.
        """
        from ._identity_center import identity_center_accounts  # noqa: PLC0415 # few have it

        listed = xs.identity_center(profile_name)
        return cls(
            identity_center_accounts(listed, profile_name, role_name=role_name, names=names, allow_empty=allow_empty)
        )

    def explain(self) -> Explanation:
        """Why each account is here; and of an organization's, why each of the others is not."""
        from ._explanation import explained  # noqa: PLC0415 # for people who look

        return explained(self, self.considered)

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

    def where(
        self, *, name: str = "*", account_id: str = "*", ou_path: str = "*", ou_id: str = "*", **tags: str
    ) -> Accounts:
        """Those accounts whose name, id, OU and tags match; * and ? are wildcards.

        Args:
            name: A pattern for the name.
            account_id: A pattern for the id.
            ou_path: A pattern for the path of the organizational unit: "Workloads/*" has those at any depth.
            ou_id: A pattern for the id of the organizational unit, or of one above it.
            tags: A pattern for the tag of each name; an account without that tag does not match.
        """

        def matches(account: Account) -> bool:
            if not fnmatchcase(account.name, name) or not fnmatchcase(account.account_id or "", account_id):
                return False
            if ou_path != "*" and (account.ou_path is None or not fnmatchcase(account.ou_path, ou_path)):
                return False
            if ou_id != "*" and not any(fnmatchcase(each, ou_id) for each in account.ou_ids):
                return False
            return all(key in account.tags and fnmatchcase(account.tags[key], wanted) for key, wanted in tags.items())

        # The id and the tags of what could not be read are not known.
        any_other = (account_id, ou_path, ou_id) == ("*", "*", "*") and not tags
        unusable = {key: error for key, error in self.unusable.items() if any_other and fnmatchcase(key, name)}
        return self._with((account for account in self.values() if matches(account)), unusable)

    def shadowing(self, *others: Accounts) -> list[Account]:
        """Those that have a name from AWS which a caller or a file has given to an account of these."""
        own = {
            name
            for each in others
            for name, account in each._by_name.items()  # noqa: SLF001 # of this very class
            if account.aws_name is None
        }
        own.update(*(each.unusable for each in others))
        return [account for name, account in self._by_name.items() if account.aws_name is not None and name in own]

    def graph(self) -> AccountGraph:
        """Who is reached through whom: a diagram in a notebook, a tree when it is printed."""
        from ._graph import AccountGraph  # noqa: PLC0415 # for people who look

        return AccountGraph.of(self.values())

    def __getitem__(self, name: str) -> Account:
        self._refuse_unusable(name)
        try:
            return self._by_name[name]
        except KeyError:
            raise self._unknown(name) from None

    def __contains__(self, name: object) -> bool:
        return name in self._by_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._by_name)

    def __or__(self, other: Accounts) -> Accounts:
        """All accounts of both; of two with the same name, the other's.

        But one that has its name from AWS, where anybody may rename an account, never takes that of one which has not.
        """
        if not isinstance(other, Accounts):
            return NotImplemented
        other -= Accounts(other.shadowing(self))
        theirs = other._names()
        ours = {name: account for name, account in self._by_name.items() if name not in other.unusable}
        unusable = {name: error for name, error in self.unusable.items() if name not in theirs}
        return self._with((ours | other._by_name).values(), {**unusable, **other.unusable}, other)

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

    def _below(self) -> Iterable[str]:
        for ask in self.asks:
            if not ask.is_kept:
                yield f"beside those of the organization that {ask.account} lists, which AWS was not asked for yet"

    def __str__(self) -> str:
        return self._as_text()

    def __repr__(self) -> str:
        return f"Accounts({', '.join(self._by_name)})"

    def _names(self) -> set[str]:
        return {*self._by_name, *self.unusable}

    def _chosen(self, wanted: Callable[[str], bool]) -> Accounts:
        unusable = {name: error for name, error in self.unusable.items() if wanted(name)}
        return self._with((account for name, account in self.items() if wanted(name)), unusable)

    def _with(self, accounts: Iterable[Account], unusable: Mapping[str, ConfigError], *others: Accounts) -> Accounts:
        """Other accounts, with what is known of where these and others came from."""
        both = (self, *others)
        considered = (choice for each in both for choice in each.considered)
        asks = (ask for each in both for ask in each.asks)
        return Accounts(accounts, unusable=unusable, considered=considered, asks=asks)

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
        raise self._unknown(ref)

    def _unknown(self, name: str) -> UnknownAccountError:
        msg = f"no account has the name {shown(name)}"
        return UnknownAccountError(msg, hint=did_you_mean(name, self._by_name, self._known(), most=3))

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
