from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xsession.accounts import Organization, OrganizationAccount, OrganizationalUnit
from xsession.accounts._selection import Selection
from xsession.errors import ConfigError

UNITS = (
    OrganizationalUnit("r-1", "Root", None),
    OrganizationalUnit("ou-w", "Workloads", "r-1"),
    OrganizationalUnit("ou-i", "Infra", "r-1"),
    OrganizationalUnit("ou-s", "Suspended", "r-1"),
    OrganizationalUnit("ou-p", "Prod", "ou-w"),
    OrganizationalUnit("ou-eu", "EU", "ou-p"),
    OrganizationalUnit("ou-wi", "Infra", "ou-w"),
    OrganizationalUnit("ou-si", "Nested", "ou-s"),
    OrganizationalUnit("ou-n1", "Net", "ou-w"),
    OrganizationalUnit("ou-n2", "Net", "ou-i"),
)
ACCOUNTS = (
    OrganizationAccount("000000000001", "management", "ACTIVE", "r-1"),
    OrganizationAccount("000000000002", "shop", "ACTIVE", "ou-p", {"env": "prod"}),
    OrganizationAccount("000000000003", "shop eu", "ACTIVE", "ou-eu", {"env": "prod-eu"}),
    OrganizationAccount("000000000004", "net", "ACTIVE", "ou-i"),
    OrganizationAccount("000000000005", "old", "ACTIVE", "ou-si"),
    OrganizationAccount("000000000006", "closing", "PENDING_CLOSURE", "ou-w"),
    OrganizationAccount("000000000007", "tools", "ACTIVE", "ou-wi"),
)
ORGANIZATION = Organization("o-1", "000000000001", "aws", UNITS, ACCOUNTS, 0.0, 0.0)
NAMES = {account.account_id: account.name.replace(" ", "-") for account in ACCOUNTS}


def selected(**selection: Any) -> set[str]:
    """The names of those that are meant."""
    reasons = Selection(**selection).reasons(ORGANIZATION, NAMES)
    return {account.name for account in ACCOUNTS if reasons[account.account_id][0]}


def reason(name: str, **selection: Any) -> str:
    """Why one is in or out."""
    reasons = Selection(**selection).reasons(ORGANIZATION, NAMES)
    return next(reasons[account.account_id][1] for account in ACCOUNTS if account.name == name)


ALL = {"management", "shop", "shop eu", "net", "old", "tools"}


@pytest.mark.parametrize(
    ("selection", "names"),
    [
        ({}, ALL),
        ({"under": ["Workloads"]}, {"shop", "shop eu", "tools"}),
        ({"under": ["/Workloads/Prod/"]}, {"shop", "shop eu"}),
        ({"under": ["ou-eu"]}, {"shop eu"}),
        ({"under": ["Prod"]}, {"shop", "shop eu"}),
        ({"under": ["r-1"]}, ALL),
        ({"under": ["/"]}, ALL),
        ({"under": ["Infra"]}, {"net"}),
        ({"under": ["Workloads/Infra", "EU"]}, {"tools", "shop eu"}),
        ({"exclude": ["Suspended"]}, ALL - {"old"}),
        ({"exclude": ["Workloads", "000000000004", "manage*"]}, {"old"}),
        ({"exclude": ["shop-eu"]}, ALL - {"shop eu"}),
        ({"exclude": ["999999999999", "gone-*"]}, ALL),
        ({"names": ["shop*"]}, {"shop", "shop eu"}),
        ({"names": ["shop-eu", "000000000004", "999999999999"]}, {"shop eu", "net"}),
        ({"names": []}, set()),
        ({"tags": {"env": "prod*"}}, {"shop", "shop eu"}),
        ({"tags": {"env": "prod"}}, {"shop"}),
        ({"states": ["PENDING_CLOSURE"]}, {"closing"}),
        ({"under": ["Workloads"], "tags": {"env": "*"}, "exclude": ["EU"]}, {"shop"}),
    ],
)
def test_what_is_meant(selection: dict[str, Any], names: set[str]) -> None:
    """By OU with all below it, id, tag, pattern and state, minus what is excluded (H88, H89, H90, H91)."""
    assert selected(**selection) == names


