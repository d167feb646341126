"""Makes accounts of what AWS Organizations or a list that was kept says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import UTC, datetime

from xsession._base import frozen
from xsession.errors import ConfigError, reaching
from xsession.roles import Role, RoleChain

from ._account import Account
from ._explanation import AccountChoice
from ._organization import ACTIVE, Organization, OrganizationAccount, age_in_words
from ._profile import Profile
from ._selection import Selection
from ._unique_names import NamedAccount, unique_names

STALE_SECONDS = 86_400.0
"""From which age on a list is said to be old."""


@frozen
class MemberAccess:
    """How the accounts of an organization are reached.

    Args:
        role_name: The role in each, with its path.
        source: Whose credentials come first, as of an `Account`; None: the session's.
        hops: The roles that come before it.
        options: What else each `Account` gets, such as the defaults of its file.
    """

    role_name: str
    source: object = None
    hops: tuple[Role, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)


def organization_accounts(
    organization: Organization, selection: Selection, access: MemberAccess, *, allow_empty: bool
) -> tuple[list[Account], list[AccountChoice]]:
    """The accounts that are meant, by name; and why each of the organization's is one of them or not.

    Args:
        organization: The organization.
        selection: Which ones are meant.
        access: How they are reached.
        allow_empty: Whether none may be meant.

    Raises:
        ConfigError: None is meant, or the selection names what is not there.
        InvalidRoleError: The role's name is not valid.
    """
    names = unique_names(
        NamedAccount(account.account_id, account.name, is_active=account.state == ACTIVE)
        for account in organization.accounts
    )
    reasons = selection.reasons(organization, names)
    ordered = sorted(organization.accounts, key=lambda account: names[account.account_id])
    choices = [
        AccountChoice(names[each.account_id], each.account_id, *reasons[each.account_id], aws_name=each.name)
        for each in ordered
    ]
    if not any(choice.chosen for choice in choices) and not allow_empty:
        msg = f"no account of organization {organization.id} is selected, of {len(choices)}"
        example = f": {choices[0].name} is out since {choices[0].reason}" if choices else ""
        raise ConfigError(msg + example, hint="widen the selection, or pass allow_empty=True where none may fit")
    paths, above = organization.paths(), organization.above()
    accounts = [
        _account(
            organization,
            each,
            names[each.account_id],
            access,
            ou_path=paths[each.parent_id],
            ou_ids=above[each.parent_id],
        )
        for each in ordered
        if reasons[each.account_id][0]
    ]
    return accounts, choices


def _account(
    organization: Organization,
    member: OrganizationAccount,
    name: str,
    access: MemberAccess,
    *,
    ou_path: str,
    ou_ids: frozenset[str],
) -> Account:
    arn = f"arn:{organization.partition}:iam::{member.account_id}:role/{access.role_name}"
    read = datetime.fromtimestamp(organization.read_at, UTC)
    source: str | Profile | None = access.source  # type: ignore[assignment]  # Account checks it, boto3 sessions too
    with reaching(name):
        chain = RoleChain(*access.hops, Role(arn))
    return Account(
        name,
        chain,
        source=source,
        account_id=member.account_id,
        tags=member.tags,
        origin=f"AWS Organizations ({organization.id}, {read:%Y-%m-%d %H:%M} UTC)",
        notes=tuple(_notes(organization, member, access)),
        aws_name=member.name,
        ou_path=ou_path,
        ou_ids=ou_ids,
        **access.options,  # type: ignore[arg-type]  # Account checks them
    )


def _notes(organization: Organization, member: OrganizationAccount, access: MemberAccess) -> list[str]:
    notes = []
    if organization.problem is not None or organization.age >= STALE_SECONDS:
        why = "" if organization.problem is None else f", since AWS could not be asked: {organization.problem}"
        notes.append(
            f"the list of accounts that names it is {age_in_words(organization.age)} old{why}; reload() asks AWS again"
        )
    if member.account_id == organization.management_id:
        role = f"AWS gives it no role {access.role_name}"
        notes.append(f"it is the management account: {role}; create one, or give it an account of that name of its own")
    return notes
