from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.accounts.test_selection import ORGANIZATION
from xsession.accounts import SOURCE, AccountRef, Accounts, IdentityCenterAccount, Organization
from xsession.errors import ConfigError


class Reader:
    """Stands for a session that asks AWS."""

    accounts = Accounts({"hub": "arn:aws:iam::999999999999:role/Hub"})

    def __init__(self) -> None:
        self.asked: list[tuple[AccountRef, bool]] = []

    def organization(self, account: AccountRef, *, need_tags: bool) -> Organization:
        """The organization that an account is in."""
        self.asked.append((account, need_tags))
        return ORGANIZATION

    def identity_center(self, profile_name: str) -> Iterable[IdentityCenterAccount]:
        """The accounts of a profile's login."""
        self.profile_name = profile_name
        return [IdentityCenterAccount("222222222222", "data", ("Admin", "ReadOnly"))]


def test_accounts_come_from_whom_is_asked() -> None:
    """Tags are needed only where they select; the selection is checked before anything is asked."""
    reader = Reader()
    accounts = Accounts.from_organization(reader, "management", role_name="Reader", via="hub", tags={"env": "prod"})
    assert [role.name for role in accounts["shop"].roles] == ["Hub", "Reader"]
    assert len(accounts.explain()) == 7
    assert list(Accounts.from_organization(reader, role_name="Reader").where(ou_path="Work*")) == [
        "shop",
        "shop-eu",
        "tools",
    ]
    assert list(accounts.where(ou_path="None")) == []
    for each in accounts.values():
        assert each.name in accounts.where(ou_id=min(each.ou_ids))
    assert list(accounts.where(ou_id="ou-none")) == []
    assert list((accounts | Reader.accounts).where(ou_path="*")) == ["shop", "hub"]
    assert list((accounts | Reader.accounts).where(ou_path="W*")) == ["shop"]
    with pytest.raises(ConfigError):
        Accounts.from_organization(reader, role_name="Reader", states=["active"])
    assert reader.asked == [("management", True), (SOURCE, False)]


def test_a_login_has_its_accounts() -> None:
    """All of them, or those of one permission set; none is an error unless it is allowed."""
    reader = Reader()
    assert list(Accounts.from_identity_center(reader, "corp")) == ["data-Admin", "data-ReadOnly"]
    assert list(Accounts.from_identity_center(reader, "corp", role_name="Admin", names=["da*"])) == ["data"]
    with pytest.raises(ConfigError, match=r"profile 'corp' has no permission set \*.*; choose one of Admin, ReadOnly"):
        Accounts.from_identity_center(reader, "corp", names=["x"])
    assert list(Accounts.from_identity_center(reader, "corp", names=["x"], allow_empty=True)) == []
