from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.accounts.test_selection import ORGANIZATION
from xsession.accounts import Organization
from xsession.accounts._organization_accounts import MemberAccess, organization_accounts
from xsession.accounts._selection import Selection
from xsession.errors import ConfigError, InvalidRoleError
from xsession.roles import Role

HUB = Role("arn:aws-us-gov:iam::999999999999:role/Hub")


def made(
    organization: Organization = ORGANIZATION,
    *,
    access: MemberAccess | None = None,
    allow_empty: bool = False,
    **selection: Any,
) -> dict[str, Any]:
    """The accounts that are meant, by name."""
    accounts, _ = organization_accounts(
        organization, Selection(**selection), access or MemberAccess("Reader"), allow_empty=allow_empty
    )
    return {account.name: account for account in accounts}


def test_an_account_says_what_it_is() -> None:
    """By the names of AWS and of xsession, with its OU, tags and origin."""
    account = made()["shop-eu"]
    assert account.chain.last.role_arn == "arn:aws:iam::000000000003:role/Reader"
    assert (account.aws_name, account.ou_path, account.tags) == ("shop eu", "Workloads/Prod/EU", {"env": "prod-eu"})
    assert account.origin == "AWS Organizations (o-1, 1970-01-01 00:00 UTC)"
    assert account.notes == ()
    assert list(made()) == sorted(made())


def test_roles_and_a_source_may_come_before() -> None:
    """In the organization's partition."""
    access = MemberAccess("team/Reader", source="sso", hops=(HUB,), options={"region_name": "us-gov-west-1"})
    account = made(replace(ORGANIZATION, partition="aws-us-gov"), access=access)["net"]
    assert [role.role_arn for role in account.roles] == [
        HUB.role_arn,
        "arn:aws-us-gov:iam::000000000004:role/team/Reader",
    ]
    assert (account.source, account.region_name) == ("sso", "us-gov-west-1")


def test_the_management_account_has_a_note() -> None:
    """AWS makes no role in it (H92)."""
    (note,) = made()["management"].notes
    assert note.startswith("it is the management account: AWS gives it no role Reader")


@pytest.mark.parametrize(
    ("age", "problem", "words"),
    [
        (86_399.0, None, None),
        (3 * 86_400.0, None, "the list of accounts that names it is 3 days old; reload() asks AWS again"),
        (
            7_200.0,
            "no",
            "the list of accounts that names it is 2 hours old, since AWS could not be asked: no; reload()",
        ),
    ],
)
def test_an_old_list_is_said_to_be_old(age: float, problem: str | None, words: str | None) -> None:
    """On each account: what it says may not be true any more (H87)."""
    (*notes,) = made(replace(ORGANIZATION, seen_at=age, problem=problem))["net"].notes
    assert len(notes) == (words is not None)
    assert words is None or notes[0].startswith(words)


def test_an_empty_selection_is_an_error_unless_it_is_allowed() -> None:
    """Whoever asked for it would work on nothing, and never hear of it."""
    with pytest.raises(ConfigError, match=r"no account of organization o-1 is selected, of 7: closing is out since it"):
        made(names=["gone"])
    assert made(names=["gone"], allow_empty=True) == {}
    with pytest.raises(ConfigError, match=r"is selected, of 0; widen the selection"):
        made(replace(ORGANIZATION, accounts=()))


def test_a_role_that_can_not_be_is_refused() -> None:
    """By its account's name."""
    with pytest.raises(InvalidRoleError, match="account 'management'"):
        made(access=MemberAccess("not a role!"), states=["ACTIVE"])
