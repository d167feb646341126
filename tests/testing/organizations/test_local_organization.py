from __future__ import annotations

from xsession.testing._organizations import LocalOrganization


def test_ous_are_made_where_they_are_missing() -> None:
    """One path is one OU; two of one name below different OUs are two."""
    organization = LocalOrganization("111111111111", 1)
    prod = organization.unit("Workloads/Prod")
    assert organization.unit("Workloads/Prod") == prod != organization.unit("Infra/Prod")
    assert organization.unit("") == organization.root_id
    assert [unit["Name"] for unit in organization.units_of(organization.root_id)] == ["Workloads", "Infra"]


def test_accounts_come_move_and_go() -> None:
    """The management account is there from the beginning."""
    organization = LocalOrganization("111111111111", 1)
    organization.account("222222222222", "data", unit="Sandbox")
    organization.account("222222222222", "data", unit="Workloads")
    assert organization.account_ids == ["111111111111", "222222222222"]
    assert len(organization.listed(organization.unit("Workloads"))) == 1
    assert organization.listed(organization.unit("Sandbox")) == []
    organization.remove("222222222222")
    assert organization.account_ids == ["111111111111"]
    assert organization.tags_of("222222222222") is None
    organization.has_paths = False
    assert "Paths" not in organization.listed()[0]
