"""An account: its name, and how it is reached."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from xsession._aws import is_account_id
from xsession._base import FrozenMap, Table, Tabular, frozen
from xsession.errors import ConfigError, InvalidRoleError, reaching
from xsession.roles import Defaults, Role, RoleChain, as_chain

from ._profile import Profile, ProfileSettings

if TYPE_CHECKING:
    import boto3

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_REGION = r"[a-z]{2,}(-[a-z0-9]+)+"


class SourceType(enum.Enum):
    """The type of `SOURCE`."""

    # A pickle of it names `xsession.accounts.SOURCE`, which stays when this module moves.
    __module__ = "xsession.accounts"
    SOURCE = "source"

    def __repr__(self) -> str:
        return "SOURCE"

    def __reduce_ex__(self, _protocol: object) -> str:  # type: ignore[override] # pickle takes names too
        return self.name


SOURCE: Literal[SourceType.SOURCE] = SourceType.SOURCE
"""Stands for the source itself where an account is asked for."""


@frozen
class Account(Tabular):
    """An AWS account that we can reach.

    Args:
        name: A letter or digit, then up to 127 letters, digits, dots, underscores and hyphens.
        chain: The roles that lead there: a `RoleChain`, a `Role` or a role's ARN; None: the source's credentials
            are the account's.
        source: Whose credentials the chain starts from: a profile's name or a boto3 session; None: the session's.
            Accounts of `Accounts.from_aws_config` have a value whose str() is the profile's name.
        account_id: The 12-digit id; None: the chain's. What AWS answers is compared with it.
        region_name: The region of clients where the call names none.
        tags: For `Accounts.where`; never sent to AWS.
        defaults: Those of the file that it comes from.
        settings: The profile whose settings its clients and its calls of STS have; None: those of the source.
        origin: Where it was defined: file, line and key, or "code"; two accounts that differ only here are equal.
        notes: What a person should know of its definition, such as options that have no effect; `verify` hands them on.
        aws_name: What AWS Organizations or IAM Identity Center calls it; None: nobody asked them.
        ou_path: The organizational unit that it is in, by the names on the way: "Workloads/Prod"; "": the root.
        ou_ids: The ids of that one and of all above it, the root's included.
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
    settings: ProfileSettings | None = field(repr=False)
    origin: str | None = field(repr=False, compare=False)
    notes: tuple[str, ...] = field(repr=False, compare=False)
    aws_name: str | None = field(repr=False, compare=False)
    ou_path: str | None = field(repr=False, compare=False)
    ou_ids: frozenset[str] = field(repr=False, compare=False)
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
        settings: ProfileSettings | None = None,
        origin: str | None = None,
        notes: tuple[str, ...] = (),
        aws_name: str | None = None,
        ou_path: str | None = None,
        ou_ids: Iterable[str] = (),
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
            "settings": settings,
            "origin": origin,
            "notes": notes,
            "aws_name": aws_name,
            "ou_path": ou_path,
            "ou_ids": frozenset(ou_ids),
            "registered": registered,
        }
        for option, value in values.items():
            object.__setattr__(self, option, value)
        self._check()

    @property
    def roles(self) -> tuple[Role, ...]:
        """The chain's roles, in order; empty where the source's credentials are the account's."""
        return () if self.chain is None else self.chain.roles

    @property
    def has_own_session(self) -> bool:
        """Whether its source is a boto3 session of its own, and neither the session's nor a profile."""
        return not isinstance(self.source, str | Profile | None)

    def _table(self) -> Table:
        from ._display import account_table  # noqa: PLC0415 # few programs show anything

        return account_table(self, self.region_name)

    def _check(self) -> None:
        if is_account_id(self.name) and self.name != self.account_id:
            raise ConfigError.invalid(self.name, "account name", "it is another account's id")
        region: object = self.region_name
        if region is not None and not (isinstance(region, str) and re.fullmatch(_REGION, region)):
            raise ConfigError.invalid(region, "region_name", "an AWS region such as eu-west-1", account=self.name)
        source: object = self.source
        # boto3 itself is not imported here.
        if source == "" or not (isinstance(source, str | Profile | None) or hasattr(source, "get_credentials")):
            raise ConfigError.invalid(source, "source", "a profile's name or a boto3 session", account=self.name)


AccountRef: TypeAlias = str | Role | RoleChain | Account | Literal[SourceType.SOURCE]
"""What names an account in a call."""

AccountLike: TypeAlias = str | Role | RoleChain | Account | Mapping[str, Any]
"""How an account of some name is given: a role's ARN, a role, a chain, an account, or the keys of `xsession.toml`."""

AccountsLike: TypeAlias = Mapping[str, AccountLike] | Iterable[Account | Mapping[str, Any]]
"""How accounts are given: by name, or in a list in which each has its name."""


def required_role(account: Account, purpose: str) -> Role:
    """The last role of an account's chain, for what needs one.

    Args:
        account: The account.
        purpose: What the role is needed for, as the end of "has no role ...".

    Raises:
        InvalidRoleError: The account is reached without a role.
    """
    if account.chain is None:
        msg = f"the account has no role {purpose}: its credentials are the source's own"
        raise InvalidRoleError(msg, account=account.name, hint="reach it by a role")
    return account.chain.last


def _checked_chain(name: object, chain: object) -> RoleChain | None:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        rule = "a letter or digit, then up to 127 letters, digits, dots, underscores and hyphens"
        raise ConfigError.invalid(name, "account name", rule, hint="xsession.accounts.valid_names makes valid ones")
    if chain is None:
        return None
    if not isinstance(chain, RoleChain | Role | str):
        raise ConfigError.invalid(chain, "chain", "a RoleChain, a Role or a role's ARN", account=name)
    with reaching(name):
        return as_chain(chain)


def _checked_account_id(name: str, value: object, chain: RoleChain | None) -> str | None:
    chained = None if chain is None else chain.account_id
    if value is None:
        return chained
    if not is_account_id(value):
        raise ConfigError.invalid(
            value, "account_id", "12 digits, as a string: a number would lose leading zeros", account=name
        )
    if chain is not None and value != chained:
        msg = f"account_id {value} is not the account of the role, {chained}"
        raise ConfigError(msg, account=name, role_arn=chain.last.role_arn)
    return value


def _checked_tags(name: str, tags: object) -> FrozenMap[str]:
    if not isinstance(tags, Mapping) or not all(isinstance(text, str) for pair in tags.items() for text in pair):
        raise ConfigError.invalid(tags, "tags", "a mapping of strings to strings", account=name)
    return FrozenMap(tags)
