"""Accounts of a login at IAM Identity Center: one for each permission set, and no role to assume."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

from xsession._base import frozen
from xsession.errors import ConfigError

from ._account import Account
from ._names import MAX_CHARACTERS, valid_name
from ._profile import Profile
from ._unique_names import NamedAccount, unique_names

_WILDCARDS = frozenset("*?[")
_MAX_ROLE_CHARACTERS = 32  # https://docs.aws.amazon.com/singlesignon/latest/APIReference/API_CreatePermissionSet.html
_MAX_BEFORE_NUMBER = 120


@frozen
class IdentityCenterAccount:
    """An account that a login may use.

    Args:
        account_id: Its 12-digit id.
        name: What AWS calls it; others may have the same name.
        role_names: The permission sets that the login has in it.
    """

    account_id: str
    name: str
    role_names: tuple[str, ...]


def identity_center_accounts(
    listed: Iterable[IdentityCenterAccount],
    profile_name: str,
    *,
    role_name: str,
    names: Iterable[str] | None,
    allow_empty: bool,
) -> list[Account]:
    """An account for each permission set that is meant.

    Args:
        listed: What the login has.
        profile_name: The profile that names the login.
        role_name: A pattern for permission sets. Without a wildcard it is one for each account, which has its plain
            name; else the permission set is in the name too.
        names: Patterns for names, as AWS or xsession has them, or ids; None: any.
        allow_empty: Whether there may be none.

    Raises:
        ConfigError: There is none.
    """
    everything = list(listed)
    named = unique_names(NamedAccount(each.account_id, each.name) for each in everything)
    wanted = None if names is None else tuple(names)
    is_one = not _WILDCARDS & set(role_name)
    found: dict[str, Account] = {}
    for each in sorted(everything, key=lambda account: named[account.account_id]):
        name = named[each.account_id]
        called = (name, each.name, each.account_id)
        if wanted is not None and not any(fnmatchcase(word, pattern) for word in called for pattern in wanted):
            continue
        for role in each.role_names:
            if fnmatchcase(role, role_name):
                candidates = [name] if is_one else _candidates(name, each.account_id, role)
                free = next(candidate for candidate in candidates if candidate.lower() not in found)
                found[free.lower()] = _account(each, role, free, profile_name)
    if not found and not allow_empty:
        msg = f"the login of profile {profile_name!r} has no permission set {role_name} in what was selected"
        roles = sorted({role for each in everything for role in each.role_names})
        raise ConfigError(msg, hint=f"choose one of {', '.join(roles)}" if roles else "have one assigned")
    return list(found.values())


def _candidates(name: str, account_id: str, role: str) -> Iterator[str]:
    """Names with the permission set in them; others may be the same, as that of "a" with "b-c" and "a-b" with "c"."""
    ending = valid_name(role)[:_MAX_ROLE_CHARACTERS]
    most = MAX_CHARACTERS - len(ending) - 1
    yield f"{name[:most]}-{ending}"
    longer = f"{name[: most - len(account_id) - 1]}-{account_id}-{ending}"
    yield longer
    # Two permission sets may differ in nothing that a name can have.
    yield from (f"{longer[:_MAX_BEFORE_NUMBER]}-{number}" for number in itertools.count(2))


def _account(each: IdentityCenterAccount, role: str, name: str, profile_name: str) -> Account:
    return Account(
        name,
        source=Profile(profile_name, sso_account_id=each.account_id, sso_role_name=role),
        account_id=each.account_id,
        origin=f"IAM Identity Center (profile {profile_name}, permission set {role})",
        aws_name=each.name,
    )