@pytest.mark.parametrize(
    ("name", "selection", "words"),
    [
        ("shop", {}, "ACTIVE, in Workloads/Prod"),
        ("management", {}, "ACTIVE, in the root"),
        ("management", {"under": ["Workloads"]}, "it is in the root, which is not in 'Workloads'"),
        ("closing", {}, "its state is PENDING_CLOSURE"),
        ("old", {"exclude": ["Suspended"]}, "exclude: it is in 'Suspended'"),
        ("net", {"exclude": ["n?t"]}, "exclude: 'n?t'"),
        ("net", {"names": ["a", "b", "c", "d"]}, "it is none of 'a', 'b', 'c'"),
        ("net", {"tags": {"env": "x"}}, "it has no tag 'env'"),
        ("shop", {"tags": {"env": "x"}}, "its tag 'env' is 'prod', not 'x'"),
    ],
)
def test_each_has_a_reason(name: str, selection: dict[str, Any], words: str) -> None:
    """Of those that are in as well."""
    assert reason(name, **selection) == words


@pytest.mark.parametrize("selection", [{"under": ["Twice"]}, {"under": ["\x1b[31mRe"]}, {"under": ["Suspended"]}, {}])
def test_no_name_of_an_ou_changes_a_terminal(selection: dict[str, Any]) -> None:
    """Whoever may name one in AWS; in errors and in reasons."""
    red = OrganizationalUnit("ou-r", "\x1b[31mRed", "r-1")
    units = (*UNITS, red, *(OrganizationalUnit(f"ou-{name}", "Twice", name) for name in ("ou-r", "ou-w")))
    accounts = (*ACCOUNTS, OrganizationAccount("000000000008", "late", "ACTIVE", "ou-r"))
    organization = Organization("o-1", "000000000001", "aws", units, accounts, 0.0, 0.0)
    try:
        reasons = Selection(**selection).reasons(organization, {**NAMES, "000000000008": "late"})
        words = " ".join(reason for _, reason in reasons.values())
    except ConfigError as error:
        words = str(error)
    assert "\x1b" not in words
    assert "\\x1b[31mRed" in words


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ({"under": ["Net"]}, r"several OUs of the organization are 'Net': Workloads/Net \(ou-n1\) and Infra/Net"),
        ({"under": ["Workload"]}, "under: the organization has no OU 'Workload' with accounts.*did you mean Workloads"),
        ({"exclude": ["Suspendet"]}, "exclude: .* no OU 'Suspendet' .* and no account of that name"),
        ({"exclude": ["zzz"]}, "name an OU by its path"),
        ({"exclude": ["Net"]}, "several OUs"),
        ({"under": "Workloads"}, "under 'Workloads' is not valid: a list of strings"),
        ({"names": [""]}, "names .* is not valid: a list of strings, none of them empty"),
        ({"states": ["active"]}, "states 'active' is not valid: of PENDING_ACTIVATION, ACTIVE"),
        ({"tags": ["env"]}, "tags .* is not valid: a mapping of keys to patterns"),
        ({"tags": {"env": 1}}, "tags .* is not valid"),
        ({"exclude": 5}, "exclude 5 is not valid"),
    ],
)
def test_what_can_not_be_meant_is_refused(selection: dict[str, Any], message: str) -> None:
    """A typo in `exclude` would have accounts worked on that should be left alone."""
    with pytest.raises(ConfigError, match=message):
        selected(**selection)


specs = st.lists(st.sampled_from(["Workloads", "ou-eu", "Workloads/Prod", "Suspended", "r-1"]), max_size=3)


@given(specs, specs, st.permutations(ACCOUNTS), st.booleans())
def test_what_is_excluded_is_never_meant(
    under: list[str], exclude: list[str], accounts: list[OrganizationAccount], named: bool
) -> None:
    """The order of AWS's answer and of the options says nothing; what fits more is never fewer."""
    organization = Organization("o-1", "000000000001", "aws", UNITS, tuple(accounts), 0.0, 0.0)
    names = ("shop*",) if named else None
    reasons = Selection(tuple(under), names=names, exclude=tuple(exclude)).reasons(organization, NAMES)
    again = Selection(tuple(under[::-1]), names=names, exclude=tuple(exclude[::-1])).reasons(ORGANIZATION, NAMES)
    assert {key: chosen for key, (chosen, _) in reasons.items()} == {key: chosen for key, (chosen, _) in again.items()}
    out = Selection(tuple(exclude) or ("r-1",)).reasons(organization, NAMES)
    for key, (chosen, _) in reasons.items():
        assert not (chosen and exclude and out[key][0])
        assert not (chosen and not Selection(names=names).reasons(organization, NAMES)[key][0])
